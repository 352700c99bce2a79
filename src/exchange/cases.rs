//! The messages of a case, read from the journal and folded (Articles 3 to 9 and 11).
//!
//! The case is read from the journal, never from the index: whether a message still fits must not be wrong.

use crate::channel::lookup::{Lookup, case_id, message_id};
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::store::{OpenedEvent, Store, StoreError};
use crate::treaty::case::{Act, Case, Entry, Party};
use crate::wire::assistance::v1::Effect;
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{RejectionReason, event::Fact};
use prost::Message as _;
use prost_types::Timestamp;
use std::collections::BTreeSet;

/// A case with what is known of each of its messages.
#[derive(Debug, Clone, Default)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Its messages, in the order in which they were recorded here; the steps of the case name them by their place.
    pub entries: Vec<Entry>,
    /// Beside each entry, what the fold does not need.
    pub filed: Vec<Filed>,
}

/// A message of a case, as it is recorded here.
#[derive(Debug, Clone)]
pub struct Filed {
    /// Its ledger index.
    pub leaf: u64,
    /// Its identity.
    pub message_id: [u8; 16],
    /// This Party's own.
    pub sent: bool,
    /// When its sender sealed it, by the sender's clock.
    pub signed_at: Timestamp,
    /// When it was recorded here.
    pub recorded_at: Timestamp,
    /// The official who acts.
    pub acting_official: String,
}

impl CaseFile {
    /// Reads a case as it is after everything that is durable. Messages that the other Party rejected, and what a restore
    /// gave up, are no part of it.
    pub fn read(store: &Store, state: &State, case: [u8; 16]) -> Result<Self, StoreError> {
        Self::read_before(store, state, case, u64::MAX)
    }

    /// The same, of what was recorded before a ledger index.
    pub fn read_before(
        store: &Store,
        state: &State,
        case: [u8; 16],
        before: u64,
    ) -> Result<Self, StoreError> {
        let mut file = Self::default();
        let mut known = BTreeSet::new();
        // The newest of what has the same place in a chain is the valid one.
        for leaf in store.named(&Lookup::Case(case))?.into_iter().filter(|leaf| *leaf < before) {
            let opened = store.event(leaf)?;
            let of_case = opened.envelope.as_deref().and_then(case_id) == Some(case);
            let Some((entry, filed)) = of_case.then(|| entry(&opened)).flatten() else { continue };
            if known.insert((filed.sent, entry.sequence)) && stands(store, state, &entry, &filed)? {
                file.entries.push(entry);
                file.filed.push(filed);
            }
        }
        file.entries.reverse();
        file.filed.reverse();
        file.case = Case::fold(&file.entries);
        Ok(file)
    }

    /// The ledger index of the message that opened the case.
    pub fn first_leaf(&self) -> Option<u64> {
        self.filed.first().map(|filed| filed.leaf)
    }

    /// The entry that a message sealed next would be: it has seen everything here.
    pub fn next(&self, terms: &Terms, state: &State, effect: Effect) -> Option<Entry> {
        Some(Entry {
            sender: Party::from_code(&terms.party)?,
            recipient: Party::from_code(&terms.counterparty)?,
            sequence: state.sealed().sequence.saturating_add(1),
            peer_sequence_seen: state.consumed().sequence,
            envelope: Digest::of(&[]),
            effect,
        })
    }

    /// What became of the message recorded at a ledger index.
    pub fn step_of(&self, leaf: u64) -> Option<crate::treaty::case::Step> {
        let at = self.filed.iter().position(|filed| filed.leaf == leaf)?;
        self.case.steps().iter().find(|step| step.entry == at).copied()
    }

    /// The case as it was where a message stands in the fold: everything before it, in the order of the fold.
    pub fn before(&self, leaf: u64) -> Case {
        let mut entries = Vec::new();
        for step in self.case.steps() {
            if self.filed.get(step.entry).is_some_and(|filed| filed.leaf == leaf) {
                break;
            }
            entries.extend(self.entries.get(step.entry).cloned());
        }
        Case::fold(&entries)
    }
}

/// Whether a message can move its case, or owe anything in it.
pub fn touches_case(effect: &Effect) -> bool {
    !matches!(
        Act::of(effect),
        Some(Act::Consultation | Act::Accord | Act::Designation | Act::Confidentiality | Act::Spontaneous)
    )
}

/// The effect recorded with a message. One that cannot be read has none but its kind's.
pub fn effect_of(opened: &OpenedEvent, envelope: &Envelope) -> Effect {
    let kind = i32::try_from(envelope.kind).unwrap_or(0);
    match Effect::decode(opened.record.effect.clone()) {
        Ok(effect) if effect.kind != 0 => effect,
        _ => Effect { kind, ..Effect::default() },
    }
}

fn entry(opened: &OpenedEvent) -> Option<(Entry, Filed)> {
    let envelope = opened.envelope.as_deref()?;
    let sent = match opened.event.fact {
        Some(Fact::Sealed(_)) => true,
        Some(Fact::Received(_)) => false,
        _ => return None,
    };
    let entry = Entry {
        sender: Party::from_code(&envelope.sender)?,
        recipient: Party::from_code(&envelope.recipient)?,
        sequence: envelope.sequence,
        peer_sequence_seen: envelope.peer_sequence_seen,
        envelope: Digest::of(&opened.record.envelope),
        effect: effect_of(opened, envelope),
    };
    let filed = Filed {
        leaf: opened.leaf,
        message_id: message_id(envelope)?,
        sent,
        signed_at: envelope.signed_at.unwrap_or_default(),
        recorded_at: opened.event.recorded_at.unwrap_or_default(),
        acting_official: envelope.acting_official.clone(),
    };
    Some((entry, filed))
}

/// Whether a message is part of its case: not rejected by the other Party, and not given up by a restore.
fn stands(store: &Store, state: &State, entry: &Entry, filed: &Filed) -> Result<bool, StoreError> {
    if !filed.sent {
        return Ok(true);
    }
    if state.epoch() > 1 {
        let valid = store.find(&Lookup::Sealed(entry.sequence))?;
        if entry.sequence > state.sealed().sequence || valid.is_none_or(|valid| valid.leaf != filed.leaf) {
            return Ok(false);
        }
    }
    if entry.sequence > state.acknowledged() {
        return Ok(true);
    }
    let acknowledged = store.find(&Lookup::Acknowledged(entry.sequence))?;
    let rejected = acknowledged.is_some_and(|found| match &found.event.fact {
        Some(Fact::Acknowledged(event)) => event.rejection() != RejectionReason::Unspecified,
        _ => false,
    });
    Ok(!rejected)
}
