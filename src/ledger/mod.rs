//! The ledger's mathematics and texts: Merkle tree (RFC 6962), proofs, signed notes, checkpoints and receipts' proofs
//! (C2SP).
//!
//! Invariant: pure. Nothing here reads or writes, knows the time, or draws randomness; a signature is an argument.
//! Every parser accepts exactly the texts that its encoder writes.

pub mod checkpoint;
pub mod cosignature;
pub mod note;
pub mod proof;
pub mod stored;
pub mod tiles;
pub mod tlog_proof;
pub mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::Cosigner;
pub use note::{Note, NoteError, Vkey};
pub use proof::{Nodes, ProofError, ProveError};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use tree::{Frontier, leaf_hash, node_hash};

use base64::engine::{Engine as _, general_purpose::STANDARD};

/// Greatest number of leaves a tree may have: 2^56. Every computation on positions then fits in 64 bits with room.
pub const LEAVES_MAX: u64 = 1 << 56;

/// Standard base64 with padding (RFC 4648 §4).
fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// One text per value: other alphabets, missing padding and non-zero trailing bits are refused.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// ASCII decimal without sign and leading zeros, as all C2SP texts write numbers.
fn from_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
pub(crate) mod testing;
