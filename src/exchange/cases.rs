//! The messages of a case, read from the journal and folded (Articles 3 to 9 and 11).
//!
//! The case is read from the journal, never from the index: whether a message still fits must not be wrong.

use crate::channel::lookup::{Lookup, case_id, message_id};
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::store::{OpenedEvent, Store, StoreError};
use crate::treaty::case::{self as treaty, Act, Case, Entry, Party};
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
            let Some((entry, filed)) = recorded(store, case, leaf)? else { continue };
            if known.insert((filed.sent, entry.sequence)) && stands(store, state, &entry, &filed, before)? {
                file.entries.push(entry);
                file.filed.push(filed);
            }
        }
        file.entries.reverse();
        file.filed.reverse();
        file.fold();
        Ok(file)
    }

    /// Adds the message recorded at a ledger index, the newest so far.
    pub(super) fn add(
        &mut self,
        store: &Store,
        state: &State,
        case: [u8; 16],
        leaf: u64,
    ) -> Result<(), StoreError> {
        if let Some((entry, filed)) = recorded(store, case, leaf)?
            && stands(store, state, &entry, &filed, u64::MAX)?
        {
            self.entries.push(entry);
            self.filed.push(filed);
        }
        Ok(())
    }

    /// Folds the messages anew.
    pub(super) fn fold(&mut self) {
        self.case = Case::fold(&self.entries);
    }

    /// The ledger index of the first request or oral note recorded here: by it the case is listed.
    pub fn opening_leaf(&self) -> Option<u64> {
        let opens = |entry: &Entry| matches!(Act::of(&entry.effect), Some(act) if act.opens());
        let mut filed = self.entries.iter().zip(&self.filed);
        filed.find(|(entry, _)| opens(entry)).map(|(_, filed)| filed.leaf)
    }

    /// SHA-256 over the messages of the case in the order of the fold: it changes with every message that arrives or leaves.
    pub fn digest(&self) -> Digest {
        let envelopes = self.case.steps().iter().filter_map(|step| self.entries.get(step.entry));
        let bytes: Vec<u8> = envelopes.flat_map(|entry| *entry.envelope.as_bytes()).collect();
        Digest::of(&bytes)
    }

    /// This Party, as the messages of the case show it.
    pub fn ours(&self) -> Option<Party> {
        let (entry, filed) = self.entries.first().zip(self.filed.first())?;
        Some(if filed.sent { entry.sender } else { entry.recipient })
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
    pub fn step_of(&self, leaf: u64) -> Option<treaty::Step> {
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

/// The lists that a case may stand on: what back offices ask for, and what the index keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Every case.
    All = 0,
    /// Cases that are not closed.
    Open = 1,
    /// Cases that wait for this Party.
    WaitsForUs = 2,
    /// Cases that wait for the other Party.
    WaitsForThem = 3,
    /// Cases in which this Party owes something.
    OwedByUs = 4,
    /// Cases in which the other Party owes something.
    OwedByThem = 5,
    /// Cases with a crossed message.
    Crossed = 6,
    /// Cases in this state, closed or not: 7 to 13.
    Submitted = 7,
    /// See above.
    Clarifying = 8,
    /// See above.
    Conditioned = 9,
    /// See above.
    Executing = 10,
    /// See above.
    Answered = 11,
    /// See above.
    NotExecuted = 12,
    /// See above.
    Withdrawn = 13,
    /// Cases that are closed.
    Closed = 14,
}

impl List {
    fn of_state(state: treaty::State) -> Self {
        match state {
            treaty::State::Submitted => Self::Submitted,
            treaty::State::Clarifying => Self::Clarifying,
            treaty::State::Conditioned => Self::Conditioned,
            treaty::State::Executing => Self::Executing,
            treaty::State::Answered => Self::Answered,
            treaty::State::NotExecuted => Self::NotExecuted,
            treaty::State::Withdrawn => Self::Withdrawn,
        }
    }
}

/// The lists that a case stands on, as bits; none before a request has opened it.
pub fn lists(case: &Case, ours: Party) -> u32 {
    let Some(state) = case.state() else { return 0 };
    let side = case.side(ours);
    let owed = |by| case.owed().any(|owed| owed.owner == by);
    let stands = [
        (List::All, true),
        (List::Open, !case.is_closed()),
        (List::Closed, case.is_closed()),
        (List::WaitsForUs, case.waits_for(side)),
        (List::WaitsForThem, case.waits_for(side.other())),
        (List::OwedByUs, owed(side)),
        (List::OwedByThem, owed(side.other())),
        (List::Crossed, case.steps().iter().any(|step| step.crossed.is_some())),
        (List::of_state(state), true),
    ];
    stands.into_iter().filter(|(_, stands)| *stands).map(|(list, _)| 1 << list as u32).sum()
}

/// Whether a message can move its case, owe anything in it, or change what may be done with what it holds.
pub fn touches_case(effect: &Effect) -> bool {
    !matches!(Act::of(effect), Some(Act::Consultation | Act::Accord | Act::Designation | Act::Spontaneous))
}

/// The effect recorded with a message. One that cannot be read has none but its kind's.
pub fn effect_of(opened: &OpenedEvent, envelope: &Envelope) -> Effect {
    let kind = i32::try_from(envelope.kind).unwrap_or(0);
    match Effect::decode(opened.record.effect.clone()) {
        Ok(effect) if effect.kind != 0 => effect,
        _ => Effect { kind, ..Effect::default() },
    }
}

/// Messages of a case up to which the feed tells what is revised: one that somebody floods is not folded for each of them.
pub const REVISED_MAX: usize = 512;

/// Ledger indexes of messages recorded before an event that are crossed because of it, or are so no longer.
pub fn revised_by(store: &Store, state: &State, opened: &OpenedEvent) -> Result<Vec<u64>, StoreError> {
    let sealed;
    let cause = match &opened.event.fact {
        Some(Fact::Received(_)) => opened,
        Some(Fact::Acknowledged(event)) if event.rejection() != RejectionReason::Unspecified => {
            match store.find(&Lookup::Sealed(event.sequence))? {
                Some(found) => sealed = found,
                None => return Ok(Vec::new()),
            }
            sealed.as_ref()
        }
        _ => return Ok(Vec::new()),
    };
    let Some(envelope) = cause.envelope.as_deref() else { return Ok(Vec::new()) };
    let case = case_id(envelope).filter(|_| touches_case(&effect_of(cause, envelope)));
    let Some(case) = case else { return Ok(Vec::new()) };
    if store.named(&Lookup::Case(case))?.len() > REVISED_MAX {
        return Ok(Vec::new());
    }
    let after = CaseFile::read_before(store, state, case, opened.leaf.saturating_add(1))?;
    // A case of one message has nothing that could change.
    if after.entries.len() < 2 {
        return Ok(Vec::new());
    }
    let before = CaseFile::read_before(store, state, case, opened.leaf)?;
    let crossed = |file: &CaseFile, leaf| file.step_of(leaf).map(|step| step.crossed.is_some());
    let leaves = before.filed.iter().map(|filed| filed.leaf);
    let changed = |leaf: &u64| {
        let now = crossed(&after, *leaf);
        now.is_some() && now != crossed(&before, *leaf)
    };
    Ok(leaves.filter(changed).collect())
}

/// The message of a case that is recorded at a ledger index; the name may have found another.
fn recorded(store: &Store, case: [u8; 16], leaf: u64) -> Result<Option<(Entry, Filed)>, StoreError> {
    let opened = store.event(leaf)?;
    let of_case = opened.envelope.as_deref().and_then(case_id) == Some(case);
    Ok(of_case.then(|| entry(&opened)).flatten())
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
fn stands(
    store: &Store,
    state: &State,
    entry: &Entry,
    filed: &Filed,
    before: u64,
) -> Result<bool, StoreError> {
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
    Ok(!rejected(store, entry.sequence, before)?)
}

/// Whether the other Party has rejected the message of a sequence, as far as was recorded before a ledger index.
pub(super) fn rejected(store: &Store, sequence: u64, before: u64) -> Result<bool, StoreError> {
    let acknowledged = store.find(&Lookup::Acknowledged(sequence))?;
    let rejected = acknowledged.is_some_and(|found| match &found.event.fact {
        Some(Fact::Acknowledged(event)) => {
            found.leaf < before && event.rejection() != RejectionReason::Unspecified
        }
        _ => false,
    });
    Ok(rejected)
}
