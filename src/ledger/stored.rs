//! Where a tree's hashes lie in the order in which [`Frontier::append`](super::Frontier::append) shows them.
//!
//! A node is stored when its last leaf is appended. For n leaves the number of complete nodes is
//! n + ⌊n/2⌋ + ⌊n/4⌋ + … = 2n − (bits set in n); both functions follow from that sum.

/// How many hashes are stored for the first `size` leaves.
pub fn stored_count(size: u64) -> u64 {
    let double = size.checked_mul(2);
    double.map_or(u64::MAX, |double| double.saturating_sub(u64::from(size.count_ones())))
}

/// The position of node `n` of `level`, counted from zero. The node covers the leaves from n·2^level up to, not
/// including, (n+1)·2^level; leaves are level 0.
///
/// Positions beyond [`LEAVES_MAX`](super::LEAVES_MAX) leaves saturate at `u64::MAX`, where nothing is ever stored.
pub fn stored_index(level: u8, n: u64) -> u64 {
    let end = n.saturating_add(1);
    if u32::from(level) > end.leading_zeros() {
        return u64::MAX;
    }
    // Its last leaf is followed by the nodes that leaf completes, one per level.
    let last_leaf = (end << level).saturating_sub(1);
    stored_count(last_leaf).saturating_add(u64::from(level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{Memory, leaf};
    use crate::ledger::{Nodes as _, node_hash};
    use proptest::prelude::*;

    #[test]
    fn the_first_positions() {
        // Leaves 0 and 1, their parent, leaves 2 and 3, their parent, the root of four.
        let order = [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1), (2, 0), (0, 4)];
        for (position, (level, n)) in order.into_iter().enumerate() {
            assert_eq!(stored_index(level, n), u64::try_from(position).unwrap());
        }
        let counts: Vec<u64> = (0..=8).map(stored_count).collect();
        assert_eq!(counts, [0, 1, 3, 4, 7, 8, 10, 11, 15]);
    }

    #[test]
    fn absurd_positions_saturate() {
        assert_eq!(stored_index(255, 0), u64::MAX);
        assert_eq!(stored_index(64, 0), u64::MAX);
        assert_eq!(stored_index(0, u64::MAX), u64::MAX);
        assert_eq!(stored_index(60, 1 << 10), u64::MAX);
        assert_eq!(stored_count(u64::MAX), u64::MAX);
    }

    #[test]
    fn every_stored_node_is_the_hash_of_its_children() {
        let memory = Memory::of_size(300);
        assert_eq!(u64::try_from(memory.stored.len()).unwrap(), stored_count(300));
        for level in 0..8u8 {
            for n in 0..300 >> level {
                let expected = match level.checked_sub(1) {
                    None => leaf(n),
                    Some(below) => node_hash(
                        &memory.node(below, 2 * n).unwrap(),
                        &memory.node(below, 2 * n + 1).unwrap(),
                    ),
                };
                assert_eq!(memory.node(level, n), Ok(expected), "level {level}, {n}");
            }
        }
    }

    proptest! {
        #[test]
        fn positions_agree_with_another_implementation(level in 0..20u8, n in 0..1u64 << 30) {
            prop_assert_eq!(stored_index(level, n), tlog_tiles::stored_hash_index(level, n));
            prop_assert_eq!(stored_count(n), tlog_tiles::stored_hash_count(n));
        }
    }
}
