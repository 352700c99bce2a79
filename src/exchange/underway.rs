//! What was decided and is perhaps not durable yet: look-ups in the journal do not see it.

use crate::channel::lookup::Lookup;
use crate::journal::reader::{ReadError, Reader};
use crate::store::name_fingerprint;
use std::collections::HashMap;

/// Messages and cases on their way, by the ledger index of the last event about each.
#[derive(Debug, Default)]
pub(super) struct Underway {
    messages: HashMap<[u8; 16], u64>,
    cases: HashMap<[u8; 16], u64>,
    /// Ledger index of the last rejection of an own message: it takes that message out of its case. Kept for good, since
    /// no look-up of a case finds it.
    rejected_at: Option<u64>,
}

impl Underway {
    /// A message has its place.
    pub(super) fn message(&mut self, id: [u8; 16], leaf: u64) {
        self.messages.insert(id, leaf);
    }

    /// Whether a message has its place, and look-ups may not see it.
    pub(super) fn holds_message(&self, id: &[u8; 16]) -> bool {
        self.messages.contains_key(id)
    }

    /// A message of a case has its place.
    pub(super) fn case(&mut self, id: [u8; 16], leaf: u64) {
        self.cases.insert(id, leaf);
    }

    /// An own message was rejected: every case may have moved.
    pub(super) fn rejection(&mut self, leaf: u64) {
        self.rejected_at = Some(leaf);
    }

    /// Whether a message of a case was recorded from a ledger index on, or one may have been taken out of it.
    pub(super) fn has_moved(&self, reader: &Reader, case: &[u8; 16], from: u64) -> Result<bool, ReadError> {
        let known = [self.rejected_at, self.cases.get(case).copied()];
        if known.into_iter().flatten().any(|leaf| leaf >= from) {
            return Ok(true);
        }
        let fingerprint = name_fingerprint(&Lookup::Case(*case));
        Ok(reader.find_newest(fingerprint, from)?.is_some())
    }

    /// Look-ups see everything before a ledger index.
    pub(super) fn forget_before(&mut self, durable: u64) {
        self.messages.retain(|_, leaf| *leaf >= durable);
        self.cases.retain(|_, leaf| *leaf >= durable);
    }
}
