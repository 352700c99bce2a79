//! The one commit, in two halves: staging, which decides where bytes go, and persisting, which puts them there.
//!
//! Staging the next batch may overlap persisting this one, but no byte of the next is written before the sync
//! of this one has returned: batches are persisted in the order they were staged, by one [`Persister`].

use super::footer::{Fingerprint, Footer, Trailer};
use super::frame::{self, SealedEvent};
use super::head::{Head, HeadFile};
use super::reader::{Addition, Open, Reader};
use super::{Paths, Sizes, StoreId, segment};
use crate::crypto::digest::Digest;
use crate::disk::{Disk, DiskFile};
use crate::ledger::tree::{Frontier, leaf_hash};
use std::io;
use std::sync::Arc;

/// An event to commit and the keys it is to be found by.
#[derive(Debug)]
pub struct NewEvent {
    /// The event as sealed.
    pub event: SealedEvent,
    /// Fingerprints of its look-up keys.
    pub keys: Vec<Fingerprint>,
}

/// The staging half. Owned by the one writer.
#[derive(Debug)]
pub struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) paths: Paths,
    pub(super) store: StoreId,
    pub(super) sizes: Sizes,
    pub(super) reader: Reader,
    pub(super) frontier: Frontier,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) number: u64,
    pub(super) first_leaf: u64,
    /// End of what is staged.
    pub(super) offset: u64,
    /// End of the space that is allocated.
    pub(super) allocated: u64,
}

/// The persisting half.
#[derive(Debug)]
pub struct Persister {
    pub(super) head_file: HeadFile,
    pub(super) reader: Reader,
    pub(super) syncs: u64,
}

/// A batch on its way to disk.
#[derive(Debug)]
pub struct Staged {
    file: Arc<dyn DiskFile>,
    at: u64,
    bytes: Vec<u8>,
    addition: Addition,
    /// The commit this batch makes.
    pub head: Head,
    /// Its signed checkpoint.
    pub note: String,
}

/// Why space could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// No space is left on the device. Nothing changed; try again when there is.
    #[error("no space is left for the journal")]
    NoSpace,
    /// The file system failed; the process must end.
    #[error("the journal cannot be extended: {0}")]
    Io(io::Error),
}

/// Bytes of a checkpoint's frame, roughly: spares a batch's buffer from growing at its end.
const CHECKPOINT_BYTES: usize = 1024;

impl Writer {
    /// Events staged so far: the ledger index of the next.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Number of the segment that the next batch goes to.
    pub fn segment(&self) -> u64 {
        self.number
    }

    /// Whether a batch of this many bytes needs a new segment first.
    pub fn must_roll(&self, batch_bytes: u64) -> bool {
        self.offset > segment::HEADER_BYTES as u64 && self.offset + batch_bytes > self.sizes.segment_bytes
    }

    /// Makes sure that a batch of this many bytes can be written without asking for space.
    pub fn reserve(&mut self, batch_bytes: u64) -> Result<(), ReserveError> {
        let needed = self.offset + batch_bytes;
        if needed <= self.allocated {
            return Ok(());
        }
        let to = self.allocated + (needed - self.allocated).next_multiple_of(self.sizes.step_bytes);
        // A small step may still fit where a large one does not.
        match self.file.allocate(self.allocated, to) {
            Ok(()) => self.allocated = to,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.file.allocate(self.allocated, needed).map_err(no_space)?;
                self.allocated = needed;
            }
            Err(error) => return Err(ReserveError::Io(error)),
        }
        Ok(())
    }

    /// Places a batch and signs its checkpoint. `sign` makes the note from size and root.
    ///
    /// The batch must have been reserved.
    pub fn stage(&mut self, events: Vec<NewEvent>, sign: impl FnOnce(u64, &Digest) -> String) -> Staged {
        let frames = events.iter().map(|new| frame::event_len(new.event.record.len(), new.event.item.len()));
        let mut bytes = Vec::with_capacity(frames.sum::<usize>() + CHECKPOINT_BYTES);
        let mut addition = Addition::default();
        for new in &events {
            let ordinal = u32::try_from(self.frontier.size() - self.first_leaf).unwrap_or(u32::MAX);
            addition.offsets.push(in_units(self.offset + bytes.len() as u64));
            addition.keys.extend(new.keys.iter().map(|key| (*key, ordinal)));
            frame::put_event(&mut bytes, &new.event);
            self.frontier.append(leaf_hash(&new.event.commitment), |node| addition.hashes.push(node));
        }
        let root = self.frontier.root();
        let note = sign(self.frontier.size(), &root);
        frame::put_checkpoint(&mut bytes, &root, &note);
        let at = self.offset;
        self.offset += bytes.len() as u64;
        debug_assert!(self.offset <= self.allocated, "a batch is reserved before it is staged");
        let head = Head { size: self.frontier.size(), root, segment: self.number, offset: self.offset };
        Staged { file: self.file.clone(), at, bytes, addition, head, note }
    }

    /// Closes the open segment with its footer and opens the next. Everything staged must be persisted.
    ///
    /// `snapshot` is the sealed state after the last event. `NoSpace` leaves the open segment in use.
    pub fn roll(&mut self, snapshot: &[u8]) -> Result<(), ReserveError> {
        let (footer, trailer_root) = self.reader.with_open(|open| {
            let keys: Vec<_> = open.keys.iter().copied().collect();
            let root = self.frontier.root();
            let footer = Footer { hashes: &open.hashes, offsets: &open.offsets, keys: &keys, snapshot, root };
            (footer.encode(self.offset), root)
        });
        debug_assert_eq!(trailer_root, self.reader.head().root, "everything staged is persisted");
        let end = self.offset + footer.len() as u64;
        if end > self.allocated {
            self.file.allocate(self.allocated, end).map_err(no_space)?;
            self.allocated = end;
        }
        // The next segment first: when there is no space for it, nothing has happened yet.
        let next = create_segment(
            self.disk.as_ref(),
            &self.paths,
            self.store,
            self.number + 1,
            self.frontier.size(),
            self.sizes,
        )?;
        self.file.write_at(&footer, self.offset).map_err(ReserveError::Io)?;
        self.file.set_len(end).map_err(ReserveError::Io)?;
        self.file.sync().map_err(ReserveError::Io)?;
        let trailer = Trailer::read(self.file.as_ref()).map_err(ReserveError::Io)?;
        let trailer = trailer.ok_or_else(|| ReserveError::Io(io::ErrorKind::InvalidData.into()))?;
        self.file = next;
        self.number += 1;
        self.first_leaf = self.frontier.size();
        self.offset = segment::HEADER_BYTES as u64;
        self.allocated = self.offset + self.sizes.step_bytes;
        self.reader.roll(trailer, Open::new(self.number, self.first_leaf, self.file.clone()));
        Ok(())
    }
}

impl Persister {
    /// Makes a batch durable, then visible. After an error the process must end.
    pub fn persist(&mut self, staged: Staged) -> io::Result<()> {
        staged.file.write_at(&staged.bytes, staged.at)?;
        staged.file.sync()?;
        self.head_file.write(&staged.head)?;
        self.syncs += 2;
        self.reader.publish(staged.addition, staged.head, &staged.note);
        Ok(())
    }

    /// Syncs made so far.
    pub fn syncs(&self) -> u64 {
        self.syncs
    }
}

impl Open {
    pub(super) fn new(number: u64, first_leaf: u64, file: Arc<dyn DiskFile>) -> Self {
        Self {
            number,
            first_leaf,
            file,
            offsets: Vec::new(),
            hashes: Vec::new(),
            keys: std::collections::BTreeSet::new(),
        }
    }
}

/// Creates a segment with its header and first allocated step, durable under its name.
///
/// A file of that name without a valid footer chain before it can only be the trace of a roll that a crash cut
/// short; no head ever pointed into it, so it is made anew.
pub(super) fn create_segment(
    disk: &dyn Disk,
    paths: &Paths,
    store: StoreId,
    number: u64,
    first_leaf: u64,
    sizes: Sizes,
) -> Result<Arc<dyn DiskFile>, ReserveError> {
    let folder = paths.segments();
    let path = segment::path(&folder, number);
    let new = path.with_extension("new");
    match disk.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ReserveError::Io(error)),
        _ => {}
    }
    let file = disk.create(&new).map_err(no_space)?;
    let prepared = file
        .allocate(0, segment::HEADER_BYTES as u64 + sizes.step_bytes)
        .and_then(|()| file.write_at(&segment::Header { store, number, first_leaf }.encode(), 0))
        .and_then(|()| file.sync());
    if let Err(error) = prepared {
        // What was taken is given back: a full disk stays as it was.
        let _ = disk.remove(&new);
        return Err(no_space(error));
    }
    disk.rename(&new, &path).map_err(ReserveError::Io)?;
    disk.sync_dir(&folder).map_err(ReserveError::Io)?;
    Ok(file)
}

pub(super) fn no_space(error: io::Error) -> ReserveError {
    if error.kind() == io::ErrorKind::StorageFull { ReserveError::NoSpace } else { ReserveError::Io(error) }
}

/// A frame's offset in units of its alignment; segments are far below 32 GiB.
pub(super) fn in_units(offset: u64) -> u32 {
    u32::try_from(offset / frame::ALIGNMENT as u64).unwrap_or(u32::MAX)
}
