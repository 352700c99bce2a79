//! The states a message goes through, as tables of `event(From => To)`.
//!
//! What a back office is shown (`DeliveryState`) is derived from these states, from how long delivery has been
//! failing, and from nothing else.

/// A message this Party sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outbound {
    /// Sealed and durable here.
    Queued,
    /// The other Party's receipt is durable here.
    Delivered,
    /// The other Party's signed rejection is durable here.
    Rejected,
}

/// A message this Party receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound {
    /// Durable here.
    Received,
    /// Taken over by a back office.
    HandedOver,
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The other Party's receipt was verified.
    ReceiptAccepted,
    /// The other Party's signed rejection was verified.
    RejectionAccepted,
    /// A back office acknowledged it.
    BackOfficeAcknowledged,
}

/// What a happening does to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<S> {
    /// The message is in this state now.
    Moves(S),
    /// It already happened; nothing changes.
    Again,
    /// It cannot happen in this state.
    Impossible,
}

const OUTBOUND: [(Happening, Outbound, Outbound); 2] = [
    (Happening::ReceiptAccepted, Outbound::Queued, Outbound::Delivered),
    (Happening::RejectionAccepted, Outbound::Queued, Outbound::Rejected),
];

const INBOUND: [(Happening, Inbound, Inbound); 1] =
    [(Happening::BackOfficeAcknowledged, Inbound::Received, Inbound::HandedOver)];

impl Outbound {
    /// The next state.
    pub fn step(self, happening: Happening) -> Step<Self> {
        step(&OUTBOUND, self, happening)
    }

    /// No happening moves it any more.
    pub fn is_terminal(self) -> bool {
        OUTBOUND.iter().all(|(_, from, _)| *from != self)
    }
}

impl Inbound {
    /// The next state.
    pub fn step(self, happening: Happening) -> Step<Self> {
        step(&INBOUND, self, happening)
    }

    /// No happening moves it any more.
    pub fn is_terminal(self) -> bool {
        INBOUND.iter().all(|(_, from, _)| *from != self)
    }
}

fn step<S: Copy + PartialEq>(table: &[(Happening, S, S)], state: S, happening: Happening) -> Step<S> {
    let rows = || table.iter().filter(|(on, _, _)| *on == happening);
    if let Some((_, _, to)) = rows().find(|(_, from, _)| *from == state) {
        Step::Moves(*to)
    } else if rows().any(|(_, _, to)| *to == state) {
        Step::Again
    } else {
        Step::Impossible
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Happening::{BackOfficeAcknowledged, ReceiptAccepted, RejectionAccepted};

    #[test]
    fn the_whole_matrix_is_as_the_tables_say() {
        let cells: Vec<_> = [Outbound::Queued, Outbound::Delivered, Outbound::Rejected]
            .into_iter()
            .flat_map(|state| {
                [ReceiptAccepted, RejectionAccepted, BackOfficeAcknowledged].map(|on| state.step(on))
            })
            .collect();
        assert_eq!(
            cells,
            [
                Step::Moves(Outbound::Delivered),
                Step::Moves(Outbound::Rejected),
                Step::Impossible,
                Step::Again,
                Step::Impossible,
                Step::Impossible,
                Step::Impossible,
                Step::Again,
                Step::Impossible,
            ]
        );
        assert_eq!(Inbound::Received.step(BackOfficeAcknowledged), Step::Moves(Inbound::HandedOver));
        assert_eq!(Inbound::HandedOver.step(BackOfficeAcknowledged), Step::Again);
        assert!(
            !Outbound::Queued.is_terminal()
                && Outbound::Delivered.is_terminal()
                && Outbound::Rejected.is_terminal()
        );
        assert!(!Inbound::Received.is_terminal() && Inbound::HandedOver.is_terminal());
    }
}
