//! What is in force, read from the journal.

use super::Agreement;
use crate::channel::lookup::{Lookup, SETTINGS_KINDS};
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::store::{OpenedEvent, Store, StoreError};
use crate::wire::ledger::v1::{RejectionReason, event::Fact};
use std::collections::BTreeSet;

impl Agreement {
    /// Reads what is in force after everything that is durable: statements that stand in their chains and were not
    /// rejected, and orders, each in its place in the ledger.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(store: &Store, state: &State, terms: &Terms) -> Result<Self, StoreError> {
        let mut leaves = BTreeSet::new();
        for lookup in SETTINGS_KINDS.map(Lookup::Kind).into_iter().chain([Lookup::Orders]) {
            leaves.extend(store.named(&lookup)?);
        }
        let mut agreement = Self::default();
        for leaf in leaves {
            let opened = store.event(leaf)?;
            let Some(fact) = opened.event.fact.as_ref().filter(|fact| concerns(fact)) else { continue };
            if stands(store, state, &opened)? {
                let (record, envelope) = (&opened.record, opened.envelope.as_deref());
                agreement.learn(terms, fact, envelope, &record.effect, record.head_signed);
            }
        }
        agreement.unreceipted.retain(|sequence| *sequence > state.acknowledged());
        Ok(agreement)
    }
}

/// A fingerprint may collide: only these events were looked for.
fn concerns(fact: &Fact) -> bool {
    matches!(fact, Fact::Sealed(_) | Fact::Received(_) | Fact::OrderProposed(_) | Fact::OrderDecided(_))
}

/// Whether a statement is part of its chain: not given up by a restore, not rejected by the other Party. Orders always are.
fn stands(store: &Store, state: &State, opened: &OpenedEvent) -> Result<bool, StoreError> {
    let (sequence, end, lookup) = match &opened.event.fact {
        Some(Fact::Sealed(it)) => (it.sequence, state.sealed().sequence, Lookup::Sealed(it.sequence)),
        Some(Fact::Received(it)) => (it.sequence, state.consumed().sequence, Lookup::Consumed(it.sequence)),
        _ => return Ok(true),
    };
    let valid = store.find(&lookup)?;
    if sequence > end || valid.is_none_or(|valid| valid.leaf != opened.leaf) {
        return Ok(false);
    }
    let sent = matches!(opened.event.fact, Some(Fact::Sealed(_)));
    if !sent || sequence > state.acknowledged() {
        return Ok(true);
    }
    let receipt = store.find(&Lookup::Acknowledged(sequence))?;
    Ok(receipt.is_none_or(|found| match &found.event.fact {
        Some(Fact::Acknowledged(it)) => it.rejection() == RejectionReason::Unspecified,
        _ => true,
    }))
}
