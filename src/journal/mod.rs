//! The only truth: an append-only log of sealed events in segment files.
//!
//! Reading order: [`frame`], [`segment`], [`footer`], [`head`] the
//! formats · [`identity`] what marks a folder as a store · [`open`] creation and recovery · [`writer`] the one
//! commit · [`reader`] what everyone else sees.
//!
//! Invariants:
//! * Nothing is visible to a [`reader::Reader`] before its commit is durable.
//! * A commit is: frames and their checkpoint, synced; then the head file, synced.
//! * Bytes at or below the head never change. Opening repairs nothing there; it refuses.
//! * In memory stands what the open segment needs, nothing that grows with history but a few words for each
//!   closed segment.

pub mod footer;
pub mod frame;
pub mod head;
pub mod identity;
pub mod open;
pub mod reader;
pub mod segment;
mod tail;
pub mod writer;

/// Identifies a store; random, made by `init`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreId(pub [u8; 16]);

/// Where the journal's parts are.
#[derive(Debug, Clone)]
pub struct Paths {
    /// Folder of the store.
    pub data: std::path::PathBuf,
    /// The head file, best on another file system.
    pub head: std::path::PathBuf,
}

impl Paths {
    /// Folder of the segment files.
    pub fn segments(&self) -> std::path::PathBuf {
        self.data.join("journal")
    }
}

/// Sizes that the operator may set.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// A segment is closed before its frames exceed this many bytes.
    pub segment_bytes: u64,
    /// Space is allocated in steps of this many bytes.
    pub step_bytes: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, step_bytes: 8 << 20 }
    }
}
