//! Cases read lately, folded: a long case is opened message by message once, not at each look at it.

use super::cases::{CaseFile, rejected};
use crate::channel::lookup::Lookup;
use crate::channel::state::State;
use crate::store::{Store, StoreError};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Most cases kept.
const CASES_MAX: usize = 64;
/// Messages of all cases kept together from which on the longest unused are given up.
const MESSAGES_MAX: usize = 100_000;

/// Reads cases, and keeps those read lately.
#[derive(Debug)]
pub struct Cases {
    store: Store,
    /// The one used last at the end.
    kept: Mutex<VecDeque<Arc<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    case: [u8; 16],
    /// Ledger indexes of the events that the case's name finds, the newest first.
    named: Vec<u64>,
    epoch: u32,
    /// Sequences of own messages that had no receipt yet: a rejection takes them out.
    open: Vec<u64>,
    file: Arc<CaseFile>,
}

impl Cases {
    /// Over a store.
    pub fn new(store: Store) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// A case as it is after everything that is durable.
    pub fn read(&self, state: &State, case: [u8; 16]) -> Result<Arc<CaseFile>, StoreError> {
        let named = self.store.named(&Lookup::Case(case))?;
        let (file, named) = match self.take(&case) {
            Some(kept) if self.still_holds(&kept, state, &named)? => {
                if kept.named.len() == named.len() && kept.open.is_empty() {
                    let file = kept.file.clone();
                    self.keep(kept);
                    return Ok(file);
                }
                let newer = named.get(..named.len() - kept.named.len()).unwrap_or_default();
                let file =
                    if newer.is_empty() { kept.file.clone() } else { self.extended(&kept, state, newer)? };
                (file, named)
            }
            _ => (Arc::new(CaseFile::read(&self.store, state, case)?), named),
        };
        let unsettled = file.entries.iter().zip(&file.filed);
        let unsettled =
            unsettled.filter(|(entry, filed)| filed.sent && entry.sequence > state.acknowledged());
        let open = unsettled.map(|(entry, _)| entry.sequence).collect();
        self.keep(Arc::new(Kept { case, named, epoch: state.epoch(), open, file: file.clone() }));
        Ok(file)
    }

    /// Whether what is kept is what would be read now, up to its newest message. A restore can give messages up: in later
    /// epochs every look reads anew.
    fn still_holds(&self, kept: &Kept, state: &State, named: &[u64]) -> Result<bool, StoreError> {
        if kept.epoch != state.epoch() || state.epoch() > 1 || !named.ends_with(&kept.named) {
            return Ok(false);
        }
        for sequence in kept.open.iter().filter(|sequence| **sequence <= state.acknowledged()) {
            if rejected(&self.store, *sequence, u64::MAX)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn extended(&self, kept: &Kept, state: &State, newer: &[u64]) -> Result<Arc<CaseFile>, StoreError> {
        let mut file = CaseFile::clone(&kept.file);
        for leaf in newer.iter().rev() {
            file.add(&self.store, state, kept.case, *leaf)?;
        }
        file.fold();
        Ok(Arc::new(file))
    }

    fn take(&self, case: &[u8; 16]) -> Option<Arc<Kept>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.case == *case).cloned()
    }

    fn keep(&self, newest: Arc<Kept>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.case != newest.case);
        kept.push_back(newest);
        let messages = |kept: &VecDeque<Arc<Kept>>| kept.iter().map(|kept| kept.named.len()).sum::<usize>();
        // The one used last stays, however long it is: it is the one that is looked at.
        while kept.len() > 1 && (kept.len() > CASES_MAX || messages(&kept) > MESSAGES_MAX) {
            kept.pop_front();
        }
    }
}
