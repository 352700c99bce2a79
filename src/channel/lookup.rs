//! The names events are found by. A fingerprint of a name may collide; the event confirms.

/// A name that an event is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A message of either direction, by its identity: its `Sealed`, `Received` or `Rejected` event.
    Message([u8; 16]),
    /// The `Sealed` event of a sequence.
    Sealed(u64),
    /// The `Received` or `Rejected` event of a sequence.
    Consumed(u64),
    /// The `Acknowledged` event of a sequence.
    Acknowledged(u64),
    /// The `Equivocation` event of a sequence.
    Equivocation(u64),
    /// The `HandedOver` event that names a message's ledger index.
    HandedOver(u64),
}

impl Lookup {
    /// The name's bytes: a letter for its kind, then the value.
    pub fn name(&self) -> Vec<u8> {
        let (kind, value): (u8, &[u8]) = match self {
            Self::Message(id) => (b'm', id),
            Self::Sealed(sequence) => (b's', &sequence.to_be_bytes()),
            Self::Consumed(sequence) => (b'c', &sequence.to_be_bytes()),
            Self::Acknowledged(sequence) => (b'a', &sequence.to_be_bytes()),
            Self::Equivocation(sequence) => (b'e', &sequence.to_be_bytes()),
            Self::HandedOver(leaf) => (b'h', &leaf.to_be_bytes()),
        };
        [&[kind], value].concat()
    }
}
