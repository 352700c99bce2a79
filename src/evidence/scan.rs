//! Frames out of a segment's bytes, past damage where there is a way past it.

use crate::disk::DiskFile;
use crate::journal::frame::{
    ALIGNMENT, Frame, FrameError, HEADER_BYTES, SealedEvent, outline, parse, put_checkpoint, salvage,
};
use std::io;
use std::sync::Arc;

/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;
/// Bytes of a frame's header that its own checksum covers.
const OUTLINE_BYTES: usize = 24;

/// Something read from a segment.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it stands.
    pub offset: u64,
    /// What it is.
    pub kind: Kind,
}

/// What stands at a place.
#[derive(Debug)]
pub(super) enum Kind {
    /// An event.
    Event(SealedEvent),
    /// An event whose frame does not have its checksum.
    DamagedEvent(Option<SealedEvent>),
    /// The end of a batch.
    Checkpoint {
        /// Root as the frame says it.
        root: crate::crypto::digest::Digest,
        /// Signed checkpoint.
        note: String,
        /// The frame is what the daemon writes for these two, to the byte.
        exact: bool,
    },
    /// The end of a batch whose frame does not have its checksum.
    DamagedCheckpoint,
    /// No frame; the next one stands elsewhere or nowhere.
    Lost(FrameError),
}

/// Reads the frames of a segment, one after the other.
#[derive(Debug)]
pub(super) struct Scanner {
    file: Arc<dyn DiskFile>,
    window: Vec<u8>,
    window_at: u64,
    /// Where the next frame is looked for.
    pub offset: u64,
    /// Frames end here at the latest.
    end: u64,
}

impl Scanner {
    /// Reads from `offset` on, up to `end`.
    pub(super) fn new(file: Arc<dyn DiskFile>, offset: u64, end: u64) -> Self {
        Self { file, window: Vec::new(), window_at: 0, offset, end }
    }

    /// The next piece; `None` at the end. After [`Kind::Lost`] the next one is found by [`Scanner::find`].
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        let offset = self.offset;
        if offset >= self.end {
            return Ok(None);
        }
        let room = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        let head = outline(self.bytes(offset, HEADER_BYTES.min(room))?);
        let head = match head {
            Ok(head) if head.len <= room => head,
            Ok(_) => return Ok(Some(Piece { offset, kind: Kind::Lost(FrameError::Cut) })),
            Err(error) => return Ok(Some(Piece { offset, kind: Kind::Lost(error) })),
        };
        let bytes = self.bytes(offset, head.len)?;
        let kind = match parse(bytes) {
            Ok((Frame::Event(event), _)) => Kind::Event(event),
            Ok((Frame::Checkpoint { root, note }, _)) => {
                let mut again = Vec::with_capacity(bytes.len());
                put_checkpoint(&mut again, &root, &note);
                Kind::Checkpoint { root, exact: again == bytes, note }
            }
            Err(_) if head.is_event => Kind::DamagedEvent(salvage(bytes)),
            Err(_) => Kind::DamagedCheckpoint,
        };
        self.offset += head.len as u64;
        Ok(Some(Piece { offset, kind }))
    }

    /// Moves on to the next place that looks like a frame; false when there is none.
    pub(super) fn find(&mut self) -> io::Result<bool> {
        let mut offset = self.offset + ALIGNMENT as u64;
        while offset + OUTLINE_BYTES as u64 <= self.end {
            if outline(self.bytes(offset, OUTLINE_BYTES)?).is_ok() {
                self.offset = offset;
                return Ok(true);
            }
            offset += ALIGNMENT as u64;
        }
        Ok(false)
    }

    /// The first byte at or after the place that is not zero, up to the end of the file.
    pub(super) fn first_nonzero(&mut self, mut offset: u64, len: u64) -> io::Result<Option<u64>> {
        while offset < len {
            let step = usize::try_from(len - offset).unwrap_or(WINDOW_BYTES).min(WINDOW_BYTES);
            let bytes = self.bytes(offset, step)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(at) = bytes.iter().position(|byte| *byte != 0) {
                return Ok(Some(offset + at as u64));
            }
            offset += bytes.len() as u64;
        }
        Ok(None)
    }

    /// Up to `len` bytes at the place; fewer only at the end of the file.
    fn bytes(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let within = |at: u64, window: &[u8]| {
            let start = usize::try_from(offset.checked_sub(at)?).ok()?;
            (start.checked_add(len)? <= window.len()).then_some(start)
        };
        let start = match within(self.window_at, &self.window) {
            Some(start) => start,
            None => {
                self.window.resize(len.max(WINDOW_BYTES), 0);
                let read = self.file.read_at(&mut self.window, offset)?;
                self.window.truncate(read);
                self.window_at = offset;
                0
            }
        };
        let end = (start + len).min(self.window.len());
        Ok(self.window.get(start..end).unwrap_or_default())
    }
}
