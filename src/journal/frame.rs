//! The unit of the journal: one event, or the signed checkpoint that ends a batch.
//!
//! # Layout
//!
//! All integers little-endian. A frame begins at a multiple of 8 bytes and is padded with zeros to one.
//!
//! ```text
//! offset size
//!      0    4  magic "A6F1"; four zero bytes here mean: nothing was written from here on
//!      4    1  class: 1 event, 2 checkpoint
//!      5    3  zero
//!      8    4  record length R in bytes
//!     12    4  item length I in bytes; 0 without an item
//!     16    4  CRC32C of bytes 0..16
//!     20    4  CRC32C of bytes 24..88+R+I
//!     24   32  event: commitment, the ledger's leaf entry; checkpoint: root hash
//!     56   32  event: seed from which the sealing keys are derived; checkpoint: zero
//!     88    R  event: record, sealed; checkpoint: C2SP signed checkpoint, in clear
//!   88+R    I  item, sealed
//! ```
//!
//! Lengths, class, checksums, commitment and checkpoint are all that stands in clear: frames, tree and
//! checkpoints can be checked without any key.

use crate::crypto::digest::Digest;

/// Bytes before the record.
pub const HEADER_BYTES: usize = 88;
/// Frames begin at multiples of this many bytes.
pub const ALIGNMENT: usize = 8;
/// Longest sealed record, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Longest sealed item, in bytes.
pub const ITEM_BYTES_MAX: usize = 512 << 10;

const MAGIC: [u8; 4] = *b"A6F1";
const CLASS_EVENT: u8 = 1;
const CLASS_CHECKPOINT: u8 = 2;

/// An event as it goes to disk: everything but the commitment and the seed is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvent {
    /// SHA-256(salt || event): the ledger's leaf entry.
    pub commitment: Digest,
    /// Random; the sealing keys are derived from it.
    pub seed: [u8; 32],
    /// Sealed under the store's metadata key.
    pub record: Vec<u8>,
    /// Sealed under the item's own key; empty without an item.
    pub item: Vec<u8>,
}

/// One frame, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// An event.
    Event(SealedEvent),
    /// The end of a batch.
    Checkpoint {
        /// Root hash of the ledger with all events before this frame.
        root: Digest,
        /// C2SP signed checkpoint.
        note: String,
    },
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing was written here.
    #[error("nothing was written here")]
    Blank,
    /// The frame goes on beyond the bytes given.
    #[error("the frame is cut off")]
    Cut,
    /// The frame's header is damaged.
    #[error("the frame's header is damaged")]
    Header,
    /// The frame's content is damaged.
    #[error("the frame's content is damaged")]
    Content,
}

/// Length on disk, padding included, of an event with a record and an item of these lengths.
pub fn event_len(record: usize, item: usize) -> usize {
    (HEADER_BYTES + record + item).next_multiple_of(ALIGNMENT)
}

/// Appends an event's frame.
pub fn put_event(out: &mut Vec<u8>, event: &SealedEvent) {
    put(out, CLASS_EVENT, &event.commitment, &event.seed, &event.record, &event.item);
}

/// Appends a checkpoint's frame.
pub fn put_checkpoint(out: &mut Vec<u8>, root: &Digest, note: &str) {
    put(out, CLASS_CHECKPOINT, root, &[0; 32], note.as_bytes(), &[]);
}

/// The frame at the start of `bytes` and its length on disk.
pub fn parse(bytes: &[u8]) -> Result<(Frame, usize), FrameError> {
    let (header, len) = header(bytes)?;
    let body = bytes.get(24..HEADER_BYTES + header.record + header.item).ok_or(FrameError::Cut)?;
    let padding = bytes.get(HEADER_BYTES + header.record + header.item..len).ok_or(FrameError::Cut)?;
    if crc32c::crc32c(body) != header.content_crc || padding.iter().any(|byte| *byte != 0) {
        return Err(FrameError::Content);
    }
    let (digest, rest) = body.split_at_checked(32).ok_or(FrameError::Content)?;
    let (seed, rest) = rest.split_first_chunk::<32>().ok_or(FrameError::Content)?;
    let (record, item) = rest.split_at_checked(header.record).ok_or(FrameError::Content)?;
    let digest = Digest::from_slice(digest).ok_or(FrameError::Content)?;
    let frame = match header.class {
        CLASS_EVENT => Frame::Event(SealedEvent {
            commitment: digest,
            seed: *seed,
            record: record.to_vec(),
            item: item.to_vec(),
        }),
        _ => Frame::Checkpoint {
            root: digest,
            note: String::from_utf8(record.to_vec()).map_err(|_| FrameError::Content)?,
        },
    };
    Ok((frame, len))
}

/// Length on disk of the frame whose first bytes are given; only its header is checked.
pub fn peek_len(bytes: &[u8]) -> Result<usize, FrameError> {
    header(bytes).map(|(_, len)| len)
}

/// What a frame's header says of it, whatever became of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// An event; otherwise a checkpoint.
    pub is_event: bool,
    /// Length on disk, in bytes.
    pub len: usize,
}

/// Reads a frame's header alone.
pub fn outline(bytes: &[u8]) -> Result<Outline, FrameError> {
    header(bytes).map(|(header, len)| Outline { is_event: header.class == CLASS_EVENT, len })
}

/// The event that a frame with a sound header holds, although its content may be damaged; for `verify`.
pub fn salvage(bytes: &[u8]) -> Option<SealedEvent> {
    let (header, _) = header(bytes).ok()?;
    let record_at = HEADER_BYTES;
    let item_at = record_at + header.record;
    if header.class != CLASS_EVENT {
        return None;
    }
    Some(SealedEvent {
        commitment: Digest::from_slice(bytes.get(24..56)?)?,
        seed: bytes.get(56..record_at)?.try_into().ok()?,
        record: bytes.get(record_at..item_at)?.to_vec(),
        item: bytes.get(item_at..item_at + header.item)?.to_vec(),
    })
}

struct Header {
    class: u8,
    record: usize,
    item: usize,
    content_crc: u32,
}

fn header(bytes: &[u8]) -> Result<(Header, usize), FrameError> {
    let header: &[u8; 24] = bytes.first_chunk().ok_or(FrameError::Cut)?;
    let word = |at: usize| {
        header.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    let (magic, class, zero) = (word(0), header[4], &header[5..8]);
    if header.iter().take(20).all(|byte| *byte == 0) {
        return Err(FrameError::Blank);
    }
    let (record, item) = (word(8) as usize, word(12) as usize);
    let sound = magic == u32::from_le_bytes(MAGIC)
        && matches!(class, CLASS_EVENT | CLASS_CHECKPOINT)
        && zero == [0; 3]
        && record <= RECORD_BYTES_MAX
        && item <= ITEM_BYTES_MAX
        && crc32c::crc32c(&header[..16]) == word(16);
    if !sound {
        return Err(FrameError::Header);
    }
    let len = event_len(record, item);
    Ok((Header { class, record, item, content_crc: word(20) }, len))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "both lengths are bounded far below 4 GiB where they are made"
)]
fn put(out: &mut Vec<u8>, class: u8, digest: &Digest, seed: &[u8; 32], record: &[u8], item: &[u8]) {
    debug_assert!(record.len() <= RECORD_BYTES_MAX && item.len() <= ITEM_BYTES_MAX);
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[class, 0, 0, 0]);
    out.extend_from_slice(&(record.len() as u32).to_le_bytes());
    out.extend_from_slice(&(item.len() as u32).to_le_bytes());
    let header_crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&header_crc.to_le_bytes());
    let content_crc = [digest.as_bytes(), seed.as_slice(), record, item]
        .iter()
        .fold(0, |crc, part| crc32c::crc32c_append(crc, part));
    out.extend_from_slice(&content_crc.to_le_bytes());
    out.extend_from_slice(digest.as_bytes());
    out.extend_from_slice(seed);
    out.extend_from_slice(record);
    out.extend_from_slice(item);
    out.resize(start + event_len(record.len(), item.len()), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = SealedEvent> {
        (
            any::<[u8; 32]>(),
            any::<[u8; 32]>(),
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(any::<u8>(), 0..200),
        )
            .prop_map(|(commitment, seed, record, item)| SealedEvent {
                commitment: Digest::from_slice(&commitment).unwrap(),
                seed,
                record,
                item,
            })
    }

    proptest! {
        #[test]
        fn a_frame_reads_back_as_written(event in event()) {
            let mut bytes = Vec::new();
            put_event(&mut bytes, &event);
            prop_assert_eq!(bytes.len() % ALIGNMENT, 0);
            prop_assert_eq!(peek_len(&bytes), Ok(bytes.len()));
            prop_assert_eq!(parse(&bytes), Ok((Frame::Event(event), bytes.len())));
        }

        #[test]
        fn no_bit_flip_goes_unnoticed(event in event(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = Vec::new();
            put_event(&mut bytes, &event);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(parse(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }
    }

    #[test]
    fn zeros_are_blank_and_a_cut_frame_is_cut() {
        assert_eq!(parse(&[0; 88]), Err(FrameError::Blank));
        let mut bytes = Vec::new();
        put_checkpoint(&mut bytes, &Digest::of(b"root"), "note");
        for cut in 1..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Err(FrameError::Cut), "at {cut}");
        }
    }
}
