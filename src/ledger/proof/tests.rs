//! Known answers, a second implementation, and every way to spoil a proof.

use super::*;
use crate::ledger::testing::{Memory, Missing, leaf};
use proptest::prelude::*;

#[test]
fn every_leaf_of_every_small_tree_is_proved() {
    let memory = Memory::of_size(70);
    for size in 1..=70 {
        let root = Memory::of_size(size).root();
        for index in 0..size {
            let proof = inclusion(&memory, index, size).unwrap();
            assert_eq!(
                verify_inclusion(&leaf(index), index, size, &proof, &root),
                Ok(()),
                "{index} of {size}"
            );
        }
        assert_eq!(inclusion(&memory, size, size), Err(ProveError::Range));
    }
}

#[test]
fn every_pair_of_small_sizes_is_consistent() {
    let memory = Memory::of_size(70);
    let roots: Vec<Digest> = (0..=70).map(|size| Memory::of_size(size).root()).collect();
    for (new, new_root) in (0..=70).zip(&roots) {
        for (old, old_root) in (0..=new).zip(&roots) {
            let proof = consistency(&memory, old, new).unwrap();
            assert_eq!(verify_consistency(old, old_root, new, new_root, &proof), Ok(()), "{old} to {new}");
        }
        assert_eq!(consistency(&memory, new + 1, new), Err(ProveError::Range));
    }
}

/// RFC 6962 §2.1.3 draws a tree of seven leaves and names the nodes of these proofs.
#[test]
fn the_examples_of_rfc_6962() {
    let memory = Memory::of_size(7);
    let node = |level, n| memory.node(level, n).unwrap();
    let (c, d, f, j) = (node(0, 2), node(0, 3), node(0, 5), node(0, 6));
    let (g, h, i, k) = (node(1, 0), node(1, 1), node(1, 2), node(2, 0));
    let l = node_hash(&i, &j);
    assert_eq!(inclusion(&memory, 0, 7), Ok(vec![leaf(1), h, l]));
    assert_eq!(inclusion(&memory, 3, 7), Ok(vec![c, g, l]));
    assert_eq!(inclusion(&memory, 4, 7), Ok(vec![f, j, k]));
    assert_eq!(inclusion(&memory, 6, 7), Ok(vec![i, k]));
    assert_eq!(consistency(&memory, 3, 7), Ok(vec![c, d, g, l]));
    assert_eq!(consistency(&memory, 4, 7), Ok(vec![l]));
    assert_eq!(consistency(&memory, 6, 7), Ok(vec![i, j, k]));
}

#[test]
fn empty_and_equal_trees_need_no_proof() {
    let (empty, other) = (empty_root(), Digest::of(b"other"));
    assert_eq!(verify_consistency(0, &empty, 5, &other, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &other, 5, &other, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(0, &empty, 5, &other, &[other]), Err(ProofError::Length));
    assert_eq!(verify_consistency(0, &empty, 0, &other, &[]), Err(ProofError::Root));
    assert_eq!(verify_consistency(5, &other, 5, &other, &[]), Ok(()));
    assert_eq!(verify_consistency(5, &other, 5, &empty, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(5, &other, 5, &other, &[other]), Err(ProofError::Length));
}

#[test]
fn positions_outside_the_tree_are_refused() {
    let root = Digest::of(b"root");
    assert_eq!(verify_inclusion(&root, 0, 1, &[], &root), Ok(()));
    assert_eq!(verify_inclusion(&root, 1, 1, &[], &root), Err(ProofError::Range));
    assert_eq!(verify_inclusion(&root, 0, 0, &[], &root), Err(ProofError::Range));
    assert_eq!(verify_inclusion(&root, 0, LEAVES_MAX + 1, &[], &root), Err(ProofError::Range));
    assert_eq!(verify_consistency(2, &root, 1, &root, &[]), Err(ProofError::Range));
    assert_eq!(verify_consistency(1, &root, u64::MAX, &root, &[]), Err(ProofError::Range));
    assert_eq!(inclusion(&Memory::default(), 0, 1), Ok(vec![]));
    assert_eq!(inclusion(&Memory::default(), 0, 2), Err(ProveError::Nodes(Missing)));
    assert_eq!(inclusion(&Memory::default(), 0, u64::MAX), Err(ProveError::Range));
}

/// A hash changed, dropped, repeated, or two swapped.
fn spoil(proof: &[Digest], how: u8, at: prop::sample::Index, bit: u8) -> Vec<Digest> {
    let mut spoilt = proof.to_vec();
    if spoilt.is_empty() {
        return vec![Digest::ZERO];
    }
    let at = at.index(spoilt.len());
    match how {
        0 => {
            let mut bytes = *spoilt[at].as_bytes();
            bytes[usize::from(bit)] ^= 1;
            spoilt[at] = Digest::from(bytes);
        }
        1 => drop(spoilt.remove(at)),
        2 => spoilt.insert(at, spoilt[at]),
        _ => spoilt.rotate_left(1),
    }
    if spoilt == proof { vec![] } else { spoilt }
}

proptest! {
    #[test]
    fn no_spoilt_inclusion_proof_verifies(
        size in 2..=300u64, at: prop::sample::Index, how in 0..4u8, which: prop::sample::Index, bit in 0..32u8,
    ) {
        let memory = Memory::of_size(size);
        let index = u64::try_from(at.index(usize::try_from(size).unwrap())).unwrap();
        let proof = inclusion(&memory, index, size).unwrap();
        let (leaf_here, root) = (leaf(index), memory.root());
        prop_assert_eq!(verify_inclusion(&leaf_here, index, size, &proof, &root), Ok(()));
        let spoilt = spoil(&proof, how, which, bit);
        prop_assert!(verify_inclusion(&leaf_here, index, size, &spoilt, &root).is_err());
        prop_assert!(verify_inclusion(&leaf(size), index, size, &proof, &root).is_err());
        let elsewhere = (index + 1) % size;
        prop_assert!(verify_inclusion(&leaf_here, elsewhere, size, &proof, &root).is_err());
    }

    #[test]
    fn no_spoilt_consistency_proof_verifies(
        sizes in (2..=300u64).prop_flat_map(|new| (1..new, Just(new))),
        how in 0..4u8, which: prop::sample::Index, bit in 0..32u8,
    ) {
        let (old, new) = sizes;
        let memory = Memory::of_size(new);
        let (old_root, new_root) = (Memory::of_size(old).root(), memory.root());
        let proof = consistency(&memory, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
        let spoilt = spoil(&proof, how, which, bit);
        prop_assert!(verify_consistency(old, &old_root, new, &new_root, &spoilt).is_err());
        prop_assert!(verify_consistency(old, &new_root, new, &new_root, &proof).is_err());
        prop_assert!(verify_consistency(old, &old_root, new, &old_root, &proof).is_err());
    }

    #[test]
    fn proofs_equal_those_of_another_implementation(
        sizes in (1..=300u64).prop_flat_map(|new| (1..=new, Just(new))), at: prop::sample::Index,
    ) {
        let (old, new) = sizes;
        let memory = Memory::of_size(new);
        let index = u64::try_from(at.index(usize::try_from(new).unwrap())).unwrap();
        let theirs = tlog_tiles::prove_record(new, index, &Reader(&memory)).unwrap();
        prop_assert_eq!(bytes(&inclusion(&memory, index, new).unwrap()), theirs);
        let theirs = tlog_tiles::prove_tree(new, old, &Reader(&memory)).unwrap();
        prop_assert_eq!(bytes(&consistency(&memory, old, new).unwrap()), theirs);
    }

    #[test]
    fn arbitrary_proofs_never_panic(
        index: u64, old: u64, new: u64, proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Digest> = proof.into_iter().map(Digest::from).collect();
        let root = Digest::of(b"root");
        let (low, high) = (old % LEAVES_MAX, new % LEAVES_MAX);
        prop_assert!(verify_inclusion(&root, index % LEAVES_MAX, high + 1, &proof, &root).is_err() || high == 0);
        prop_assert!(verify_consistency(low + 1, &root, high + 2, &root, &proof).is_err() || low == high + 1);
    }
}

struct Reader<'a>(&'a Memory);

impl tlog_tiles::HashReader for Reader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::tlog::Error> {
        let stored = |index: &u64| self.0.stored[usize::try_from(*index).unwrap()];
        Ok(indexes.iter().map(|index| tlog_tiles::Hash(*stored(index).as_bytes())).collect())
    }
}

fn bytes(proof: &[Digest]) -> Vec<tlog_tiles::Hash> {
    proof.iter().map(|hash| tlog_tiles::Hash(*hash.as_bytes())).collect()
}
