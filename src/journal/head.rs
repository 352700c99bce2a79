//! The head file: the daemon's own memory of its last commit, on another path than the journal.
//!
//! # Layout
//!
//! Two slots of 4096 bytes, written in turn, integers little-endian; the valid slot with the higher
//! generation counts. A torn write can only hurt the slot being written.
//!
//! ```text
//! offset size
//!      0    8  magic "A6HEAD" 00 01
//!      8   16  identifier of the store
//!     24    8  generation, from 1
//!     32    8  size: events committed
//!     40   32  root hash at that size
//!     72    8  number of the segment that holds the last batch
//!     80    8  offset in that segment after the last batch
//!     88    4  CRC32C of bytes 0..88
//! ```

use super::StoreId;
use crate::crypto::digest::Digest;
use crate::disk::DiskFile;
use std::io;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"A6HEAD\0\x01";
const SLOT_BYTES: u64 = SLOT_LEN as u64;
const SLOT_LEN: usize = 4096;
const USED_BYTES: usize = 92;

/// The last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Events committed.
    pub size: u64,
    /// Root hash at that size.
    pub root: Digest,
    /// Segment that holds the last batch.
    pub segment: u64,
    /// Offset in that segment after the last batch.
    pub offset: u64,
}

/// Length of a head file in bytes.
pub const FILE_BYTES: u64 = 2 * SLOT_BYTES;

/// What one half of a head file holds; for `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Nothing but zeros.
    Blank,
    /// A head of this store and its generation.
    Head(u64, Head),
    /// Anything else.
    Damaged,
}

/// Both slots, read strictly: what the format leaves unused must be zero.
pub fn slots(file: &dyn DiskFile, store: StoreId) -> io::Result<[Slot; 2]> {
    Ok([slot(file, store, 0)?, slot(file, store, 1)?])
}

fn slot(file: &dyn DiskFile, store: StoreId, number: u64) -> io::Result<Slot> {
    let mut bytes = [0; SLOT_LEN];
    if file.read_at(&mut bytes, number * SLOT_BYTES)? < bytes.len() {
        return Ok(Slot::Damaged);
    }
    let (used, unused) = bytes.split_at(USED_BYTES);
    if unused.iter().any(|byte| *byte != 0) {
        return Ok(Slot::Damaged);
    }
    if used.iter().all(|byte| *byte == 0) {
        return Ok(Slot::Blank);
    }
    let decoded = used.first_chunk().and_then(|used| decode(used, store));
    // Slots are written in turn, so a generation belongs to one of them.
    let decoded = decoded.filter(|(generation, _)| generation % 2 == number);
    Ok(decoded.map_or(Slot::Damaged, |(generation, head)| Slot::Head(generation, head)))
}

/// The open head file.
#[derive(Debug)]
pub struct HeadFile {
    file: Arc<dyn DiskFile>,
    store: StoreId,
    generation: u64,
}

impl HeadFile {
    /// Takes a new, empty file into use.
    pub fn create(file: Arc<dyn DiskFile>, store: StoreId) -> io::Result<Self> {
        file.allocate(0, 2 * SLOT_BYTES)?;
        Ok(Self { file, store, generation: 0 })
    }

    /// Reads the last head; `None` when neither slot is valid for this store.
    pub fn open(file: Arc<dyn DiskFile>, store: StoreId) -> io::Result<Option<(Self, Head)>> {
        let mut best: Option<(u64, Head)> = None;
        for slot in 0..2 {
            let mut bytes = [0; USED_BYTES];
            if file.read_at(&mut bytes, slot * SLOT_BYTES)? < USED_BYTES {
                continue;
            }
            if let Some((generation, head)) = decode(&bytes, store)
                && best.is_none_or(|(newest, _)| generation > newest)
            {
                best = Some((generation, head));
            }
        }
        Ok(best.map(|(generation, head)| (Self { file, store, generation }, head)))
    }

    /// Writes and syncs the next head.
    pub fn write(&mut self, head: &Head) -> io::Result<()> {
        let generation = self.generation + 1;
        self.file.write_at(&encode(generation, head, self.store), (generation % 2) * SLOT_BYTES)?;
        self.file.sync()?;
        self.generation = generation;
        Ok(())
    }
}

fn encode(generation: u64, head: &Head, store: StoreId) -> [u8; USED_BYTES] {
    let mut bytes = [0; USED_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..24].copy_from_slice(&store.0);
    bytes[24..32].copy_from_slice(&generation.to_le_bytes());
    bytes[32..40].copy_from_slice(&head.size.to_le_bytes());
    bytes[40..72].copy_from_slice(head.root.as_bytes());
    bytes[72..80].copy_from_slice(&head.segment.to_le_bytes());
    bytes[80..88].copy_from_slice(&head.offset.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..88]);
    bytes[88..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; USED_BYTES], store: StoreId) -> Option<(u64, Head)> {
    let number = |at: usize| -> Option<u64> { Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)) };
    let sound = bytes[..8] == MAGIC
        && bytes[8..24] == store.0
        && crc32c::crc32c(&bytes[..88]).to_le_bytes() == bytes[88..];
    if !sound {
        return None;
    }
    let head = Head {
        size: number(32)?,
        root: Digest::from_slice(&bytes[40..72])?,
        segment: number(72)?,
        offset: number(80)?,
    };
    Some((number(24)?, head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, SystemDisk};

    fn head(size: u64) -> Head {
        Head { size, root: Digest::of(&size.to_le_bytes()), segment: 1, offset: size * 8 }
    }

    #[test]
    fn a_torn_write_leaves_the_head_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreId([1; 16]);
        let file = SystemDisk.create(&folder.path().join("head")).unwrap();
        let mut heads = HeadFile::create(file.clone(), store).unwrap();
        assert!(HeadFile::open(file.clone(), store).unwrap().is_none());
        for size in 1..=5 {
            heads.write(&head(size)).unwrap();
            assert_eq!(HeadFile::open(file.clone(), store).unwrap().unwrap().1, head(size));
        }
        for at in 0..USED_BYTES as u64 {
            let mut byte = [0];
            file.read_at(&mut byte, SLOT_BYTES + at).unwrap();
            file.write_at(&[byte[0] ^ 1], SLOT_BYTES + at).unwrap();
            assert_eq!(HeadFile::open(file.clone(), store).unwrap().unwrap().1, head(4), "byte {at}");
            file.write_at(&byte, SLOT_BYTES + at).unwrap();
        }
        assert!(HeadFile::open(file, StoreId([2; 16])).unwrap().is_none(), "another store's head");
    }
}
