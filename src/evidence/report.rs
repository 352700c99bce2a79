//! What verification finds.

use crate::channel::envelope::EnvelopeError;
use crate::channel::proof_check::CheckError;
use crate::channel::state::FoldError;
use crate::crypto::digest::Digest;
use crate::journal::frame::FrameError;
use crate::journal::segment::HeaderError;
use crate::ledger::checkpoint::CheckpointError;
use std::io;
use std::path::{Path, PathBuf};

/// Damages listed in a report; the others are counted.
pub const LISTED_MAX: usize = 20;

/// What became of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events whose frames were checked.
    pub events: u64,
    /// Messages whose content was checked: sealed, received or rejected. 0 without keys.
    pub messages: u64,
    /// Signatures and receipts that were verified, those of checkpoints included.
    pub signatures: u64,
    /// Root hash of the ledger, recomputed; `None` when damage keeps it from being recomputed.
    pub root: Option<Digest>,
    /// What is wrong, by ledger index, what belongs to no event last. At most [`LISTED_MAX`].
    pub damages: Vec<Damage>,
    /// How many damages there are in all.
    pub damage_count: u64,
    /// What is no damage but should be known.
    pub notes: Vec<String>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Ledger index of the event; `None` for what belongs to no event.
    pub leaf: Option<u64>,
    /// The file, from the folder of the store; the head file's own path.
    pub file: PathBuf,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub what: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A file is not there.
    #[error("the file is missing")]
    Missing,
    /// A small file does not have its checksum or form.
    #[error("the file is damaged")]
    File,
    /// A segment of another store.
    #[error("the file belongs to another store")]
    Foreign,
    /// A wrapped key that the store's key does not open.
    #[error("the store's key does not open it: it is of another store, or stands for another segment")]
    WrappedKey,
    /// A slot of the head file.
    #[error(
        "this half of the head file is damaged; if power was lost in the middle of a write, starting the daemon repairs it"
    )]
    HeadSlot,
    /// A head that the journal does not contain.
    #[error("the journal does not contain the commit of {0} events that the head file knows")]
    Head(u64),
    /// The journal is shorter than the head file knows.
    #[error(
        "the journal ends at event {found}, the head file knows {known}: the end is cut off, or this is an older copy"
    )]
    RolledBack {
        /// Events in the journal.
        found: u64,
        /// Events the head file knows.
        known: u64,
    },
    /// A segment's header cannot be read.
    #[error(transparent)]
    SegmentHeader(#[from] HeaderError),
    /// A segment's header is another segment's.
    #[error("the header names another place in the journal")]
    SegmentPlace,
    /// A frame cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame that the daemon does not write.
    #[error("the frame holds what the daemon never writes")]
    FrameForm,
    /// The events of a batch are not those of its checkpoint.
    #[error(
        "the checkpoint is of other events: of the {0} in this batch one was changed, put in, taken out or moved"
    )]
    Root(u64),
    /// An event is not the one that checkpoint and footer name.
    #[error("the event is another than the checkpoint was made of")]
    Leaf,
    /// Batches that the footer tells of are not there.
    #[error("the last {0} event(s) of the segment, which its footer tells of, are missing")]
    Lacking(u64),
    /// Events without a checkpoint.
    #[error("the events from here on have no checkpoint")]
    Unfinished,
    /// A checkpoint of another place or ledger.
    #[error("the checkpoint's text is not that of this ledger at this place")]
    CheckpointText,
    /// A checkpoint that the ledger's key did not sign.
    #[error("the checkpoint is not accepted: {0}")]
    Checkpoint(CheckpointError),
    /// Something stands where nothing was written.
    #[error(
        "something stands behind the last batch; if the daemon was cut off in the middle of a write, starting it clears this"
    )]
    Tail,
    /// A footer cannot be read.
    #[error("the footer is damaged")]
    Footer,
    /// A footer does not follow from its frames.
    #[error("the footer's {0} are not those of the events")]
    FooterContent(&'static str),
    /// A record or item does not open.
    #[error("the sealed {0} does not open: it is damaged or was put here from elsewhere")]
    Sealed(&'static str),
    /// A record or item opens and is none.
    #[error("the {0} cannot be decoded")]
    Undecodable(&'static str),
    /// The event that opens is not the one the ledger commits to.
    #[error("the event is not the one that the ledger commits to")]
    Uncommitted,
    /// The event cannot follow the events before it.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The founding event is another channel's.
    #[error("the founding event names another channel")]
    Founding,
    /// Something is stored with the event that does not belong to it, or is missing.
    #[error("the {0} stored with the event is missing or does not belong to it")]
    Stored(&'static str),
    /// The event and what is stored with it contradict each other.
    #[error("the event's {0} is not that of what is stored with it")]
    Digest(&'static str),
    /// An envelope of another channel or place.
    #[error("the envelope's {0} is not that of this channel and place")]
    Envelope(&'static str),
    /// An envelope's signature.
    #[error(transparent)]
    Signature(EnvelopeError),
    /// The body is not the one the envelope commits to.
    #[error("the body is not the one that the envelope commits to")]
    Body,
    /// A receipt does not prove what it should.
    #[error("the receipt is not accepted: {0}")]
    Receipt(CheckError),
    /// The other Party's ledger as recorded shrank or changed.
    #[error("the other Party's ledger as recorded here contradicts what was recorded before")]
    PeerHead,
}

/// Why nothing can be said about a store.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no store.
    #[error("{0} holds no store: name the folder that `[store] dir` names, or a copy of it")]
    NoStore(PathBuf),
    /// Written by a later version.
    #[error("{0} was written by a later version of the software: verify it with that version")]
    Newer(PathBuf),
    /// Another channel's store.
    #[error(
        "the store belongs to {found}, the configuration is for {expected}: name the store's own configuration"
    )]
    Foreign {
        /// Whose store it is.
        found: String,
        /// Whose the configuration says it is.
        expected: String,
    },
    /// The key-encryption key is not the store's.
    #[error("the key file does not open the store's keys: `[store] key_file` names the key of another store")]
    WrongKey,
    /// The store was founded with another key.
    #[error("the store was founded with another {0} than is given: name the one it was founded with")]
    OtherKey(&'static str),
    /// The file system failed.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// Names the file with the error.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> VerifyError + '_ {
    move |error| VerifyError::Io(path.to_owned(), error)
}

/// Gathers damages; keeps the first ones only.
#[derive(Debug, Default)]
pub(super) struct Findings {
    damages: Vec<Damage>,
    count: u64,
    notes: Vec<String>,
}

impl Findings {
    /// Reports a damage.
    pub(super) fn damage(&mut self, leaf: Option<u64>, file: &Path, offset: u64, what: impl Into<Fault>) {
        let damage = Damage { leaf, file: file.to_owned(), offset, what: what.into() };
        self.count += 1;
        let order = |damage: &Damage| (damage.leaf.is_none(), damage.leaf, damage.offset);
        let at = self.damages.partition_point(|before| order(before) <= order(&damage));
        self.damages.insert(at, damage);
        self.damages.truncate(LISTED_MAX);
    }

    /// Reports what is no damage.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.notes.len() < LISTED_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Damages so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What was found: damages, their number, notes.
    pub(super) fn finish(self) -> (Vec<Damage>, u64, Vec<String>) {
        (self.damages, self.count, self.notes)
    }
}
