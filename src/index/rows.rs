//! The entries of the index: messages and marks, by blocks of ledger indexes.
//!
//! ```text
//! 0                       -> version (1) store (16) boot digest (4) position (8) CRC32C (4)
//! 'm' block (8)           -> a row for each message in the block, ascending; CRC32C (4)
//!     a row:                 place in the block (1) direction (1) sequence (8) message (16) case (16)
//!                            recorded_at seconds (8)
//! 'c' case (16) block (8) -> marks (4) CRC32C (4): messages of the case
//! 'x' block (8)           -> marks (4) CRC32C (4): messages that the other Party rejected
//! 'h' block (8)           -> marks (4) CRC32C (4): messages that were taken over on their own
//! 'k' list (1) block (8)  -> marks (4) CRC32C (4): messages that opened the cases of a list
//! ```
//!
//! Numbers are big-endian. A block is [`BLOCK`] ledger indexes; a mark is the bit of a place, the lowest first. Each
//! checksum is over the key, then the content. sled's cost is by the entry: a block costs little more than a row would.

use super::{IndexError, Settings};

/// Ledger indexes of one block: as many as a set of marks has bits.
pub(super) const BLOCK: u64 = 32;

pub(super) const META: &[u8] = &[0];
pub(super) const MESSAGE: u8 = b'm';
pub(super) const CASE: u8 = b'c';
pub(super) const REJECTED: u8 = b'x';
pub(super) const HANDED_OVER: u8 = b'h';
pub(super) const CASES: u8 = b'k';

/// Version of this layout; another is built anew.
const VERSION: u8 = 3;
/// Length of an encoded row.
const ROW_BYTES: usize = 50;

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Sealed here.
    Sent,
    /// Received from the other Party.
    Received,
}

/// A message as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Ledger index of its event.
    pub leaf: u64,
    /// Whose message it is.
    pub direction: Direction,
    /// Place in its chain.
    pub sequence: u64,
    /// Its identity.
    pub message_id: [u8; 16],
    /// Its case.
    pub case_id: [u8; 16],
    /// When it was recorded here, in seconds since 1970.
    pub recorded_at: i64,
}

impl Row {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.leaf % BLOCK).unwrap_or(u8::MAX));
        out.push(match self.direction {
            Direction::Sent => 1,
            Direction::Received => 2,
        });
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.message_id);
        out.extend_from_slice(&self.case_id);
        out.extend_from_slice(&self.recorded_at.to_be_bytes());
    }

    fn decode(block: u64, bytes: &[u8; ROW_BYTES]) -> Option<Self> {
        let place = u64::from(*bytes.first()?);
        let direction = match bytes.get(1)? {
            1 => Direction::Sent,
            2 => Direction::Received,
            _ => return None,
        };
        Some(Self {
            leaf: block.checked_mul(BLOCK)?.checked_add(place).filter(|_| place < BLOCK)?,
            direction,
            sequence: u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?),
            message_id: *bytes.get(10..)?.first_chunk()?,
            case_id: *bytes.get(26..)?.first_chunk()?,
            recorded_at: i64::from_be_bytes(*bytes.get(42..)?.first_chunk()?),
        })
    }
}

/// The rows of a block, ascending.
pub(super) fn encode_rows<'a>(block: u64, rows: impl Iterator<Item = &'a Row>) -> Vec<u8> {
    let mut bytes = Vec::new();
    rows.for_each(|row| row.encode(&mut bytes));
    with_checksum(&key(MESSAGE, block), bytes)
}

pub(super) fn decode_rows(block: u64, bytes: &[u8]) -> Result<Vec<Row>, IndexError> {
    let content = checked(&key(MESSAGE, block), bytes)?;
    let (rows, []) = content.as_chunks() else { return Err(IndexError::Damaged) };
    rows.iter().map(|row| Row::decode(block, row).ok_or(IndexError::Damaged)).collect()
}

/// The mark of a ledger index in its block.
pub(super) fn mark(leaf: u64) -> u32 {
    1 << (leaf % BLOCK)
}

pub(super) fn encode_marks(key: &[u8], marks: u32) -> Vec<u8> {
    with_checksum(key, marks.to_be_bytes().to_vec())
}

pub(super) fn decode_marks(key: &[u8], bytes: &[u8]) -> Result<u32, IndexError> {
    let marks: &[u8; 4] = checked(key, bytes)?.try_into().map_err(|_| IndexError::Damaged)?;
    Ok(u32::from_be_bytes(*marks))
}

pub(super) fn key(kind: u8, block: u64) -> Vec<u8> {
    [&[kind][..], &block.to_be_bytes()].concat()
}

pub(super) fn case_key(case: &[u8; 16], block: u64) -> Vec<u8> {
    [&[CASE][..], case, &block.to_be_bytes()].concat()
}

pub(super) fn list_key(list: u8, block: u64) -> Vec<u8> {
    [&[CASES, list][..], &block.to_be_bytes()].concat()
}

/// The block at the end of a key.
pub(super) fn block(key: &[u8]) -> Result<u64, IndexError> {
    key.last_chunk().map(|block| u64::from_be_bytes(*block)).ok_or(IndexError::Damaged)
}

pub(super) fn meta(settings: &Settings, position: u64) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&settings.store);
    bytes.extend_from_slice(&crc32c::crc32c(settings.boot.as_bytes()).to_be_bytes());
    bytes.extend_from_slice(&position.to_be_bytes());
    with_checksum(META, bytes)
}

/// The position, when the index is of this layout, store and boot.
pub(super) fn position(settings: &Settings, bytes: &[u8]) -> Option<u64> {
    let position = u64::from_be_bytes(*bytes.get(21..)?.first_chunk()?);
    (meta(settings, position) == bytes).then_some(position)
}

fn with_checksum(key: &[u8], mut content: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(key), &content);
    content.extend_from_slice(&checksum.to_be_bytes());
    content
}

fn checked<'a>(key: &[u8], bytes: &'a [u8]) -> Result<&'a [u8], IndexError> {
    let (content, checksum) = bytes.split_last_chunk::<4>().ok_or(IndexError::Damaged)?;
    let expected = crc32c::crc32c_append(crc32c::crc32c(key), content);
    if expected.to_be_bytes() == *checksum { Ok(content) } else { Err(IndexError::Damaged) }
}
