//! The rows of the index: small, fixed in size, each with its own checksum.
//!
//! ```text
//! 0                  -> store (16) boot digest (4) position (8) CRC32C (4)
//! 'm' leaf (8, BE)   -> direction (1) sequence (8) message (16) case (16) recorded_at seconds (8) CRC32C (4)
//! 'c' case (16) leaf -> nothing
//! 'x' leaf           -> nothing: rejected by the other Party
//! 'h' leaf           -> nothing: taken over on its own
//! ```

use super::Settings;

pub(super) const META: &[u8] = &[0];
pub(super) const MESSAGE: u8 = b'm';
pub(super) const CASE: u8 = b'c';
pub(super) const REJECTED: u8 = b'x';
pub(super) const HANDED_OVER: u8 = b'h';

/// Length of an encoded row.
const ROW_BYTES: usize = 53;

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
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROW_BYTES);
        bytes.push(match self.direction {
            Direction::Sent => 1,
            Direction::Received => 2,
        });
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.message_id);
        bytes.extend_from_slice(&self.case_id);
        bytes.extend_from_slice(&self.recorded_at.to_be_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&self.leaf.to_be_bytes()), &bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes
    }

    pub(super) fn decode(leaf: u64, bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ROW_BYTES] = bytes.try_into().ok()?;
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        if crc32c::crc32c_append(crc32c::crc32c(&leaf.to_be_bytes()), content).to_be_bytes() != *crc {
            return None;
        }
        let direction = match content.first()? {
            1 => Direction::Sent,
            2 => Direction::Received,
            _ => return None,
        };
        Some(Self {
            leaf,
            direction,
            sequence: u64::from_be_bytes(*content.get(1..)?.first_chunk()?),
            message_id: *content.get(9..)?.first_chunk()?,
            case_id: *content.get(25..)?.first_chunk()?,
            recorded_at: i64::from_be_bytes(*content.get(41..)?.first_chunk()?),
        })
    }
}

pub(super) fn key(kind: u8, leaf: u64) -> Vec<u8> {
    [&[kind][..], &leaf.to_be_bytes()].concat()
}

pub(super) fn case_key(case: &[u8; 16], leaf: u64) -> Vec<u8> {
    [&[CASE][..], case, &leaf.to_be_bytes()].concat()
}

/// The ledger index at the end of a key.
pub(super) fn leaf(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|leaf| u64::from_be_bytes(*leaf))
}

pub(super) fn meta(settings: &Settings, position: u64) -> Vec<u8> {
    let mut bytes = settings.store.to_vec();
    bytes.extend_from_slice(&crc32c::crc32c(settings.boot.as_bytes()).to_be_bytes());
    bytes.extend_from_slice(&position.to_be_bytes());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// The position, when the index is of this store and boot.
pub(super) fn position(settings: &Settings, bytes: &[u8]) -> Option<u64> {
    let position = u64::from_be_bytes(*bytes.get(20..)?.first_chunk()?);
    (meta(settings, position) == bytes).then_some(position)
}
