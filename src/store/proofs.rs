//! Proofs about committed events, made from the journal alone.

use super::{Store, StoreError};
use crate::crypto::digest::Digest;
use crate::journal::reader::{CommitEnd, ReadError};
use crate::ledger::proof::{self, ProveError};
use crate::ledger::tlog_proof::TlogProof;
use crate::wire::ledger::v1::Receipt;
use bytes::Bytes;

impl Store {
    /// A committed event, disclosed at the commit that recorded it; with that commit's size. Always the same bytes.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn disclose(&self, leaf: u64) -> Result<(Receipt, u64), StoreError> {
        let CommitEnd { size, note, .. } = self.reader().commit_end(leaf)?;
        let opened = self.event(leaf)?;
        let (event, salt) = (opened.record.event.clone(), opened.record.salt.clone());
        Ok((self.disclosure(leaf, event, salt, size, note)?, size))
    }

    /// An event with the proof that the ledger of `size` leaves, whose signed checkpoint is given, contains it.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn disclosure(
        &self,
        leaf: u64,
        event: Bytes,
        salt: Bytes,
        size: u64,
        checkpoint: String,
    ) -> Result<Receipt, StoreError> {
        let hashes = proof::inclusion(self.reader(), leaf, size).map_err(unproven)?;
        let proof = TlogProof { extra: Vec::new(), index: leaf, hashes, checkpoint };
        Ok(Receipt { event, salt, tlog_proof: proof.encode() })
    }

    /// Proof that the ledger at `new` leaves extends itself at `old`; empty for `old` 0.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Bytes>, StoreError> {
        if old == 0 || old > new {
            return Ok(Vec::new());
        }
        let hashes = proof::consistency(self.reader(), old, new).map_err(unproven)?;
        Ok(hashes.iter().map(Digest::to_bytes).collect())
    }
}

fn unproven(error: ProveError<ReadError>) -> StoreError {
    match error {
        ProveError::Nodes(error) => StoreError::Read(error),
        _ => StoreError::Read(ReadError::Absent(0)),
    }
}
