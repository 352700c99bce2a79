//! What a closed segment says of itself, against its frames.

use super::content::Contents;
use super::report::{Fault, VerifyError, at};
use crate::crypto::digest::Digest;
use crate::disk::{DiskFile, read_exact_at};
use crate::journal::footer::{Sections, Trailer};
use crate::ledger::stored::{stored_count, stored_index};
use std::path::Path;

/// A footer whose checksums are right.
#[derive(Debug)]
pub(super) struct Footer {
    trailer: Trailer,
    /// Where its sections begin: the end of the frames.
    pub sections_at: u64,
    sections: Vec<u8>,
}

/// What a segment's frames come to.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Ledger index of the first event.
    pub first_leaf: u64,
    /// Number of events.
    pub events: u64,
    /// The hashes they complete.
    pub nodes: Vec<Digest>,
    /// Their offsets, in units of 8 bytes.
    pub offsets: Vec<u32>,
    /// Where they end.
    pub end: u64,
    /// Root after the last.
    pub root: Option<Digest>,
}

/// What there is where a footer is looked for.
#[derive(Debug)]
pub(super) enum Found {
    /// A footer.
    Sound(Footer),
    /// The file ends with a trailer, but its sections are damaged; they begin here.
    Damaged(u64),
    /// The file does not end with a trailer.
    None,
}

impl Found {
    /// Looks for a footer at the end of a segment.
    pub(super) fn read(file: &dyn DiskFile, path: &Path, header_bytes: u64) -> Result<Self, VerifyError> {
        let Some((trailer, sections_at)) = Trailer::read_anywhere(file).map_err(at(path))? else {
            return Ok(Self::None);
        };
        let end = file.len().map_err(at(path))?.saturating_sub(crate::journal::footer::TRAILER_BYTES as u64);
        let Ok(len) = usize::try_from(end.saturating_sub(sections_at)) else { return Ok(Self::None) };
        if sections_at < header_bytes {
            return Ok(Self::None);
        }
        let sections = read_exact_at(file, sections_at, len).map_err(at(path))?;
        let sound = crc32c::crc32c(&sections) == trailer.sections_crc && trailer.split(&sections).is_some();
        Ok(if sound {
            Self::Sound(Footer { trailer, sections_at, sections })
        } else {
            Self::Damaged(sections_at)
        })
    }
}

impl Footer {
    /// Number of events it tells.
    pub(super) fn events(&self) -> u64 {
        self.trailer.events
    }

    /// Root it tells.
    pub(super) fn root(&self) -> Digest {
        self.trailer.root
    }

    /// Hashes of its segment's leaves, from the `ordinal`-th on.
    pub(super) fn leaves(
        &self,
        first_leaf: u64,
        ordinal: u64,
    ) -> impl Iterator<Item = Option<Digest>> + use<> {
        let hashes = self.sections().hashes;
        (ordinal..self.trailer.events).map(move |ordinal| {
            let index = stored_index(0, first_leaf.checked_add(ordinal)?);
            hashes.get(usize::try_from(index.checked_sub(stored_count(first_leaf))?).ok()?).copied()
        })
    }

    /// All hashes of its segment.
    pub(super) fn nodes(&self) -> Vec<Digest> {
        self.sections().hashes
    }

    /// The sealed state.
    pub(super) fn snapshot(&self) -> &[u8] {
        self.trailer.split(&self.sections).map_or(&[], |sections| sections.snapshot)
    }

    /// Everything that does not follow from the frames, with its offset.
    pub(super) fn check(&self, frames: &Frames, contents: Option<&Contents<'_>>) -> Vec<(u64, Fault)> {
        let sections = self.sections();
        let offsets_at = self.sections_at + self.trailer.hashes * 32;
        let keys_at = offsets_at + self.trailer.events * 4;
        let snapshot_at = keys_at + self.trailer.keys * 12;
        let trailer_at = snapshot_at + self.trailer.snapshot_len;
        let sorted = sections.keys.is_sorted_by(|a, b| a < b)
            && sections.keys.iter().all(|key| u64::from(key.1) < self.trailer.events);
        let keys = sorted && contents.is_none_or(|contents| contents.keys_are(&sections.keys));
        let wrong = [
            (trailer_at, "place", self.trailer.hashes_at != frames.end || self.sections_at != frames.end),
            (trailer_at, "number", self.trailer.events != frames.events),
            (self.sections_at, "hashes", sections.hashes != frames.nodes),
            (offsets_at, "offsets", sections.offsets != frames.offsets),
            (trailer_at, "root", frames.root.is_some_and(|root| root != self.trailer.root)),
            (keys_at, "keys", !keys),
            (snapshot_at, "state", !contents.is_none_or(|contents| contents.state_is(sections.snapshot))),
        ];
        wrong.into_iter().filter(|row| row.2).map(|row| (row.0, Fault::FooterContent(row.1))).collect()
    }

    fn sections(&self) -> Sections<'_> {
        let empty = Sections { hashes: Vec::new(), offsets: Vec::new(), keys: Vec::new(), snapshot: &[] };
        self.trailer.split(&self.sections).unwrap_or(empty)
    }
}
