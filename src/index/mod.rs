//! What queries read: a projection of the journal in sled, which can be deleted and rebuilt at any time.
//!
//! Nothing that must not be wrong is asked here. Rows and position change in one batch; after a kill the
//! follower goes on from the position, and after a changed boot or a failed check the whole index is built anew,
//! because sled's flush does not reach the disk.

mod blocks;
mod rows;
mod scan;
#[cfg(test)]
mod tests;

pub use rows::{Direction, Row};
pub use scan::{Flags, Page, Scan};

use blocks::Blocks;
use rows::META;
use std::path::{Path, PathBuf};

/// sled counts a cached node at its size on disk; with rows as small as these memory holds three to four times that.
const RESIDENT_TO_STORED: u64 = 4;

/// Sealed or received messages, their cases and their exceptional states.
#[derive(Debug)]
pub struct Index {
    db: sled::Db,
    settings: Settings,
}

/// What the index belongs to and how large it may grow in memory.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Identifier of the store it projects.
    pub store: [u8; 16],
    /// Identifier of the machine's current boot; after another boot the index is not trusted.
    pub boot: String,
    /// Memory for sled's cache, in bytes.
    pub cache_bytes: u64,
}

/// What an event changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A message was sealed or received.
    Message(Row),
    /// The message sealed at this ledger index was rejected by the other Party.
    Rejected(u64),
    /// The message received at this ledger index was taken over on its own.
    HandedOver(u64),
    /// The case that the message at this ledger index opened stands on these lists, and on no other: bit `n` is list `n`.
    Case(u64, u32),
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// The index cannot be used and must be built anew.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled failed.
    #[error("sled: {0}")]
    Sled(#[from] sled::Error),
    /// sled panicked, which it does on damage.
    #[error("sled panicked")]
    Panicked,
    /// A row is damaged.
    #[error("a row is damaged")]
    Damaged,
}

impl Index {
    /// Opens the index, or makes an empty one where the old one is missing, damaged, of another store or boot.
    pub fn open(path: &Path, settings: Settings) -> Result<Self, IndexError> {
        let Some(newest) = generations(path).into_iter().max() else { return Self::create(path, settings) };
        match Self::try_open(&generation(path, newest), &settings) {
            Ok(index) if index.is_trusted() => Ok(index),
            Ok(_) => Self::create(path, settings),
            Err(error) => {
                tracing::warn!(%error, "the query index is built anew");
                Self::create(path, settings)
            }
        }
    }

    /// Makes an empty index in place of whatever is there.
    ///
    /// Each has a folder of its own: one that failed may still be held by a thread of this process and be written to.
    pub fn create(path: &Path, settings: Settings) -> Result<Self, IndexError> {
        let old = generations(path);
        for number in &old {
            // What cannot be removed now is removed the next time.
            let _ = std::fs::remove_dir_all(generation(path, *number));
        }
        let next = old.into_iter().max().map_or(0, |newest| newest.wrapping_add(1));
        let index = Self::try_open(&generation(path, next), &settings)?;
        index.guarded(|db| {
            db.insert(META, rows::meta(&index.settings, 0))?;
            db.flush()?;
            Ok(())
        })?;
        Ok(index)
    }

    /// Events the index covers.
    pub fn position(&self) -> Result<u64, IndexError> {
        self.guarded(|db| {
            let meta = db.get(META)?.ok_or(IndexError::Damaged)?;
            rows::position(&self.settings, &meta).ok_or(IndexError::Damaged)
        })
    }

    /// Applies changes and the position they lead to, all or nothing.
    pub fn apply(&self, changes: &[Change], position: u64) -> Result<(), IndexError> {
        self.guarded(|db| {
            let mut blocks = Blocks::new(db);
            for change in changes {
                blocks.change(change)?;
            }
            let mut batch = blocks.into_batch();
            batch.insert(META, rows::meta(&self.settings, position));
            Ok(db.apply_batch(batch)?)
        })
    }

    /// Hands changes to the operating system. Nothing rests on it but the time a restart takes.
    pub fn flush(&self) -> Result<(), IndexError> {
        self.guarded(|db| Ok(db.flush().map(drop)?))
    }

    /// Looks through messages, newest first, for those that match.
    pub fn scan(&self, scan: Scan, matches: impl FnMut(&Row, Flags) -> bool) -> Result<Page, IndexError> {
        self.guarded(|db| scan.run(db, matches))
    }

    /// How many cases stand on a list.
    pub fn count(&self, list: u8) -> Result<u64, IndexError> {
        self.guarded(|db| {
            let mut count = 0;
            for entry in db.range(rows::list_key(list, 0)..=rows::list_key(list, u64::MAX)) {
                let (key, value) = entry?;
                count += u64::from(rows::decode_marks(&key, &value)?.count_ones());
            }
            Ok(count)
        })
    }

    /// Every entry, in order, for comparison with an index built anew.
    pub fn entries(&self) -> Result<Vec<Entry>, IndexError> {
        self.guarded(|db| {
            db.iter()
                .map(|entry| {
                    entry.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(IndexError::from)
                })
                .collect()
        })
    }

    fn try_open(path: &Path, settings: &Settings) -> Result<Self, IndexError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(settings.cache_bytes / RESIDENT_TO_STORED)
            // Flushing is the follower's, at its own pace.
            .flush_every_ms(None)
            .mode(sled::Mode::HighThroughput);
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        let db = opened.map_err(|_| IndexError::Panicked)??;
        Ok(Self { db, settings: settings.clone() })
    }

    fn is_trusted(&self) -> bool {
        let meta = self.guarded(|db| Ok(db.get(META)?));
        meta.is_ok_and(|meta| meta.is_some_and(|meta| rows::position(&self.settings, &meta).is_some()))
    }

    /// sled panics on some kinds of damage; here that is an error like any other.
    fn guarded<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, IndexError>) -> Result<T, IndexError> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&self.db)))
            .map_err(|_| IndexError::Panicked)?
    }
}

/// Folder of one generation of the index.
fn generation(path: &Path, number: u64) -> PathBuf {
    path.join(format!("generation-{number}"))
}

/// Numbers of the generations that have a folder.
fn generations(path: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("generation-")?.parse().ok())
        .collect()
}
