//! A ledger as its Party hands it out: the static files of C2SP tlog-tiles, read and computed again.

use crate::crypto::digest::Digest;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::tiles::{TILE_WIDTH, Tile};
use crate::ledger::tree::{Frontier, leaf_hash};
use crate::ledger::{Checkpoint, CheckpointError, NoteError};

/// Most leaves that are read.
const LEAVES_MAX: u64 = 1 << 26;

/// A ledger that was handed out.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The Party that its origin names.
    pub party: String,
    /// Its signed checkpoint.
    pub checkpoint: Checkpoint,
    /// Fingerprint of the key that signed it.
    pub key: Digest,
    /// Whether the leaves lead to the root that was signed.
    pub is_whole: bool,
    leaves: Vec<Digest>,
}

/// Why files are no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportFault {
    /// A file is missing or malformed.
    #[error("{0} is missing or malformed")]
    File(String),
    /// The checkpoint does not hold.
    #[error("the checkpoint does not hold: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// More leaves than are read.
    #[error("the ledger has more events than can be read here")]
    TooLarge,
}

impl Exported {
    /// Reads the files, each by its path below the folder.
    ///
    /// # Errors
    /// [`ExportFault`]. That the leaves do not lead to the signed root is no error but a finding.
    pub fn read(mut file: impl FnMut(&str) -> Option<Vec<u8>>) -> Result<Self, ExportFault> {
        let mut text = |name: &str| file(name).and_then(|bytes| String::from_utf8(bytes).ok());
        let missing = |name: &str| ExportFault::File(name.to_owned());
        let vkey = text("vkey").ok_or_else(|| missing("vkey"))?;
        let vkey = Vkey::parse(vkey.trim_end()).map_err(|_| missing("vkey"))?;
        let note = text("checkpoint").ok_or_else(|| missing("checkpoint"))?;
        Note::parse(&note).map_err(|error: NoteError| ExportFault::Checkpoint(error.into()))?;
        let checkpoint = Checkpoint::verify(&note, &vkey)?;
        let party = checkpoint.origin.split('/').nth(3).ok_or_else(|| missing("checkpoint"))?.to_owned();
        if checkpoint.size > LEAVES_MAX {
            return Err(ExportFault::TooLarge);
        }
        let mut leaves = Vec::new();
        for index in 0..checkpoint.size.div_ceil(TILE_WIDTH) {
            let width = TILE_WIDTH.min(checkpoint.size - index * TILE_WIDTH);
            let path = Tile { level: None, index, width }.path();
            let bytes = file(&path).ok_or_else(|| missing(&path))?;
            leaves.extend(entries(&bytes, width).ok_or_else(|| missing(&path))?);
        }
        let mut exported =
            Self { party, checkpoint, key: Digest::of(vkey.public()), is_whole: false, leaves };
        exported.is_whole = exported.root_at(exported.checkpoint.size) == Some(exported.checkpoint.root);
        Ok(exported)
    }

    /// Hash of a leaf; `None` beyond the last.
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        self.leaves.get(usize::try_from(index).ok()?).copied()
    }

    /// The root of the first `size` leaves; `None` for more than there are.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        let leaves = self.leaves.get(..usize::try_from(size).ok()?)?;
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.append(*leaf, |_| ()));
        Some(frontier.root())
    }
}

/// The leaf hashes of a bundle of entries: each entry is a commitment of 32 bytes behind its length.
fn entries(bytes: &[u8], width: u64) -> Option<Vec<Digest>> {
    let entries = bytes.chunks(34).map(|entry| match entry.split_first_chunk::<2>() {
        Some((&[0, 32], commitment)) => Digest::from_slice(commitment).map(|it| leaf_hash(&it)),
        _ => None,
    });
    let leaves: Vec<Digest> = entries.collect::<Option<_>>()?;
    (leaves.len() as u64 == width).then_some(leaves)
}
