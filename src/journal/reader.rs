//! What everyone but the writer sees of the journal: committed events, tree nodes, look-up keys.

use super::footer::{Fingerprint, Trailer};
use super::frame::{self, Frame, FrameError, SealedEvent};
use super::head::Head;
use super::segment;
use crate::crypto::digest::Digest;
use crate::disk::{Disk, DiskFile, read_exact_at};
use crate::ledger::proof::Nodes;
use crate::ledger::stored::{stored_count, stored_index};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Closed segments whose files stay open; older ones are opened for each read.
const OPEN_FILES: usize = 64;

/// Reads committed events. Cheap to clone; any number at a time.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    view: RwLock<View>,
}

/// What is durable.
#[derive(Debug)]
struct View {
    closed: Vec<Closed>,
    open: Open,
    head: Head,
    note: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Closed {
    pub number: u64,
    pub first_leaf: u64,
    pub trailer: Trailer,
    pub file: OnceLock<Arc<dyn DiskFile>>,
}

/// What a footer will hold, while the segment is open.
#[derive(Debug)]
pub(super) struct Open {
    pub number: u64,
    pub first_leaf: u64,
    pub file: Arc<dyn DiskFile>,
    pub offsets: Vec<u32>,
    pub hashes: Vec<Digest>,
    pub keys: BTreeSet<(Fingerprint, u32)>,
}

/// What one commit adds to the open segment.
#[derive(Debug, Default)]
pub(super) struct Addition {
    pub offsets: Vec<u32>,
    pub hashes: Vec<Digest>,
    pub keys: Vec<(Fingerprint, u32)>,
}

/// Why committed events cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such event is committed.
    #[error("event {0} is not in the journal")]
    Absent(u64),
    /// Committed bytes are damaged.
    #[error(
        "segment {segment} is damaged at byte {offset}: {error}. Run `article6 verify` on the store and restore it from a backup"
    )]
    Damaged {
        /// Number of the segment.
        segment: u64,
        /// Offset of the frame.
        offset: u64,
        /// What is wrong.
        error: FrameError,
    },
    /// The file system failed.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// A committed event and the segment whose key wraps its item.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The event as sealed.
    pub event: SealedEvent,
    /// Number of the segment.
    pub segment: u64,
}

/// The checkpoint that a commit ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitEnd {
    /// Events in the ledger with this commit.
    pub size: u64,
    /// Root hash at that size.
    pub root: Digest,
    /// C2SP signed checkpoint.
    pub note: String,
}

impl Reader {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        closed: Vec<Closed>,
        open: Open,
        head: Head,
        note: &str,
    ) -> Self {
        let view = RwLock::new(View { closed, open, head, note: note.into() });
        Self(Arc::new(Shared { disk, folder: folder.to_owned(), view }))
    }

    /// The last commit.
    pub fn head(&self) -> Head {
        self.view().head
    }

    /// The last commit and its signed checkpoint.
    pub fn checkpoint(&self) -> (Head, Arc<str>) {
        let view = self.view();
        (view.head, view.note.clone())
    }

    /// One event.
    pub fn event(&self, leaf: u64) -> Result<Stored, ReadError> {
        let (file, segment, offset) = self.locate(leaf)?;
        match read_frame(file.as_ref(), segment, offset)? {
            (Frame::Event(event), _) => Ok(Stored { event, segment }),
            (Frame::Checkpoint { .. }, _) => {
                Err(ReadError::Damaged { segment, offset, error: FrameError::Content })
            }
        }
    }

    /// The end of the commit that recorded an event.
    pub fn commit_end(&self, leaf: u64) -> Result<CommitEnd, ReadError> {
        let (file, segment, mut offset) = self.locate(leaf)?;
        let mut size = leaf;
        loop {
            match read_frame(file.as_ref(), segment, offset)? {
                (Frame::Event(_), len) => {
                    size += 1;
                    offset += len as u64;
                }
                (Frame::Checkpoint { root, note }, _) => return Ok(CommitEnd { size, root, note }),
            }
        }
    }

    /// Events from index `from` on that carry the fingerprint, newest first. Each is a candidate: confirm it in
    /// the event.
    pub fn find(&self, fingerprint: Fingerprint, from: u64) -> Result<Vec<u64>, ReadError> {
        let mut found: Vec<u64> = Vec::new();
        let view = self.view();
        let open = view.open.keys.range((fingerprint, 0)..=(fingerprint, u32::MAX));
        found.extend(open.map(|(_, ordinal)| view.open.first_leaf + u64::from(*ordinal)));
        for closed in
            view.closed.iter().rev().take_while(|closed| closed.first_leaf + closed.trailer.events > from)
        {
            let file = self.closed_file(closed)?;
            let ordinals = closed.trailer.find(file.as_ref(), fingerprint)?;
            found.extend(ordinals.iter().map(|ordinal| closed.first_leaf + u64::from(*ordinal)));
        }
        found.retain(|leaf| *leaf >= from);
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// The newest event from index `from` on that carries the fingerprint. Cheaper than [`Reader::find`] for recent
    /// events.
    pub fn find_newest(&self, fingerprint: Fingerprint, from: u64) -> Result<Option<u64>, ReadError> {
        let view = self.view();
        let open = view.open.keys.range((fingerprint, 0)..=(fingerprint, u32::MAX)).next_back();
        if let Some((_, ordinal)) = open {
            return Ok(Some(view.open.first_leaf + u64::from(*ordinal)).filter(|leaf| *leaf >= from));
        }
        let closed = view.closed.iter().rev();
        for closed in closed.take_while(|closed| closed.first_leaf + closed.trailer.events > from) {
            let file = self.closed_file(closed)?;
            if let Some(ordinal) = closed.trailer.find(file.as_ref(), fingerprint)?.into_iter().max() {
                return Ok(Some(closed.first_leaf + u64::from(ordinal)).filter(|leaf| *leaf >= from));
            }
        }
        Ok(None)
    }

    /// Bytes of all segments' frames.
    pub fn bytes(&self) -> u64 {
        let view = self.view();
        view.closed.iter().map(|closed| closed.trailer.hashes_at).sum::<u64>()
            + if view.head.segment == view.open.number { view.head.offset } else { 0 }
    }

    /// Number of segments, the open one included.
    pub fn segments(&self) -> u64 {
        self.view().open.number + 1
    }

    pub(super) fn publish(&self, addition: Addition, head: Head, note: &str) {
        let mut view = self.0.view.write().unwrap_or_else(PoisonError::into_inner);
        view.open.offsets.extend(addition.offsets);
        view.open.hashes.extend(addition.hashes);
        view.open.keys.extend(addition.keys);
        view.head = head;
        view.note = note.into();
    }

    /// Runs `f` on the open segment's contents.
    pub(super) fn with_open<T>(&self, f: impl FnOnce(&Open) -> T) -> T {
        f(&self.view().open)
    }

    pub(super) fn roll(&self, trailer: Trailer, next: Open) {
        let mut view = self.0.view.write().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut view.open, next);
        let file = OnceLock::from(was.file);
        view.closed.push(Closed { number: was.number, first_leaf: was.first_leaf, trailer, file });
        if let Some(old) =
            view.closed.len().checked_sub(OPEN_FILES + 1).and_then(|at| view.closed.get_mut(at))
        {
            old.file = OnceLock::new();
        }
    }

    fn view(&self) -> std::sync::RwLockReadGuard<'_, View> {
        // A panic while publishing would leave a shorter view, never a wrong one.
        self.0.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn locate(&self, leaf: u64) -> Result<(Arc<dyn DiskFile>, u64, u64), ReadError> {
        let view = self.view();
        if leaf >= view.head.size {
            return Err(ReadError::Absent(leaf));
        }
        if let Some(ordinal) = leaf.checked_sub(view.open.first_leaf) {
            let offset = usize::try_from(ordinal).ok().and_then(|ordinal| view.open.offsets.get(ordinal));
            let offset = u64::from(*offset.ok_or(ReadError::Absent(leaf))?) * frame::ALIGNMENT as u64;
            return Ok((view.open.file.clone(), view.open.number, offset));
        }
        let closed = view.closed_with_leaf(leaf).ok_or(ReadError::Absent(leaf))?;
        let file = self.closed_file(closed)?;
        let offset = closed.trailer.frame_at(file.as_ref(), leaf - closed.first_leaf)?;
        Ok((file, closed.number, offset))
    }

    fn closed_file(&self, closed: &Closed) -> io::Result<Arc<dyn DiskFile>> {
        match closed.file.get() {
            Some(file) => Ok(file.clone()),
            None => self.0.disk.open(&segment::path(&self.0.folder, closed.number)),
        }
    }
}

impl View {
    fn closed_with_leaf(&self, leaf: u64) -> Option<&Closed> {
        let after = self.closed.partition_point(|closed| closed.first_leaf <= leaf);
        self.closed.get(after.checked_sub(1)?)
    }
}

impl Nodes for Reader {
    type Error = ReadError;

    fn node(&self, level: u8, n: u64) -> Result<Digest, ReadError> {
        let index = stored_index(level, n);
        let view = self.view();
        let open_from = stored_count(view.open.first_leaf);
        if let Some(at) = index.checked_sub(open_from) {
            let hash = usize::try_from(at).ok().and_then(|at| view.open.hashes.get(at));
            return hash.copied().ok_or(ReadError::Absent(n << level));
        }
        // The last leaf below a node is the one that completes it.
        let leaf = ((n + 1) << level) - 1;
        let closed = view.closed_with_leaf(leaf).ok_or(ReadError::Absent(leaf))?;
        let file = self.closed_file(closed)?;
        Ok(closed.trailer.hash(file.as_ref(), index - stored_count(closed.first_leaf))?)
    }
}

/// Reads and checks the frame at an offset.
pub(super) fn read_frame(
    file: &dyn DiskFile,
    segment: u64,
    offset: u64,
) -> Result<(Frame, usize), ReadError> {
    /// Most frames fit in one read of this size.
    const FIRST_READ: usize = 4096;
    let damaged = |error| ReadError::Damaged { segment, offset, error };
    let mut bytes = vec![0; FIRST_READ];
    let read = file.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    let len = frame::peek_len(&bytes).map_err(damaged)?;
    if len > bytes.len() {
        bytes = match read_exact_at(file, offset, len) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged(FrameError::Cut));
            }
            other => other?,
        };
    }
    frame::parse(&bytes).map_err(damaged)
}
