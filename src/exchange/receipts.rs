//! Receipts: proofs that an event of one ledger gives to the other Party, made; `channel::proof_check` checks them.

pub use crate::channel::proof_check::{CheckError, Checker};

use super::commit::Committed;
use super::deliver::Outcome;
use crate::store::{Store, StoreError};
use crate::wire::ledger::v1::Receipt;
use bytes::Bytes;

/// The receipt of an outcome, and the size of the ledger it leads to. Derived from the journal alone: always the same
/// bytes.
pub fn receipt(store: &Store, outcome: &Outcome) -> Result<(Receipt, u64), StoreError> {
    match outcome {
        Outcome::Fresh { leaf, event, salt, committed: Committed { head, note } } => {
            let salt = Bytes::copy_from_slice(salt);
            Ok((store.disclosure(*leaf, event.clone(), salt, head.size, note.to_string())?, head.size))
        }
        Outcome::Repeated { leaf } => store.disclose(*leaf),
    }
}
