//! Segment files: names and headers.
//!
//! # Layout of the header, 64 bytes, integers little-endian
//!
//! ```text
//! offset size
//!      0    8  magic "A6SEG" 00 00 01; the last byte is the format's version
//!      8   16  identifier of the store
//!     24    8  number of the segment, from 0
//!     32    8  ledger index of its first event
//!     40   20  zero
//!     60    4  CRC32C of bytes 0..60
//! ```

use super::StoreId;
use std::path::{Path, PathBuf};

/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 64;
/// Version of frame, segment, footer and head file formats together.
pub const FORMAT_VERSION: u8 = 1;

const MAGIC: [u8; 7] = *b"A6SEG\0\0";

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The store it belongs to.
    pub store: StoreId,
    /// Its number, from 0.
    pub number: u64,
    /// Ledger index of its first event.
    pub first_leaf: u64,
}

/// Why a header is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Damaged, or no segment.
    #[error("the header is damaged")]
    Damaged,
    /// Written by a later version of the software.
    #[error("the file has format {0}, this software writes {FORMAT_VERSION}")]
    Newer(u8),
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..7].copy_from_slice(&MAGIC);
        bytes[7] = FORMAT_VERSION;
        bytes[8..24].copy_from_slice(&self.store.0);
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_leaf.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderError::Damaged)?;
        let number = |at: usize| {
            bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_le_bytes)
        };
        if bytes[..7] != MAGIC || crc32c::crc32c(&bytes[..60]).to_le_bytes() != bytes[60..] {
            return Err(HeaderError::Damaged);
        }
        if bytes[7] != FORMAT_VERSION {
            return Err(HeaderError::Newer(bytes[7]));
        }
        let mut store = [0; 16];
        store.copy_from_slice(&bytes[8..24]);
        Ok(Self { store: StoreId(store), number: number(24), first_leaf: number(32) })
    }
}

/// Path of a segment in the journal's folder.
pub fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.segment"))
}

/// The segment number that a file name stands for, if it is a segment's.
pub fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".segment")?;
    (digits.len() == 12).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_names_read_back() {
        let header = Header { store: StoreId([7; 16]), number: 3, first_leaf: 99 };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok(header));
        assert_eq!(number(&path(Path::new("/j"), 3).file_name().unwrap().to_string_lossy()), Some(3));
        for at in 0..HEADER_BYTES {
            let mut flipped = bytes;
            flipped[at] ^= 1;
            assert!(Header::decode(&flipped).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_later_format_is_named() {
        let mut bytes = Header { store: StoreId([7; 16]), number: 0, first_leaf: 0 }.encode();
        bytes[7] = 9;
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Header::decode(&bytes), Err(HeaderError::Newer(9)));
    }
}
