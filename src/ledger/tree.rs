//! The Merkle tree of RFC 6962 §2.1, kept as its right edge.

use super::LEAVES_MAX;
use crate::crypto::Digest;

/// The hash of a leaf, MTH({d}) = SHA-256(0x00 ‖ d). An entry is the 32-byte commitment to an event, so that tree and
/// proofs disclose nothing.
pub fn leaf_hash(entry: &Digest) -> Digest {
    leaf_hash_of_bytes(entry.as_bytes())
}

/// The hash of a node, SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

fn leaf_hash_of_bytes(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], entry])
}

/// All that must be known of a tree to append to it and to tell its root: one hash per bit set in its size.
///
/// Invariant: `hashes` are the roots of the complete subtrees that the leaves fall into, from the left, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Digest>,
}

/// What was stored as a frontier is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("size and number of hashes do not make the right edge of a tree")]
pub struct FrontierError;

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier from what [`Self::size`] and [`Self::hashes`] told. Whether the hashes are those of the tree is
    /// known only by comparing [`Self::root`] with a signed checkpoint.
    pub fn from_parts(size: u64, hashes: Vec<Digest>) -> Result<Self, FrontierError> {
        let fits = usize::try_from(size.count_ones()).is_ok_and(|count| count == hashes.len());
        if fits && size <= LEAVES_MAX { Ok(Self { size, hashes }) } else { Err(FrontierError) }
    }

    /// The frontier of a tree whose complete nodes are at hand.
    pub fn from_nodes<N: super::proof::Nodes>(size: u64, nodes: &N) -> Result<Self, N::Error> {
        let mut hashes = Vec::new();
        let mut left = 0;
        for level in (0..64).rev().filter(|level| size >> level & 1 == 1) {
            hashes.push(nodes.node(level, left >> level)?);
            left += 1 << level;
        }
        Ok(Self { size, hashes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, from the left; as many as the size has bits set.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// Appends a leaf and shows every node that it completes, in the order of stored hashes: the leaf itself, then
    /// its ancestors from below.
    pub fn append(&mut self, leaf_hash: Digest, mut on_node: impl FnMut(Digest)) {
        let mut node = leaf_hash;
        on_node(node);
        // Each trailing one bit of the size is a complete subtree that waits for a right sibling of its size.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            node = node_hash(&left, &node);
            on_node(node);
        }
        self.hashes.push(node);
        self.size += 1;
    }

    /// The Merkle tree hash (RFC 6962 §2.1).
    pub fn root(&self) -> Digest {
        let mut right_to_left = self.hashes.iter().rev();
        match right_to_left.next() {
            None => empty_root(),
            Some(last) => right_to_left.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{Memory, leaf};
    use proptest::prelude::*;

    /// The roots of the first 0..=8 entries of the reference tree of Certificate Transparency.
    #[test]
    fn known_answers_of_certificate_transparency() {
        let entries: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root().to_string(), roots[0]);
        for (entry, root) in entries.iter().zip(&roots[1..]) {
            frontier.append(leaf_hash_of_bytes(entry), |_| ());
            assert_eq!(&frontier.root().to_string(), root);
        }
    }

    #[test]
    fn only_a_right_edge_is_accepted() {
        assert_eq!(Frontier::from_parts(0, vec![]), Ok(Frontier::new()));
        assert_eq!(Frontier::from_parts(3, vec![Digest::ZERO]), Err(FrontierError));
        assert_eq!(Frontier::from_parts(4, vec![Digest::ZERO; 2]), Err(FrontierError));
        assert_eq!(Frontier::from_parts(LEAVES_MAX << 1, vec![Digest::ZERO]), Err(FrontierError));
    }

    proptest! {
        #[test]
        fn a_frontier_goes_on_after_being_stored(size in 0..600u64, more in 0..40u64) {
            let stored = Memory::of_size(size).frontier;
            let mut again = Frontier::from_parts(stored.size(), stored.hashes().to_vec()).unwrap();
            for index in size..size + more {
                again.append(leaf(index), |_| ());
            }
            prop_assert_eq!(again, Memory::of_size(size + more).frontier);
        }

        #[test]
        fn roots_agree_with_another_implementation(size in 1..600u64) {
            let memory = Memory::of_size(size);
            let reader = |indexes: &[u64]| {
                Ok(indexes
                    .iter()
                    .map(|index| tlog_tiles::Hash(*memory.stored[usize::try_from(*index).unwrap()].as_bytes()))
                    .collect())
            };
            let root = tlog_tiles::tree_hash(size, &Reader(reader)).unwrap();
            prop_assert_eq!(root.0, *memory.root().as_bytes());
        }
    }

    struct Reader<F>(F);

    impl<F: Fn(&[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::tlog::Error>> tlog_tiles::HashReader
        for Reader<F>
    {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::tlog::Error> {
            (self.0)(indexes)
        }
    }
}
