//! Proof that one Party signed two statements of which only one can be true: a small file that needs nothing else.
//!
//! Format `article6/contradiction/1`, JSON in UTF-8; bytes are base64 (RFC 4648 §4):
//!
//! * `"kind": "fork"`: `ledger_key` (Ed25519 public key) and `notes`, two signed checkpoints (C2SP tlog-checkpoint) of one
//!   origin and size with two roots.
//! * `"kind": "retraction"`: `ledger_key` and `notes`, two checkpoints of one origin that the key cosigned under one name
//!   (C2SP tlog-cosignature): first the larger one, then a smaller one with a later time; each with this one signature. A
//!   cosignature says that no larger checkpoint was seen up to its time. Equal sizes are the ordinary heartbeat.
//! * `"kind": "equivocation"`: `certificate` (DER of the signing key's certificate) and `statements`, two envelopes of one
//!   sender, recipient, agreement, environment, epoch and sequence that differ, each with its CMS signature.
//!
//! What is proven is that the holder of the named key did it. Whose key it is the reader must know: by its fingerprint,
//! the SHA-256 of the Ed25519 public key or of the certificate's SubjectPublicKeyInfo.

mod equivocation;
mod retraction;

use crate::crypto::certificate::Certificate;
use crate::crypto::cms::CmsError;
use crate::crypto::digest::Digest;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::note::{Note, NoteError, Vkey};
use base64::engine::{Engine as _, general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// Greatest size of a file that is read, in bytes. One that is written has at most 4 KiB with names of usual length.
pub const PROOF_BYTES_MAX: usize = 64 << 10;
/// The format's name.
const FORMAT: &str = "article6/contradiction/1";

/// A proof, as its file tells it; nothing is verified.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proof {
    format: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum What {
    Fork { ledger_key: String, notes: [String; 2] },
    Retraction { ledger_key: String, notes: [String; 2] },
    Equivocation { certificate: String, statements: [Statement; 2] },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Statement {
    envelope: String,
    signature: String,
}

/// What a sound proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Fingerprint of the key that signed both.
    pub fingerprint: Digest,
    /// What was signed twice, in words.
    pub sentence: String,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// Too long, not JSON of this format, or with bytes that are not base64.
    #[error("not a proof in the format {FORMAT}")]
    Format,
    /// A checkpoint is malformed or not signed by the key.
    #[error("a checkpoint does not hold: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The key did not cosign both checkpoints under one name.
    #[error("the two checkpoints are not cosigned by the key under one name")]
    Uncosigned,
    /// A signature does not hold.
    #[error("a signature does not hold: {0}")]
    Signature(#[from] CmsError),
    /// The certificate cannot be read.
    #[error("the certificate cannot be read")]
    Certificate,
    /// Both statements can be true.
    #[error("the two statements do not contradict each other")]
    NoContradiction,
}

impl From<NoteError> for ProofFault {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

impl Proof {
    /// Two checkpoints that one ledger's key signed.
    pub fn fork(ledger_key: &[u8; 32], notes: [String; 2]) -> Self {
        let what = What::Fork { ledger_key: STANDARD.encode(ledger_key), notes };
        Self { format: FORMAT.to_owned(), what }
    }

    /// Two checkpoints that one key cosigned: the larger one, and the smaller one of later.
    pub fn retraction(ledger_key: &[u8; 32], notes: [String; 2]) -> Self {
        let notes = notes.map(|note| retraction::cosigned_alone(ledger_key, &note).unwrap_or(note));
        let what = What::Retraction { ledger_key: STANDARD.encode(ledger_key), notes };
        Self { format: FORMAT.to_owned(), what }
    }

    /// Two envelopes, each with its signature, and the certificate of the key that signed both.
    pub fn equivocation(certificate: &Certificate, statements: [(&[u8], &[u8]); 2]) -> Self {
        let statements = statements.map(|(envelope, signature)| Statement {
            envelope: STANDARD.encode(envelope),
            signature: STANDARD.encode(signature),
        });
        let what = What::Equivocation { certificate: STANDARD.encode(certificate.der()), statements };
        Self { format: FORMAT.to_owned(), what }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ProofFault::Format`].
    pub fn read(file: &[u8]) -> Result<Self, ProofFault> {
        if file.len() > PROOF_BYTES_MAX {
            return Err(ProofFault::Format);
        }
        let proof: Self = serde_json::from_slice(file).map_err(|_| ProofFault::Format)?;
        if proof.format == FORMAT { Ok(proof) } else { Err(ProofFault::Format) }
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Checks that both statements are signed by one key and that only one of them can be true.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(&self) -> Result<Proven, ProofFault> {
        match &self.what {
            What::Fork { ledger_key, notes } => verify_fork(key(ledger_key)?, notes),
            What::Retraction { ledger_key, notes } => retraction::verify(key(ledger_key)?, notes),
            What::Equivocation { certificate, statements } => equivocation::verify(certificate, statements),
        }
    }
}

fn verify_fork(key: [u8; 32], notes: &[String; 2]) -> Result<Proven, ProofFault> {
    let [one, other] = notes;
    let origin = Checkpoint::parse(Note::parse(one)?.text())?.origin;
    let vkey = Vkey::new(&origin, key)?;
    let (one, other) = (Checkpoint::verify(one, &vkey)?, Checkpoint::verify(other, &vkey)?);
    if one.size != other.size || one.root == other.root {
        return Err(ProofFault::NoContradiction);
    }
    let size = one.size;
    Ok(Proven {
        fingerprint: Digest::of(&key),
        sentence: format!(
            "The ledger {origin} was signed with two different contents of the same length, {size} events."
        ),
    })
}

fn key(base64: &str) -> Result<[u8; 32], ProofFault> {
    bytes(base64)?.try_into().map_err(|_| ProofFault::Format)
}

fn bytes(base64: &str) -> Result<Vec<u8>, ProofFault> {
    STANDARD.decode(base64).map_err(|_| ProofFault::Format)
}

#[cfg(test)]
mod tests;
