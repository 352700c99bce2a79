//! Offline verification: whether a store is what its daemon wrote, to the last byte. Needs no daemon, writes nothing.
//!
//! Reading order: [`report`] what is found · [`opening`] whose store it is · [`files`] everything beside the segments · [`scan`] frames out of
//! bytes · [`walk`] segment after segment · [`batch`], [`tree`] events against their checkpoints · [`ends`] how segments end · [`footer`] what a closed
//! segment says of itself · [`content`] what needs the store's keys · [`signatures`] signatures and receipts,
//! [`crew`] on all cores · [`contradiction`] proof that a Party contradicted itself, which needs no store · [`bundle`] everything that proves one
//! message · [`exported`] a ledger as its Party hands it out · [`dispute`] two Parties' claims, judged ·
//! [`statement`] what a ledger says of a period.
//!
//! Invariants:
//! * Damage ends nothing: whatever lies behind it and can still be read is checked.
//! * What is found first is named by ledger index; what merely follows from damage already found is not counted.
//! * Bytes behind the head that a crash may have left are noted, not counted as damage.

mod batch;
pub mod bundle;
mod content;
pub mod contradiction;
mod crew;
pub mod dispute;
mod ends;
pub mod exported;
mod files;
mod footer;
mod opening;
mod report;
mod scan;
mod signatures;
pub mod statement;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

pub use report::{Damage, Fault, LISTED_MAX, Report, VerifyError};

use crate::channel::terms::Terms;
use crate::crypto::aead::Key;
use crate::crypto::certificate::Certificate;
use crate::disk::Disk;
use std::path::PathBuf;
use std::sync::Arc;

/// The store to verify.
#[derive(Debug, Clone)]
pub struct Place {
    /// Folder of the store.
    pub data: PathBuf,
    /// The head file. Without it nobody can tell whether the end of the journal was cut off.
    pub head: Option<PathBuf>,
}

/// What the store is verified with. The more there is, the more is verified.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Ed25519 public keys of the store's ledger, first the one that it was founded with. Without them the key in the founding
    /// event is used, which the store itself says. Keys that were introduced since are taken from the ledger where its
    /// content opens.
    pub ledger_keys: Vec<[u8; 32]>,
    /// What opens the records, and whose signatures are expected in them.
    pub keys: Option<Keys>,
}

/// What opens the records, and whose signatures are expected in them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Who talks to whom.
    pub terms: Terms,
    /// The store's key-encryption key.
    pub store_key: Key,
    /// Certificates of the keys that signed this Party's envelopes.
    pub own_certificates: Vec<Certificate>,
    /// Certificates of the keys that signed the other Party's envelopes.
    pub peer_certificates: Vec<Certificate>,
    /// Ed25519 public keys of the other Party's ledger; those it introduced are taken from the ledger.
    pub peer_ledger_keys: Vec<[u8; 32]>,
}

/// Verifies a store that no daemon is writing: stop the daemon or verify a copy.
///
/// # Errors
///
/// [`VerifyError`] when nothing can be said: there is no store, a file cannot be read, or a key is not the store's.
/// Damage is no error: it is in the [`Report`].
pub fn verify(disk: &Arc<dyn Disk>, place: &Place, trust: &Trust) -> Result<Report, VerifyError> {
    walk::verify(disk, place, trust)
}
