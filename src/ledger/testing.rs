//! A whole tree in memory, for tests alone.

use super::proof::Nodes;
use super::stored::stored_index;
use super::tree::{Frontier, leaf_hash};
use crate::crypto::Digest;

/// Stored hashes in the order in which the frontier completes them.
#[derive(Default)]
pub(crate) struct Memory {
    pub frontier: Frontier,
    pub stored: Vec<Digest>,
}

/// The node asked for is not complete, or never will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing;

impl Memory {
    /// A tree of the entries SHA-256("0"), SHA-256("1"), ...
    pub fn of_size(size: u64) -> Self {
        let mut memory = Self::default();
        for index in 0..size {
            memory.append(leaf(index));
        }
        memory
    }

    pub fn append(&mut self, leaf: Digest) {
        let stored = &mut self.stored;
        self.frontier.append(leaf, |node| stored.push(node));
    }

    pub fn root(&self) -> Digest {
        self.frontier.root()
    }
}

impl Nodes for Memory {
    type Error = Missing;

    fn node(&self, level: u8, n: u64) -> Result<Digest, Missing> {
        let index = usize::try_from(stored_index(level, n)).map_err(|_| Missing)?;
        self.stored.get(index).copied().ok_or(Missing)
    }
}

/// The hash of the leaf at `index` of [`Memory::of_size`].
pub(crate) fn leaf(index: u64) -> Digest {
    leaf_hash(&Digest::of(index.to_string().as_bytes()))
}
