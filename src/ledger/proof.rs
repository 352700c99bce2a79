//! Inclusion and consistency proofs: made as RFC 6962 §2.1 defines them, checked as RFC 9162 §2.1.3.2 and §2.1.4.2
//! describe.

use super::LEAVES_MAX;
use super::tree::{empty_root, node_hash};
use crate::crypto::Digest;

/// Most hashes that a proof can have: one per level for inclusion, one more for consistency.
pub const PROOF_HASHES_MAX: usize = 64;

/// Where complete subtrees are found.
///
/// Contract: `node(level, n)` is the root of the complete subtree over the leaves from n·2^level up to, not including,
/// (n+1)·2^level. Only nodes whose leaves all lie below the size given to the prover are asked for.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;
    /// The hash of one complete subtree.
    fn node(&self, level: u8, n: u64) -> Result<Digest, Self::Error>;
}

/// Why no proof could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The caller asked for a leaf or a size outside the tree.
    #[error("no such leaf or size in the tree")]
    Range,
    /// The store of nodes failed.
    #[error("a node of the tree could not be read")]
    Nodes(E),
}

/// Why a proof is not one. The prover is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not below the size, or the old size is above the new one, or a size is beyond [`LEAVES_MAX`].
    #[error("no such leaf or size in the tree")]
    Range,
    /// Fewer or more hashes than the position and sizes need.
    #[error("proof has a wrong number of hashes")]
    Length,
    /// The hashes do not lead to the (new) root.
    #[error("proof does not lead to the root")]
    Root,
    /// The hashes do not lead to the old root.
    #[error("proof does not lead to the old root")]
    OldRoot,
}

/// PATH(index, D\[size\]): the siblings from the leaf up (RFC 6962 §2.1.1).
pub fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Digest>, ProveError<N::Error>> {
    if index >= size || size > LEAVES_MAX {
        return Err(ProveError::Range);
    }
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range(nodes, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// PROOF(old, D\[new\]) (RFC 6962 §2.1.2). Nothing needs to be shown if `old` is 0 or equal to `new`: empty then.
pub fn consistency<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Digest>, ProveError<N::Error>> {
    if old > new || new > LEAVES_MAX {
        return Err(ProveError::Range);
    }
    let mut proof = Vec::new();
    if old == 0 {
        return Ok(proof);
    }
    let (mut low, mut high) = (0, new);
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range(nodes, low, middle)?);
            low = middle;
        }
    }
    // The old tree itself is not shown: the verifier has its root.
    if low > 0 {
        proof.push(range(nodes, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf_hash` is the leaf at `index` of the tree with `size` leaves and this root (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    leaf_hash: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size || size > LEAVES_MAX {
        return Err(ProofError::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            skip_unpaired(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match last {
        0 if hash == *root => Ok(()),
        0 => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Checks that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 9162 §2.1.4.2). The empty tree is
/// a prefix of every tree, and equal sizes must have equal roots; both are shown by an empty proof.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old > new || new > LEAVES_MAX {
        return Err(ProofError::Range);
    }
    if new == 0 && *new_root != empty_root() {
        return Err(ProofError::Root);
    }
    if old == 0 || old == new {
        let expected = if old == 0 { empty_root() } else { *new_root };
        return match (proof.is_empty(), *old_root == expected) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::OldRoot),
            (true, true) => Ok(()),
        };
    }
    climb(old, old_root, new, new_root, proof)
}

/// The case 0 < old < new.
fn climb(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    // The largest subtree that ends with the last old leaf; if it is the whole old tree, its hash is known already.
    let shift = old.trailing_zeros();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let mut siblings = proof.iter();
    let start = if node == 0 { old_root } else { siblings.next().ok_or(ProofError::Length)? };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in siblings {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            skip_unpaired(&mut node, &mut last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match last {
        0 if old_hash != *old_root => Err(ProofError::OldRoot),
        0 if new_hash != *new_root => Err(ProofError::Root),
        0 => Ok(()),
        _ => Err(ProofError::Length),
    }
}

/// At the right edge a node without sibling is carried up unchanged until it becomes a right child.
fn skip_unpaired(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// MTH of the leaves from `low` up to, not including, `high`, where `low` is a multiple of a power of two that is no
/// less than the width: the complete subtrees inside, joined from the right.
fn range<N: Nodes>(nodes: &N, low: u64, high: u64) -> Result<Digest, ProveError<N::Error>> {
    let mut roots = Vec::new();
    let mut at = low;
    for level in (0..u8::try_from(u64::BITS).unwrap_or(u8::MAX)).rev() {
        if (high - low) >> level & 1 == 1 {
            roots.push(nodes.node(level, at >> level).map_err(ProveError::Nodes)?);
            at += 1 << level;
        }
    }
    let joined = roots.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    joined.ok_or(ProveError::Range)
}

#[cfg(test)]
mod tests;
