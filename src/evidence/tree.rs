//! The ledger's tree, recomputed batch by batch, and the texts of its checkpoints.

use super::report::Fault;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::tree::{Frontier, leaf_hash};

/// The ledger up to where it was verified.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Number of events: the ledger index of the next.
    pub size: u64,
    /// The tree's right edge; `None` behind damage that it cannot be recomputed past.
    pub frontier: Option<Frontier>,
    /// Whose ledger it is.
    terms: Option<Terms>,
    /// Epoch of the last checkpoint.
    epoch: u32,
}

/// A tree with some more events, not accepted yet.
#[derive(Debug)]
pub(super) struct Grown {
    frontier: Frontier,
    /// The hashes that the events complete, in the ledger's order.
    pub nodes: Vec<Digest>,
}

impl Ledger {
    /// The empty ledger.
    pub(super) fn new(terms: Option<Terms>) -> Self {
        Self { size: 0, frontier: Some(Frontier::default()), terms, epoch: 1 }
    }

    /// The tree with some more events; `None` when a commitment is not known, or the tree before them.
    pub(super) fn grow(&self, commitments: impl Iterator<Item = Option<Digest>>) -> Option<Grown> {
        self.grow_by_hashes(commitments.map(|commitment| commitment.map(|it| leaf_hash(&it))))
    }

    /// The tree with some more events, by the hashes of their leaves.
    pub(super) fn grow_by_hashes(&self, hashes: impl Iterator<Item = Option<Digest>>) -> Option<Grown> {
        Grown::of(self.frontier.as_ref()?, hashes)
    }

    /// Takes over a tree that was found to be right.
    pub(super) fn accept(&mut self, grown: Grown) {
        self.size = grown.frontier.size();
        self.frontier = Some(grown.frontier);
    }

    /// The root, if it can be told.
    pub(super) fn root(&self) -> Option<Digest> {
        self.frontier.as_ref().map(Frontier::root)
    }

    /// Checks a checkpoint's text against its place, and returns the keys of which one must have signed it.
    ///
    /// `root` is what its frame says, `size` the number of events before it.
    pub(super) fn check_text(
        &mut self,
        note: &str,
        size: u64,
        root: &Digest,
        ledger_keys: &[[u8; 32]],
    ) -> Result<Vec<Vkey>, Fault> {
        let parsed = Note::parse(note).map_err(|error| Fault::Checkpoint(error.into()))?;
        let checkpoint = Checkpoint::parse(parsed.text()).map_err(Fault::Checkpoint)?;
        let epoch =
            epoch(&checkpoint.origin).filter(|epoch| *epoch >= self.epoch).ok_or(Fault::CheckpointText)?;
        let ours = self.terms.as_ref().is_none_or(|terms| terms.origin(epoch) == checkpoint.origin);
        if !ours || checkpoint.size != size || checkpoint.root != *root || parsed.signatures().len() != 1 {
            return Err(Fault::CheckpointText);
        }
        self.epoch = epoch;
        let vkeys = ledger_keys.iter().map(|key| Vkey::new(&checkpoint.origin, *key));
        vkeys.collect::<Result<_, _>>().map_err(|error| Fault::Checkpoint(error.into()))
    }
}

impl Grown {
    /// A tree and some more events.
    pub(super) fn of(from: &Frontier, hashes: impl Iterator<Item = Option<Digest>>) -> Option<Self> {
        let (mut frontier, mut nodes) = (from.clone(), Vec::new());
        for hash in hashes {
            frontier.append(hash?, |node| nodes.push(node));
        }
        Some(Self { frontier, nodes })
    }

    /// Its root.
    pub(super) fn root(&self) -> Digest {
        self.frontier.root()
    }
}

/// The number of events that a checkpoint's text tells, if it tells of this root.
pub(super) fn told_size(note: &str, root: &Digest) -> Option<u64> {
    let checkpoint = Checkpoint::parse(Note::parse(note).ok()?.text()).ok()?;
    (checkpoint.root == *root).then_some(checkpoint.size)
}

fn epoch(origin: &str) -> Option<u32> {
    let (_, text) = origin.rsplit_once('/')?;
    text.parse().ok().filter(|epoch: &u32| *epoch > 0 && epoch.to_string() == text)
}
