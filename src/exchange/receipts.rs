//! Receipts: proofs that an event of one ledger gives to the other Party, made; `channel::proof_check` checks them.

pub use crate::channel::proof_check::{CheckError, Checker};

use super::commit::Committed;
use super::deliver::Outcome;
use crate::crypto::digest::Digest;
use crate::journal::reader::CommitEnd;
use crate::ledger::proof::{self, ProveError};
use crate::ledger::tlog_proof::TlogProof;
use crate::store::{Store, StoreError};
use crate::wire::ledger::v1::Receipt;
use bytes::Bytes;

/// The receipt of an outcome. Derived from the journal alone: always the same bytes.
pub fn receipt(store: &Store, outcome: &Outcome) -> Result<(Receipt, u64), StoreError> {
    match outcome {
        Outcome::Fresh { leaf, event, salt, committed: Committed { head, note } } => {
            let end = CommitEnd { size: head.size, root: head.root, note: note.to_string() };
            Ok((prove(store, *leaf, event.clone(), Bytes::copy_from_slice(salt), &end)?, end.size))
        }
        Outcome::Repeated { leaf } => {
            let end = store.reader().commit_end(*leaf)?;
            let opened = store.event(*leaf)?;
            Ok((
                prove(store, *leaf, opened.record.event.clone(), opened.record.salt.clone(), &end)?,
                end.size,
            ))
        }
    }
}

fn prove(
    store: &Store,
    leaf: u64,
    event: Bytes,
    salt: Bytes,
    end: &CommitEnd,
) -> Result<Receipt, StoreError> {
    let hashes = proof::inclusion(store.reader(), leaf, end.size).map_err(unproven)?;
    let proof = TlogProof { extra: Vec::new(), index: leaf, hashes, checkpoint: end.note.clone() };
    Ok(Receipt { event, salt, tlog_proof: proof.encode() })
}

/// Proof that the ledger at `new` leaves extends itself at `old`; empty for `old` 0.
pub fn consistency(store: &Store, old: u64, new: u64) -> Result<Vec<Bytes>, StoreError> {
    if old == 0 || old > new {
        return Ok(Vec::new());
    }
    let hashes = proof::consistency(store.reader(), old, new).map_err(unproven)?;
    Ok(hashes.iter().map(Digest::to_bytes).collect())
}

fn unproven(error: ProveError<crate::journal::reader::ReadError>) -> StoreError {
    match error {
        ProveError::Nodes(error) => StoreError::Read(error),
        _ => StoreError::Read(crate::journal::reader::ReadError::Absent(0)),
    }
}
