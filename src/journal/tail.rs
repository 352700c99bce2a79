//! The open segment while it is being read: strictly up to the head, and beyond it while batches are complete.

use super::frame::{self, Frame, FrameError, SealedEvent};
use super::head::Head;
use super::open::{Fold, OpenError};
use super::reader::{Addition, Reader};
use super::segment::{self, Header};
use super::writer::in_units;
use crate::disk::{DiskFile, read_exact_at};
use crate::ledger::tree::{Frontier, leaf_hash};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The open segment while it is being read.
pub(super) struct Tail<'a> {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) header: Header,
    pub(super) head: Head,
    pub(super) frontier: Frontier,
    pub(super) reader: &'a Reader,
    pub(super) fold: &'a mut dyn Fold,
    pub(super) pending: Batch,
}

/// Events read whose checkpoint has not come yet.
#[derive(Default)]
pub(super) struct Batch {
    addition: Addition,
    events: Vec<SealedEvent>,
}

impl Tail<'_> {
    /// Reads batches up to the head, strictly, and beyond it while they are complete.
    pub(super) fn scan(&mut self) -> Result<(u64, Frontier, Head), OpenError> {
        // A head in the segment before this one: everything here lies beyond it.
        let head_at = if self.head.segment == self.header.number {
            self.head.offset
        } else {
            segment::HEADER_BYTES as u64
        };
        let mut good = (segment::HEADER_BYTES as u64, self.frontier.clone());
        let mut found = self.head;
        let mut offset = segment::HEADER_BYTES as u64;
        let mut window = Window::new(self.file.clone());
        loop {
            if offset == head_at && good.0 == head_at {
                self.expect_head(&good.1)?;
            }
            let (frame, len) =
                match window.frame(offset).map_err(|error| OpenError::Io(self.path.clone(), error))? {
                    Ok(read) => read,
                    Err(_) if offset >= head_at => break,
                    Err(error) => return Err(self.damaged(offset, &error)),
                };
            match frame {
                Frame::Event(event) => self.take(event, offset),
                Frame::Checkpoint { root, note } => {
                    let below = offset < head_at;
                    if root != self.frontier.root() {
                        if below {
                            return Err(self.damaged(offset, &"the checkpoint is of other events"));
                        }
                        break;
                    }
                    let end = offset + len as u64;
                    found =
                        Head { size: self.frontier.size(), root, segment: self.header.number, offset: end };
                    self.finish_batch(found, &note)?;
                    good = (end, self.frontier.clone());
                }
            }
            offset += len as u64;
        }
        if good.0 < head_at {
            return Err(OpenError::RolledBack { found: good.1.size(), known: self.head.size });
        }
        Ok((good.0, good.1, found))
    }

    fn expect_head(&self, frontier: &Frontier) -> Result<(), OpenError> {
        if frontier.size() < self.head.size {
            return Err(OpenError::RolledBack { found: frontier.size(), known: self.head.size });
        }
        if frontier.size() == self.head.size && frontier.root() == self.head.root {
            return Ok(());
        }
        Err(self.damaged(self.head.offset, &"the events are not those of the head file"))
    }

    fn take(&mut self, event: SealedEvent, offset: u64) {
        let hashes = &mut self.pending.addition.hashes;
        self.frontier.append(leaf_hash(&event.commitment), |node| hashes.push(node));
        self.pending.addition.offsets.push(in_units(offset));
        self.pending.events.push(event);
    }

    fn finish_batch(&mut self, head: Head, note: &str) -> Result<(), OpenError> {
        let mut batch = std::mem::take(&mut self.pending);
        let first = head.size - batch.events.len() as u64;
        for (leaf, event) in (first..).zip(&batch.events) {
            let keys = self
                .fold
                .event(leaf, self.header.number, event)
                .map_err(|source| OpenError::Fold { leaf, source })?;
            let ordinal = u32::try_from(leaf - self.header.first_leaf).unwrap_or(u32::MAX);
            batch.addition.keys.extend(keys.into_iter().map(|key| (key, ordinal)));
        }
        self.reader.publish(batch.addition, head, note);
        Ok(())
    }

    /// Writes what lies between the head and `end` once more, zeroes what lies beyond, and syncs.
    /// Returns the end of the allocated space.
    pub(super) fn settle(&self, end: u64) -> Result<u64, OpenError> {
        let failed = |error| OpenError::Io(self.path.clone(), error);
        let head_at = if self.head.segment == self.header.number {
            self.head.offset
        } else {
            segment::HEADER_BYTES as u64
        };
        let len = self.file.len().map_err(failed)?;
        let mut changed = false;
        if end > head_at {
            let kept =
                read_exact_at(self.file.as_ref(), head_at, usize::try_from(end - head_at).unwrap_or(0))
                    .map_err(failed)?;
            self.file.write_at(&kept, head_at).map_err(failed)?;
            changed = true;
        }
        let mut offset = end;
        while offset < len {
            let step = usize::try_from((len - offset).min(1 << 20)).unwrap_or(0);
            let bytes = read_exact_at(self.file.as_ref(), offset, step).map_err(failed)?;
            if bytes.iter().any(|byte| *byte != 0) {
                self.file.write_at(&vec![0; step], offset).map_err(failed)?;
                changed = true;
            }
            offset += step as u64;
        }
        if changed {
            self.file.sync().map_err(failed)?;
        }
        Ok(len.max(end))
    }

    fn damaged(&self, offset: u64, what: &dyn std::fmt::Display) -> OpenError {
        OpenError::Damaged {
            path: self.path.clone(),
            offset,
            leaf: self.frontier.size(),
            what: what.to_string(),
        }
    }
}

/// Reads frames one after the other with few reads.
pub(super) struct Window {
    file: Arc<dyn DiskFile>,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    const BYTES: usize = 1 << 20;

    pub(super) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self { file, start: 0, bytes: Vec::new() }
    }

    /// The frame at an offset that grows from call to call.
    pub(super) fn frame(&mut self, offset: u64) -> io::Result<Result<(Frame, usize), FrameError>> {
        let at = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        if let Some(Ok(read)) = self.bytes.get(at..).map(frame::parse) {
            return Ok(Ok(read));
        }
        self.bytes.resize(Self::BYTES, 0);
        let read = self.file.read_at(&mut self.bytes, offset)?;
        self.bytes.truncate(read);
        self.start = offset;
        Ok(frame::parse(&self.bytes))
    }
}
