//! The footer of a closed segment: what makes start-up and look-ups independent of the store's size.
//!
//! # Layout, after the last frame, integers little-endian
//!
//! ```text
//! hashes    32 bytes each: the stored hashes of the segment's leaves, in the ledger's numbering
//! offsets    4 bytes each: offset of each event's frame, in units of 8 bytes
//! keys      12 bytes each: fingerprint (8), ordinal of the event in the segment (4); sorted
//! snapshot  sealed by the caller: the state after the segment's last event
//! trailer   96 bytes:
//!    0    8  magic "A6END" 00 00 01
//!    8    8  number of events
//!   16    8  offset of the hashes
//!   24    8  number of hashes
//!   32    8  number of keys
//!   40    8  length of the snapshot
//!   48   32  root hash after the segment's last event
//!   80    8  zero
//!   88    4  CRC32C of everything from the hashes to here
//!   92    4  CRC32C of bytes 0..92 of the trailer
//! ```
//!
//! Everything but the snapshot can be derived again from the frames, and is by `verify`.

use crate::crypto::digest::Digest;
use crate::disk::{DiskFile, read_exact_at};
use std::io;

/// Length of the trailer in bytes.
pub const TRAILER_BYTES: usize = 96;
const MAGIC: [u8; 8] = *b"A6END\0\0\x01";
/// Bytes of one key entry.
const KEY_BYTES: usize = 12;
/// Key entries read to either side of the expected place.
const WINDOW: u64 = 192;

/// Fingerprint of a look-up key: the first 8 bytes of its SHA-256. A hit is a candidate, a miss is a miss.
pub type Fingerprint = u64;

/// Everything a footer is made of.
#[derive(Debug)]
pub struct Footer<'a> {
    /// Stored hashes of the segment.
    pub hashes: &'a [Digest],
    /// Frame offsets in units of 8 bytes.
    pub offsets: &'a [u32],
    /// Fingerprints with the ordinal of their event, sorted.
    pub keys: &'a [(Fingerprint, u32)],
    /// Sealed snapshot.
    pub snapshot: &'a [u8],
    /// Root after the last event.
    pub root: Digest,
}

/// Where things stand in a closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Number of events.
    pub events: u64,
    /// Offset of the hashes: the end of the frames.
    pub hashes_at: u64,
    /// Number of hashes.
    pub hashes: u64,
    /// Number of keys.
    pub keys: u64,
    /// Length of the snapshot.
    pub snapshot_len: u64,
    /// Root after the last event.
    pub root: Digest,
    /// CRC32C of the sections.
    pub sections_crc: u32,
}

/// The sections of a footer, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections<'a> {
    /// Stored hashes of the segment.
    pub hashes: Vec<Digest>,
    /// Frame offsets in units of 8 bytes.
    pub offsets: Vec<u32>,
    /// Fingerprints with the ordinal of their event.
    pub keys: Vec<(Fingerprint, u32)>,
    /// Sealed snapshot.
    pub snapshot: &'a [u8],
}

impl Footer<'_> {
    /// The footer's bytes, to stand at `hashes_at`.
    pub fn encode(&self, hashes_at: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            self.hashes.len() * 32
                + self.offsets.len() * 4
                + self.keys.len() * KEY_BYTES
                + self.snapshot.len()
                + TRAILER_BYTES,
        );
        for hash in self.hashes {
            out.extend_from_slice(hash.as_bytes());
        }
        for offset in self.offsets {
            out.extend_from_slice(&offset.to_le_bytes());
        }
        for (fingerprint, ordinal) in self.keys {
            out.extend_from_slice(&fingerprint.to_le_bytes());
            out.extend_from_slice(&ordinal.to_le_bytes());
        }
        out.extend_from_slice(self.snapshot);
        let sections_crc = crc32c::crc32c(&out);
        let trailer_at = out.len();
        out.extend_from_slice(&MAGIC);
        for number in [
            self.offsets.len() as u64,
            hashes_at,
            self.hashes.len() as u64,
            self.keys.len() as u64,
            self.snapshot.len() as u64,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(self.root.as_bytes());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&sections_crc.to_le_bytes());
        let crc = crc32c::crc32c(out.get(trailer_at..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }
}

impl Trailer {
    /// Reads the trailer at the end of a file; `None` when the file does not end with one.
    pub fn read(file: &dyn DiskFile) -> io::Result<Option<Self>> {
        let len = file.len()?;
        let Some(at) = len.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let bytes = read_exact_at(file, at, TRAILER_BYTES)?;
        Ok(Self::decode(&bytes).filter(|trailer| trailer.trailer_at() == Some(at)))
    }

    /// Reads the trailer at the end of a file and tells where its sections begin, which is not where it says when
    /// bytes were taken from or put into the file before it; for `verify`.
    pub fn read_anywhere(file: &dyn DiskFile) -> io::Result<Option<(Self, u64)>> {
        let Some(at) = file.len()?.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let trailer = Self::decode(&read_exact_at(file, at, TRAILER_BYTES)?);
        Ok(trailer.and_then(|trailer| {
            let len = trailer.trailer_at()?.checked_sub(trailer.hashes_at)?;
            Some((trailer, at.checked_sub(len)?))
        }))
    }

    /// Splits the sections' bytes: hashes, offsets, keys, snapshot. `None` when there are fewer than the trailer says.
    pub fn split<'a>(&self, sections: &'a [u8]) -> Option<Sections<'a>> {
        let count = |number: u64, size: usize| usize::try_from(number).ok()?.checked_mul(size);
        let (hashes, rest) = sections.split_at_checked(count(self.hashes, 32)?)?;
        let (offsets, rest) = rest.split_at_checked(count(self.events, 4)?)?;
        let (keys, snapshot) = rest.split_at_checked(count(self.keys, KEY_BYTES)?)?;
        let key = |entry: &[u8; KEY_BYTES]| {
            let [a, b, c, d, e, f, g, h, ordinal @ ..] = *entry;
            (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u32::from_le_bytes(ordinal))
        };
        Some(Sections {
            hashes: hashes.as_chunks::<32>().0.iter().map(|hash| Digest::from(*hash)).collect(),
            offsets: offsets.as_chunks::<4>().0.iter().map(|units| u32::from_le_bytes(*units)).collect(),
            keys: keys.as_chunks::<KEY_BYTES>().0.iter().map(key).collect(),
            snapshot,
        })
    }

    /// Reads the sealed snapshot.
    pub fn snapshot(&self, file: &dyn DiskFile) -> io::Result<Vec<u8>> {
        read_exact_at(file, self.keys_at() + self.keys * KEY_BYTES as u64, as_len(self.snapshot_len)?)
    }

    /// The `n`-th stored hash of the segment.
    pub fn hash(&self, file: &dyn DiskFile, n: u64) -> io::Result<Digest> {
        if n >= self.hashes {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes = read_exact_at(file, self.hashes_at + n * 32, 32)?;
        Digest::from_slice(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Offset of the frame of the segment's `ordinal`-th event.
    pub fn frame_at(&self, file: &dyn DiskFile, ordinal: u64) -> io::Result<u64> {
        if ordinal >= self.events {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let bytes = read_exact_at(file, self.offsets_at() + ordinal * 4, 4)?;
        let units = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        Ok(u64::from(units) * super::frame::ALIGNMENT as u64)
    }

    /// Ordinals of the events that carry the fingerprint. Fingerprints are uniform, so the first window
    /// read, around the expected place, nearly always holds the answer.
    pub fn find(&self, file: &dyn DiskFile, fingerprint: Fingerprint) -> io::Result<Vec<u32>> {
        let expected = (u128::from(fingerprint) * u128::from(self.keys)) >> 64;
        let expected = u64::try_from(expected).unwrap_or(0);
        let mut start = expected.saturating_sub(WINDOW);
        let mut end = (expected + WINDOW).min(self.keys);
        loop {
            let window = self.keys_between(file, start, end)?;
            let before = start > 0 && window.first().is_none_or(|key| key.0 >= fingerprint);
            let after = end < self.keys && window.last().is_none_or(|key| key.0 <= fingerprint);
            if !before && !after {
                return Ok(window.iter().filter(|key| key.0 == fingerprint).map(|key| key.1).collect());
            }
            let width = end - start;
            start = if before { start.saturating_sub(width) } else { start };
            end = if after { end.saturating_add(width).min(self.keys) } else { end };
        }
    }

    fn keys_between(&self, file: &dyn DiskFile, start: u64, end: u64) -> io::Result<Vec<(Fingerprint, u32)>> {
        let bytes = read_exact_at(
            file,
            self.keys_at() + start * KEY_BYTES as u64,
            as_len((end - start) * KEY_BYTES as u64)?,
        )?;
        Ok(bytes
            .as_chunks::<KEY_BYTES>()
            .0
            .iter()
            .map(|entry| {
                let [a, b, c, d, e, f, g, h, ordinal @ ..] = *entry;
                (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u32::from_le_bytes(ordinal))
            })
            .collect())
    }

    fn offsets_at(&self) -> u64 {
        self.hashes_at + self.hashes * 32
    }

    fn keys_at(&self) -> u64 {
        self.offsets_at() + self.events * 4
    }

    /// Where the trailer itself must stand; `None` when its numbers overflow.
    fn trailer_at(&self) -> Option<u64> {
        let hashes = self.hashes.checked_mul(32)?;
        let offsets = self.events.checked_mul(4)?;
        let keys = self.keys.checked_mul(KEY_BYTES as u64)?;
        [hashes, offsets, keys, self.snapshot_len].into_iter().try_fold(self.hashes_at, u64::checked_add)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; TRAILER_BYTES] = bytes.first_chunk()?;
        let number =
            |at: usize| -> Option<u64> { Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)) };
        let word = |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)) };
        if bytes[..8] != MAGIC || bytes[80..88] != [0; 8] || crc32c::crc32c(&bytes[..92]) != word(92)? {
            return None;
        }
        Some(Self {
            events: number(8)?,
            hashes_at: number(16)?,
            hashes: number(24)?,
            keys: number(32)?,
            snapshot_len: number(40)?,
            root: Digest::from_slice(&bytes[48..80])?,
            sections_crc: word(88)?,
        })
    }

    /// Reads all sections and checks their checksum; for `verify` and scrub.
    pub fn sections(&self, file: &dyn DiskFile) -> io::Result<Option<Vec<u8>>> {
        let Some(end) = self.trailer_at() else { return Ok(None) };
        let bytes = read_exact_at(file, self.hashes_at, as_len(end - self.hashes_at)?)?;
        Ok((crc32c::crc32c(&bytes) == self.sections_crc).then_some(bytes))
    }
}

fn as_len(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

/// Fingerprint of a look-up key.
pub fn fingerprint(parts: &[&[u8]]) -> Fingerprint {
    let digest = Digest::of_parts(parts);
    digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, SystemDisk};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_key_is_found_and_no_other(numbers in proptest::collection::vec(0u32..5000, 0..3000), absent in 5000u32..9000) {
            let mut keys: Vec<_> = numbers.iter().enumerate()
                .map(|(ordinal, number)| (fingerprint(&[&number.to_le_bytes()]), u32::try_from(ordinal).unwrap()))
                .collect();
            keys.sort_unstable();
            let footer = Footer { hashes: &[Digest::of(b"h")], offsets: &[8, 9], keys: &keys, snapshot: b"state", root: Digest::of(b"r") };
            let folder = tempfile::tempdir().unwrap();
            let file = SystemDisk.create(&folder.path().join("f")).unwrap();
            file.write_at(&[1; 64], 0).unwrap();
            file.write_at(&footer.encode(64), 64).unwrap();
            let trailer = Trailer::read(file.as_ref()).unwrap().unwrap();
            prop_assert_eq!(trailer.snapshot(file.as_ref()).unwrap(), b"state");
            prop_assert_eq!(trailer.hash(file.as_ref(), 0).unwrap(), Digest::of(b"h"));
            prop_assert_eq!(trailer.frame_at(file.as_ref(), 1).unwrap(), 72);
            prop_assert!(trailer.sections(file.as_ref()).unwrap().is_some());
            for number in numbers.iter().take(50) {
                let wanted = fingerprint(&[&number.to_le_bytes()]);
                let found = trailer.find(file.as_ref(), wanted).unwrap();
                let expected: Vec<u32> = keys.iter().filter(|key| key.0 == wanted).map(|key| key.1).collect();
                prop_assert_eq!(found, expected);
            }
            prop_assert!(trailer.find(file.as_ref(), fingerprint(&[&absent.to_le_bytes()])).unwrap().is_empty());
        }

        #[test]
        fn arbitrary_trailers_never_panic(bytes in proptest::collection::vec(any::<u8>(), TRAILER_BYTES)) {
            prop_assert!(Trailer::decode(&bytes).is_none());
        }
    }
}
