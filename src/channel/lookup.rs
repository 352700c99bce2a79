//! The names events are found by. A fingerprint of a name may collide; the event confirms.

use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{CustodyEvent, Effect};
use crate::wire::channel::v1::{Envelope, StatementType};
use crate::wire::ledger::v1::{Event, event::Fact};
use prost::Message as _;

/// Kinds of messages that are looked for by their kind: ACCORD and DESIGNATION_NOTICE, numbers of an
/// article6.assistance.v1.Kind. They are few, and what is in force is read from them at every start.
pub const SETTINGS_KINDS: [u32; 2] = [20, 21];
/// The kind CUSTODY_NOTICE.
const CUSTODY_KIND: u32 = 14;

/// A name that an event is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A message of either direction, by its identity: its `Sealed`, `Received` or `Rejected` event.
    Message([u8; 16]),
    /// A message of either direction, by its case: the `Sealed` and `Received` events of treaty statements.
    Case([u8; 16]),
    /// The `Sealed` event of a sequence.
    Sealed(u64),
    /// The `Received` or `Rejected` event of a sequence.
    Consumed(u64),
    /// The `Acknowledged` event of a sequence.
    Acknowledged(u64),
    /// The `Equivocation` event of a sequence.
    Equivocation(u64),
    /// The event that accepted the other Party's head of this size: its `Witnessed` event, or the `Acknowledged` event
    /// that holds its signed checkpoint.
    Accepted(u64),
    /// The newest `Cosigned` event.
    Cosigned,
    /// The `Overdue` event of a sequence.
    Overdue(u64),
    /// The newest `Restored` event that began an epoch.
    Restored,
    /// The newest `KeyIntroduced` event that tells of a key, by the SHA-256 of the key: the one that introduced it, or one
    /// that it signed the introduction of.
    Key([u8; 32]),
    /// The newest `DraftChanged` event of a draft.
    Draft([u8; 16]),
    /// The `HandedOver` event that names a message's ledger index.
    HandedOver(u64),
    /// A message of either direction, by its kind: the `Sealed` and `Received` events of [`SETTINGS_KINDS`].
    Kind(u32),
    /// An original that was sent, by the SHA-256 of its number: the `Sealed` or `Received` event of the custody notice.
    Original([u8; 32]),
    /// An order, by its identity: its `OrderProposed` and `OrderDecided` events.
    Order([u8; 16]),
    /// Every event of an order.
    Orders,
}

impl Lookup {
    /// The name's bytes: a letter for its kind, then the value.
    pub fn name(&self) -> Vec<u8> {
        let (kind, value): (u8, &[u8]) = match self {
            Self::Message(id) => (b'm', id),
            Self::Case(id) => (b'd', id),
            Self::Sealed(sequence) => (b's', &sequence.to_be_bytes()),
            Self::Consumed(sequence) => (b'c', &sequence.to_be_bytes()),
            Self::Acknowledged(sequence) => (b'a', &sequence.to_be_bytes()),
            Self::Equivocation(sequence) => (b'e', &sequence.to_be_bytes()),
            Self::Accepted(size) => (b'w', &size.to_be_bytes()),
            Self::Cosigned => (b'k', &[]),
            Self::Restored => (b'r', &[]),
            Self::Overdue(sequence) => (b'o', &sequence.to_be_bytes()),
            Self::Key(id) => (b'i', id),
            Self::Draft(id) => (b'f', id),
            Self::HandedOver(leaf) => (b'h', &leaf.to_be_bytes()),
            Self::Kind(kind) => (b't', &kind.to_be_bytes()),
            Self::Original(item) => (b'l', item),
            Self::Order(id) => (b'p', id),
            Self::Orders => (b'q', &[]),
        };
        [&[kind], value].concat()
    }
}

/// The names an event is found by. `effect` is that of its record.
pub fn lookups(event: &Event, envelope: Option<&Envelope>, effect: &[u8]) -> Vec<Lookup> {
    let message = envelope.and_then(message_id).map(Lookup::Message);
    let by_sequence = match &event.fact {
        Some(Fact::Sealed(sealed)) => Lookup::Sealed(sealed.sequence),
        Some(Fact::Received(received)) => Lookup::Consumed(received.sequence),
        Some(Fact::Rejected(rejected)) => return vec![Lookup::Consumed(rejected.sequence)],
        Some(Fact::Acknowledged(acknowledged)) => {
            let names =
                [Lookup::Acknowledged(acknowledged.sequence), Lookup::Accepted(acknowledged.peer_size)];
            return names.to_vec();
        }
        Some(Fact::Cosigned(_)) => return vec![Lookup::Cosigned],
        Some(Fact::Restored(restored)) if !restored.complete => return vec![Lookup::Restored],
        Some(Fact::Overdue(overdue)) => return vec![Lookup::Overdue(overdue.sequence)],
        Some(Fact::KeyIntroduced(introduced)) => {
            let key = Digest::of(&introduced.key);
            let introducer = Certificate::from_der(&introduced.introducer).map(|it| it.key_id()).ok();
            return [Some(key), introducer].iter().flatten().map(|id| Lookup::Key(*id.as_bytes())).collect();
        }
        Some(Fact::DraftChanged(changed)) => {
            return changed.draft_id.as_ref().try_into().map(Lookup::Draft).into_iter().collect();
        }
        Some(Fact::Witnessed(witnessed)) => return vec![Lookup::Accepted(witnessed.size)],
        Some(Fact::Equivocation(equivocation)) => return vec![Lookup::Equivocation(equivocation.sequence)],
        Some(Fact::HandedOver(handed_over)) => {
            return handed_over.leaves.iter().copied().map(Lookup::HandedOver).collect();
        }
        Some(Fact::OrderProposed(it)) => return of_order(&it.order_id),
        Some(Fact::OrderDecided(it)) => return of_order(&it.order_id),
        _ => return Vec::new(),
    };
    let kind = envelope.filter(|it| is_settings_kind(it)).map(|it| Lookup::Kind(it.kind));
    let case = envelope.and_then(case_id).map(Lookup::Case);
    let custody = envelope.is_some_and(|it| it.kind == CUSTODY_KIND && case.is_some());
    let original = if custody { original(effect).map(Lookup::Original) } else { None };
    message.into_iter().chain(case).chain(kind).chain(original).chain([by_sequence]).collect()
}

/// The original that a message with this effect sends, by the SHA-256 of its number.
pub fn original(effect: &[u8]) -> Option<[u8; 32]> {
    match Effect::decode(effect).ok()?.detail? {
        Detail::Custody(it) if it.event() == CustodyEvent::Sent => it.item.as_ref().try_into().ok(),
        _ => None,
    }
}

fn of_order(id: &[u8]) -> Vec<Lookup> {
    id.try_into().map(Lookup::Order).into_iter().chain([Lookup::Orders]).collect()
}

/// Whether an envelope is of a message of [`SETTINGS_KINDS`].
pub fn is_settings_kind(envelope: &Envelope) -> bool {
    envelope.statement_type == i32::from(StatementType::Treaty) && SETTINGS_KINDS.contains(&envelope.kind)
}

/// The case of a message of the agreement.
pub fn case_id(envelope: &Envelope) -> Option<[u8; 16]> {
    let treaty = envelope.statement_type == i32::from(StatementType::Treaty);
    envelope.case_id.as_ref().try_into().ok().filter(|_| treaty)
}

/// The identity of an envelope's message.
pub fn message_id(envelope: &Envelope) -> Option<[u8; 16]> {
    envelope.message_id.as_ref().try_into().ok()
}
