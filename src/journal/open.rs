//! Creating a journal, and opening one: the same fold over the same frames, whatever happened before.
//!
//! At or below the head any damage is refused. Beyond it nothing was acknowledged: complete batches are kept,
//! the rest is zeroed. What is kept is written once more and synced before anything else happens, because after
//! a failed sync the page cache may hold bytes that the disk does not; written again in their place they are
//! dirty again, which has the effect of a copy to a fresh segment without leaving a short segment per crash.

use super::footer::{Fingerprint, Trailer};
use super::frame::SealedEvent;
use super::head::{Head, HeadFile};
use super::reader::{Closed, Open, Reader};
use super::segment::{Header, HeaderError};
use super::tail::{Batch, Tail};
use super::writer::{Persister, ReserveError, Writer, create_segment};
use super::{Paths, Sizes, StoreId, segment};
use crate::disk::{Disk, DiskFile, read_exact_at};
use crate::ledger::tree::Frontier;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// What the opener's state is made from.
pub trait Fold {
    /// Takes over the sealed state that a closed segment ended with.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>>;
    /// Folds one event in and names the keys it is to be found by.
    fn event(
        &mut self,
        leaf: u64,
        segment: u64,
        event: &SealedEvent,
    ) -> Result<Vec<Fingerprint>, Box<dyn Error + Send + Sync>>;
}

/// Why a journal does not open. Nothing on disk has changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A segment between the first and the last is not there, or the last that the head names.
    #[error("{0} is missing: restore the store from a backup")]
    SegmentMissing(PathBuf),
    /// A segment is damaged at or below the head.
    #[error(
        "{path} is damaged at byte {offset}, event {leaf}: {what}. `article6 verify` lists all damage; restore the store from a backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// Ledger index of the event at or after that place.
        leaf: u64,
        /// What is wrong.
        what: String,
    },
    /// A segment of another store.
    #[error("{0} belongs to another store: put the right file back")]
    Foreign(PathBuf),
    /// Written by a later version.
    #[error("{0}: {1}: install the version that wrote it, or a later one")]
    Newer(PathBuf, HeaderError),
    /// The head file is not there.
    #[error(
        "the head file {0} is missing: put it back; without it nobody can tell whether this store is the latest. If it is lost for good, restore the store"
    )]
    HeadMissing(PathBuf),
    /// Neither slot of the head file is valid for this store.
    #[error(
        "the head file {0} is damaged or belongs to another store: put the right one back; if it is lost for good, restore the store"
    )]
    HeadDamaged(PathBuf),
    /// The head knows more than the journal holds.
    #[error(
        "the journal ends at event {found}, the head file knows {known}: this is an older copy of the store. Put the latest journal back, or restore it as a backup"
    )]
    RolledBack {
        /// Events in the journal.
        found: u64,
        /// Events the head file knows.
        known: u64,
    },
    /// The events do not make a state.
    #[error("event {leaf} cannot be used: {source}")]
    Fold {
        /// Ledger index of the event.
        leaf: u64,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file system failed.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// Creates an empty journal: one segment, and a head file that has no head yet.
pub fn create(
    disk: Arc<dyn Disk>,
    paths: Paths,
    store: StoreId,
    sizes: Sizes,
) -> Result<(Writer, Persister), OpenError> {
    let at = |path: PathBuf| move |error| OpenError::Io(path, error);
    let folder = paths.segments();
    disk.create_dir(&folder).map_err(at(folder.clone()))?;
    let file = create_segment(disk.as_ref(), &paths, store, 0, 0, sizes).map_err(|error| match error {
        ReserveError::NoSpace => OpenError::Io(folder.clone(), io::ErrorKind::StorageFull.into()),
        ReserveError::Io(error) => OpenError::Io(folder.clone(), error),
    })?;
    disk.sync_dir(&paths.data).map_err(at(paths.data.clone()))?;
    let head_path = paths.head.clone();
    let head_file = disk
        .create(&head_path)
        .and_then(|file| HeadFile::create(file, store))
        .map_err(at(head_path.clone()))?;
    if let Some(parent) = head_path.parent() {
        disk.sync_dir(parent).map_err(at(parent.to_owned()))?;
    }
    let offset = segment::HEADER_BYTES as u64;
    let frontier = Frontier::default();
    let head = Head { size: 0, root: frontier.root(), segment: 0, offset };
    let reader = Reader::new(disk.clone(), &folder, Vec::new(), Open::new(0, 0, file.clone()), head, "");
    let persister = Persister { head_file, reader: reader.clone(), syncs: 0 };
    let allocated = offset + sizes.step_bytes;
    let writer = Writer {
        disk,
        paths,
        store,
        sizes,
        reader,
        frontier,
        file,
        number: 0,
        first_leaf: 0,
        offset,
        allocated,
    };
    Ok((writer, persister))
}

/// Opens a journal and folds its state.
pub fn open(
    disk: Arc<dyn Disk>,
    paths: Paths,
    store: StoreId,
    sizes: Sizes,
    fold: &mut dyn Fold,
) -> Result<(Writer, Persister, Reader), OpenError> {
    let head_path = paths.head.clone();
    let head_file = disk.open(&head_path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::HeadMissing(head_path.clone()),
        _ => OpenError::Io(head_path.clone(), error),
    })?;
    let head = HeadFile::open(head_file, store).map_err(|error| OpenError::Io(head_path.clone(), error))?;
    let (head_file, head) = head.ok_or(OpenError::HeadDamaged(head_path))?;

    let (closed, last) = segments(disk.as_ref(), &paths, store, &head)?;
    let (file, header) = last;
    let path = segment::path(&paths.segments(), header.number);
    if let Some(before) = closed.last() {
        let before_path = segment::path(&paths.segments(), before.number);
        let failed = |error| OpenError::Io(before_path, error);
        let snapshot = match before.file.get() {
            Some(file) => before.trailer.snapshot(file.as_ref()).map_err(failed)?,
            None => Vec::new(),
        };
        fold.restore(&snapshot).map_err(|source| OpenError::Fold { leaf: before.first_leaf, source })?;
    }
    if head.segment < header.number {
        settle_footer(&paths, &closed)?;
    }
    let open = Open::new(header.number, header.first_leaf, file.clone());
    let reader = Reader::new(
        disk.clone(),
        &paths.segments(),
        closed,
        open,
        Head { size: header.first_leaf, ..head },
        "",
    );
    let frontier = Frontier::from_nodes(header.first_leaf, &reader)
        .map_err(|error| OpenError::Io(path.clone(), io::Error::other(error)))?;
    let mut tail =
        Tail { path, file, header, head, frontier, reader: &reader, fold, pending: Batch::default() };
    let (offset, frontier, found) = tail.scan()?;
    let allocated = tail.settle(offset)?;
    let (number, first_leaf, file) = (header.number, header.first_leaf, tail.file.clone());
    let mut persister = Persister { head_file, reader: reader.clone(), syncs: 0 };
    if found.size != head.size {
        persister.head_file.write(&found).map_err(|error| OpenError::Io(paths.head.clone(), error))?;
    }
    let writer = Writer {
        disk,
        paths,
        store,
        sizes,
        reader: reader.clone(),
        frontier,
        file,
        number,
        first_leaf,
        offset,
        allocated,
    };
    Ok((writer, persister, reader))
}

type Opened = (Arc<dyn DiskFile>, Header);

/// All segments in order: the closed ones, and the open one.
fn segments(
    disk: &dyn Disk,
    paths: &Paths,
    store: StoreId,
    head: &Head,
) -> Result<(Vec<Closed>, Opened), OpenError> {
    let folder = paths.segments();
    let names = disk.list(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::SegmentMissing(segment::path(&folder, 0)),
        _ => OpenError::Io(folder.clone(), error),
    })?;
    let last = names.iter().filter_map(|name| segment::number(name)).max();
    let last = last
        .filter(|last| *last >= head.segment)
        .ok_or_else(|| OpenError::SegmentMissing(segment::path(&folder, head.segment)))?;
    let mut closed: Vec<Closed> = Vec::new();
    let mut next_leaf = 0;
    for number in 0..=last {
        let path = segment::path(&folder, number);
        let (file, header) = open_segment(disk, &path, store)?;
        if header.number != number || header.first_leaf != next_leaf {
            let what = "the header names another place in the journal".to_owned();
            return Err(OpenError::Damaged { path, offset: 0, leaf: next_leaf, what });
        }
        let trailer = Trailer::read(file.as_ref()).map_err(|error| OpenError::Io(path.clone(), error))?;
        // The segment before the last is closed by the roll that made the last; until its footer is whole
        // and no head points beyond it, the roll has not happened.
        let rolling = number + 1 == last && head.segment == number;
        match trailer {
            Some(trailer) if number < last => {
                next_leaf = header.first_leaf + trailer.events;
                closed.push(Closed {
                    number,
                    first_leaf: header.first_leaf,
                    trailer,
                    file: OnceLock::from(file),
                });
            }
            None if number == last || rolling => return Ok((closed, (file, header))),
            Some(_) => {
                return Err(OpenError::SegmentMissing(segment::path(&folder, number + 1)));
            }
            None => {
                let what = "the footer is damaged".to_owned();
                return Err(OpenError::Damaged { path, offset: 0, leaf: next_leaf, what });
            }
        }
    }
    Err(OpenError::SegmentMissing(segment::path(&folder, 0)))
}

/// A roll whose segment no head points into yet may have been cut short before its footer was synced.
fn settle_footer(paths: &Paths, closed: &[Closed]) -> Result<(), OpenError> {
    let Some((last, file)) = closed.last().and_then(|last| Some((last, last.file.get()?))) else {
        return Ok(());
    };
    let rewrite = || -> io::Result<()> {
        let at = last.trailer.hashes_at;
        let len = usize::try_from(file.len()? - at).map_err(|_| io::ErrorKind::FileTooLarge)?;
        file.write_at(&read_exact_at(file.as_ref(), at, len)?, at)?;
        file.sync()
    };
    rewrite().map_err(|error| OpenError::Io(segment::path(&paths.segments(), last.number), error))
}

fn open_segment(disk: &dyn Disk, path: &std::path::Path, store: StoreId) -> Result<Opened, OpenError> {
    let file = disk.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::SegmentMissing(path.to_owned()),
        _ => OpenError::Io(path.to_owned(), error),
    })?;
    let mut bytes = [0; segment::HEADER_BYTES];
    file.read_at(&mut bytes, 0).map_err(|error| OpenError::Io(path.to_owned(), error))?;
    let header = Header::decode(&bytes).map_err(|error| match error {
        HeaderError::Newer(_) => OpenError::Newer(path.to_owned(), error),
        HeaderError::Damaged => {
            OpenError::Damaged { path: path.to_owned(), offset: 0, leaf: 0, what: error.to_string() }
        }
    })?;
    if header.store == store { Ok((file, header)) } else { Err(OpenError::Foreign(path.to_owned())) }
}
