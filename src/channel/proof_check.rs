//! What the other Party proves with its ledger, checked.

use super::receipt::{ReceiptError, Receipted, SentEnvelope, read_event};
use crate::crypto::digest::{Digest, commitment};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::note::{NoteError, Vkey};
use crate::ledger::proof::{self, ProofError};
use crate::ledger::tlog_proof::{TlogProof, TlogProofError};
use crate::ledger::tree::leaf_hash;
use crate::wire::ledger::v1::{Event, Receipt};
use bytes::Bytes;
use prost::Message as _;

/// Why the other Party's proof is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The checkpoint is not the other Party's.
    #[error("the checkpoint is not accepted: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The proof's text is malformed.
    #[error("the proof is malformed: {0}")]
    Proof(#[from] TlogProofError),
    /// The event is not in the ledger.
    #[error("the ledger does not contain the event: {0}")]
    Inclusion(ProofError),
    /// The ledger does not extend the one accepted before.
    #[error("the ledger does not extend the one accepted before: {0}")]
    Consistency(ProofError),
    /// The receipt is for something else.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl CheckError {
    /// Stable reason code.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Checkpoint(_) => "PEER_CHECKPOINT_INVALID",
            Self::Proof(_) | Self::Inclusion(_) => "RECEIPT_PROOF_INVALID",
            Self::Consistency(_) => "PEER_LEDGER_INCONSISTENT",
            Self::Receipt(_) => "RECEIPT_MISMATCH",
        }
    }
}

/// An event that a ledger of one of these keys contains, as its disclosure proves; and its index there.
///
/// # Errors
/// [`CheckError`].
pub fn disclosed(disclosed: &Receipt, vkeys: &[Vkey]) -> Result<(Event, u64), CheckError> {
    let event = Event::decode(disclosed.event.clone()).map_err(|_| ReceiptError::Undecodable)?;
    let salt: &[u8; 32] = disclosed.salt.as_ref().try_into().map_err(|_| ReceiptError::Undecodable)?;
    let leaf = leaf_hash(&commitment(salt, &disclosed.event));
    let proof = TlogProof::parse(&disclosed.tlog_proof)?;
    let proven = vkeys.iter().map(|vkey| proof.verify(&leaf, vkey)).reduce(Result::or);
    proven.unwrap_or(Err(TlogProofError::Checkpoint(NoteError::Unsigned.into())))?;
    Ok((event, proof.index))
}

/// Checks what the other Party proves with its ledger. Remembers the last checkpoint whose signature it verified:
/// the receipts of one commit share it.
#[derive(Debug)]
pub struct Checker {
    keys: Vec<Vkey>,
    retired: Vec<Vkey>,
    verified: Option<(String, Checkpoint)>,
}

impl Checker {
    /// Checks with the other Party's ledger keys; receipts may also be of those it has retired since.
    pub fn new(keys: Vec<Vkey>, retired: Vec<Vkey>) -> Self {
        Self { keys, retired, verified: None }
    }

    /// A signed checkpoint of the other Party, of its ledger as it is now.
    pub fn checkpoint(&mut self, note: &str) -> Result<Checkpoint, CheckError> {
        self.signed(note, false)
    }

    fn signed(&mut self, note: &str, retired: bool) -> Result<Checkpoint, CheckError> {
        if let Some((text, checkpoint)) = &self.verified
            && text == note
        {
            return Ok(checkpoint.clone());
        }
        let allowed: &[Vkey] = if retired { &self.retired } else { &[] };
        let current = self.keys.iter().map(|key| (key, true));
        for (key, is_current) in current.chain(allowed.iter().map(|key| (key, false))) {
            match Checkpoint::verify(note, key) {
                Err(CheckpointError::Note(NoteError::Unsigned)) => {}
                Err(error) => return Err(error.into()),
                Ok(checkpoint) => {
                    // What a retired key signed is no checkpoint of now.
                    if is_current {
                        self.verified = Some((note.to_owned(), checkpoint.clone()));
                    }
                    return Ok(checkpoint);
                }
            }
        }
        Err(CheckpointError::Note(NoteError::Unsigned).into())
    }

    /// A receipt for an envelope, and the checkpoint it leads to.
    pub fn receipt(
        &mut self,
        receipt: &Receipt,
        sent: &SentEnvelope,
    ) -> Result<(Receipted, Checkpoint), CheckError> {
        let receipted = read_event(&receipt.event, sent)?;
        let salt: &[u8; 32] = receipt.salt.as_ref().try_into().map_err(|_| ReceiptError::Undecodable)?;
        let proof = TlogProof::parse(&receipt.tlog_proof)?;
        let checkpoint = self.signed(&proof.checkpoint, true)?;
        let leaf = leaf_hash(&commitment(salt, &receipt.event));
        proof::verify_inclusion(&leaf, proof.index, checkpoint.size, &proof.hashes, &checkpoint.root)
            .map_err(CheckError::Inclusion)?;
        Ok((receipted, checkpoint))
    }

    /// Whether a ledger extends the one accepted before.
    pub fn extends(
        &self,
        size: u64,
        root: &Digest,
        newer: &Checkpoint,
        hashes: &[Bytes],
    ) -> Result<(), CheckError> {
        if size == 0 {
            return Ok(());
        }
        let hashes: Option<Vec<Digest>> = hashes.iter().map(|hash| Digest::from_slice(hash)).collect();
        let hashes = hashes.ok_or(CheckError::Receipt(ReceiptError::Undecodable))?;
        proof::verify_consistency(size, root, newer.size, &newer.root, &hashes)
            .map_err(CheckError::Consistency)
    }
}
