//! What is in force between the Parties: dates, designated officials, directives, holds (Articles 6.1, 11 and 12).
//!
//! A fold over few of the events: statements of designations and accords, and orders of two persons. It is read from the
//! journal at every start by their look-up names, and grows with what is in force, not with history.
//!
//! Reading order: this file the fold · [`judge`] what follows for a message, [`abroad`] for those
//! it would send · [`alerts`] what is accepted and told · [`heads`] whose signatures count · [`rebuild`]
//! reading it from the journal.

mod abroad;
mod alerts;
mod heads;
mod judge;
mod rebuild;
#[cfg(test)]
mod tests;

pub use alerts::{Alerts, deficiency};
pub use heads::Heads;

use crate::channel::lookup::is_settings_kind;
use crate::channel::terms::Terms;
use crate::treaty::accords::Accords;
use crate::treaty::calendar::Dates;
use crate::treaty::designations::Designations;
use crate::wire::assistance::v1::Effect;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::order::Action;
use crate::wire::ledger::v1::{Order, RejectionReason, TreatyDates, event::Fact};
use bytes::Bytes;
use jiff::civil::Date;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};

/// Orders that may wait for their second person at a time.
pub const PENDING_ORDERS_MAX: usize = 100;

/// What is in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Agreement {
    own: Designations,
    peer: Designations,
    accords: Accords,
    dates: Dates,
    /// The order that recorded the dates.
    dates_order: Option<[u8; 16]>,
    held: bool,
    pending: BTreeMap<[u8; 16], Pending>,
    /// Places, in this Party's chain, of statements that the other Party may still reject.
    unreceipted: BTreeSet<u64>,
    outdated: bool,
}

/// An order that waits for its second person.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Who proposed it.
    pub official: String,
    /// What is to be done.
    pub order: Order,
}

impl Agreement {
    /// Whether an event changes anything here.
    pub(super) fn hears(&self, fact: &Fact, envelope: Option<&Envelope>) -> bool {
        match fact {
            Fact::Sealed(_) | Fact::Received(_) => envelope.is_some_and(is_settings_kind),
            Fact::Acknowledged(it) => self.unreceipted.contains(&it.sequence),
            Fact::Restored(_) | Fact::PeerRestored(_) | Fact::OrderProposed(_) | Fact::OrderDecided(_) => {
                true
            }
            _ => false,
        }
    }

    /// Folds an event in. `effect` and `head_signed` are those of its record.
    pub(super) fn learn(
        &mut self,
        terms: &Terms,
        fact: &Fact,
        envelope: Option<&Envelope>,
        effect: &Bytes,
        head_signed: bool,
    ) {
        match fact {
            Fact::Sealed(sealed) => {
                if let Some(envelope) = envelope.filter(|it| is_settings_kind(it)) {
                    self.unreceipted.insert(sealed.sequence);
                    self.state(terms, envelope, effect, head_signed);
                }
            }
            Fact::Received(_) => {
                if let Some(envelope) = envelope.filter(|it| is_settings_kind(it)) {
                    self.state(terms, envelope, effect, head_signed);
                }
            }
            // Both folds leave a rejected message out: what it had changed here is taken back by reading anew.
            Fact::Acknowledged(it) => {
                let settings = self.unreceipted.remove(&it.sequence);
                self.outdated |= settings && it.rejection() != RejectionReason::Unspecified;
            }
            // Chains are set back: what stood behind the place is not theirs any more.
            Fact::Restored(_) => self.outdated = true,
            Fact::PeerRestored(it) => self.outdated |= it.revoked,
            Fact::OrderProposed(it) => {
                if let (Ok(id), Some(order)) = (it.order_id.as_ref().try_into(), it.order.clone()) {
                    self.pending.insert(id, Pending { official: it.official.clone(), order });
                }
            }
            Fact::OrderDecided(it) => {
                let Ok(id) = it.order_id.as_ref().try_into() else { return };
                let decided = self.pending.remove(&id);
                if let Some(pending) = decided.filter(|_| it.approved) {
                    self.carry_out(id, pending.order.action);
                }
            }
            _ => {}
        }
    }

    /// A statement of officials or of an accord. Without the signatures that it needs it changes nothing.
    fn state(&mut self, terms: &Terms, envelope: &Envelope, effect: &Bytes, head_signed: bool) {
        let effect = Effect::decode(effect.clone()).unwrap_or_default();
        let of_kind = u32::try_from(effect.kind) == Ok(envelope.kind);
        match effect.detail {
            Some(Detail::Designation(list)) if of_kind && head_signed => {
                let side = if envelope.sender == terms.party { &mut self.own } else { &mut self.peer };
                side.take(&list);
            }
            Some(Detail::Accord(accord)) if of_kind && head_signed => self.accords.take(&accord),
            _ => {}
        }
    }

    fn carry_out(&mut self, id: [u8; 16], action: Option<Action>) {
        match action {
            Some(Action::TreatyDates(dates)) => {
                self.dates = read_dates(&dates);
                self.dates_order = Some(id);
            }
            Some(Action::ReleaseHold(hold)) => self.held = hold.hold,
            // Recorded as approved; what follows is done elsewhere.
            Some(Action::DirectiveInstall(_) | Action::Erasure(_) | Action::BreakGlassRead(_)) | None => {}
        }
    }

    /// What it was made of is no longer as it was: it is to be read anew.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// The dates of the agreement.
    pub fn dates(&self) -> &Dates {
        &self.dates
    }

    /// The order that recorded the dates.
    pub fn dates_order(&self) -> Option<[u8; 16]> {
        self.dates_order
    }

    /// Releases to the other Party are held.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// This Party's officials.
    pub fn own(&self) -> &Designations {
        &self.own
    }

    /// The other Party's officials.
    pub fn peer(&self) -> &Designations {
        &self.peer
    }

    /// What both heads agreed.
    pub fn accords(&self) -> &Accords {
        &self.accords
    }

    /// Orders that wait for their second person.
    pub fn pending(&self) -> &BTreeMap<[u8; 16], Pending> {
        &self.pending
    }
}

/// Days that cannot be read were never recorded here; they count as absent.
fn read_dates(it: &TreatyDates) -> Dates {
    let day = |text: &str| text.parse::<Date>().ok();
    Dates {
        notified_on: day(&it.notified_on),
        terminated_on: day(&it.terminated_on),
        no_review: [day(&it.own_no_review_on), day(&it.peer_no_review_on)],
        second_of_day: it.second_of_day,
    }
}
