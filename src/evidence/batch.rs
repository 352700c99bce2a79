//! Batch after batch: events against their checkpoint.

use super::report::Fault;
use super::signatures::Job;
use super::tree::{Grown, told_size};
use super::walk::{Batch, Current, Walk};
use crate::crypto::digest::Digest;
use crate::journal::frame::{ALIGNMENT, FrameError};
use crate::ledger::tree::leaf_hash;

impl Walk<'_> {
    /// Whether a batch beyond the head is complete, so that the daemon keeps it.
    pub(super) fn continues(&self, batch: &Batch, root: &Digest) -> bool {
        let commitments =
            batch.events.iter().map(|(_, event, _)| event.as_ref().map(|event| event.commitment));
        match self.ledger.grow(commitments) {
            Some(grown) => grown.root() == *root,
            None => self.ledger.frontier.is_none(),
        }
    }

    /// Takes the batch in that ends with this checkpoint, and checks the checkpoint itself.
    pub(super) fn checkpoint(
        &mut self,
        current: &mut Current,
        offset: u64,
        end: u64,
        root: &Digest,
        note: String,
        exact: bool,
    ) {
        let told = told_size(&note, root);
        // A key that comes into use within a batch does not sign it yet; one that goes out of use signed it last.
        let mut known = self.ledger_keys();
        let clean = self.batch(current, Some((root, told)));
        known.extend(self.ledger_keys());
        let last = self.ledger.size.saturating_sub(1);
        current.frames.end = end;
        let checked = match self.ledger.check_text(&note, self.ledger.size, root, &known) {
            _ if !exact => Err(Fault::FrameForm),
            checked => checked,
        };
        match checked {
            Ok(vkeys) if vkeys.is_empty() => {}
            Ok(vkeys) => self.jobs.push((last, offset, Job::Checkpoint { note, vkeys })),
            Err(fault) if clean => self.findings.damage(Some(last), &current.name, offset, fault),
            Err(_) => {}
        }
        self.collect_jobs();
        for (head, seen) in self.heads.iter().zip(&mut self.seen) {
            *seen |= (head.segment, head.offset, head.size) == (current.number, end, self.ledger.size)
                && head.root == *root;
        }
    }

    /// Takes the events of a batch in. `checkpoint` is the root that its checkpoint tells and the size, if it does.
    /// Returns whether nothing was wrong.
    pub(super) fn batch(
        &mut self,
        current: &mut Current,
        checkpoint: Option<(&Digest, Option<u64>)>,
    ) -> bool {
        let batch = std::mem::take(&mut current.batch);
        let first = self.ledger.size;
        let mut wrong = self.open_events(&batch, first);
        let commitments =
            || batch.events.iter().map(|(_, event, _)| event.as_ref().map(|event| event.commitment));
        let root = checkpoint.map(|(root, _)| *root);
        let fits = |grown: &Grown| root.is_none_or(|root| grown.root() == root);
        let mut grown = self.ledger.grow(commitments()).filter(fits);
        if grown.is_none() && self.ledger.frontier.is_some() {
            grown = self.by_footer(current, &batch, first, checkpoint, &mut wrong);
            let offset = batch.events.first().map_or(current.frames.end, |event| event.0);
            if grown.is_none() && wrong.is_empty() && !batch.is_broken {
                wrong.push((first, offset, Fault::Root(batch.events.len() as u64)));
            }
        }
        let clean = wrong.is_empty() && !batch.is_broken;
        for (leaf, offset, fault) in wrong {
            self.findings.damage(Some(leaf), &current.name, offset, fault);
        }
        self.events += batch.events.len() as u64;
        current.frames.events += batch.events.len() as u64;
        let units = |offset: u64| u32::try_from(offset / ALIGNMENT as u64).unwrap_or(u32::MAX);
        current.frames.offsets.extend(batch.events.iter().map(|event| units(event.0)));
        match grown {
            Some(grown) => {
                current.frames.nodes.extend_from_slice(&grown.nodes);
                self.ledger.accept(grown);
            }
            None => {
                let told = checkpoint.and_then(|(_, told)| told).filter(|told| !clean && *told >= first);
                let counted = first.saturating_add(batch.events.len() as u64);
                self.ledger.size = told.unwrap_or(counted);
                self.ledger.frontier = None;
                if self.ledger.size != counted {
                    self.lose();
                }
            }
        }
        clean
    }

    fn open_events(&mut self, batch: &Batch, first: u64) -> Vec<(u64, u64, Fault)> {
        let mut wrong = Vec::new();
        for (leaf, (offset, event, is_damaged)) in (first..).zip(&batch.events) {
            if *is_damaged {
                wrong.push((leaf, *offset, FrameError::Content.into()));
            }
            let Some(contents) = &mut self.contents else { continue };
            let taken = event.as_ref().map(|event| contents.take(leaf, *offset, event));
            match taken {
                Some(Err(fault)) if !is_damaged => wrong.push((leaf, *offset, fault)),
                None => contents.lose(),
                _ => {}
            }
        }
        wrong
    }

    /// Where the events do not lead to the checkpoint, the footer may tell which of them are others.
    fn by_footer(
        &self,
        current: &Current,
        batch: &Batch,
        first: u64,
        checkpoint: Option<(&Digest, Option<u64>)>,
        wrong: &mut Vec<(u64, u64, Fault)>,
    ) -> Option<Grown> {
        let footer = current.footer.as_ref()?;
        let (root, told) = checkpoint?;
        let first_leaf = current.frames.first_leaf;
        let count = told.map_or(batch.events.len() as u64, |told| told.saturating_sub(first));
        let count = usize::try_from(count).ok()?;
        let leaves: Vec<_> = footer.leaves(first_leaf, first.checked_sub(first_leaf)?).take(count).collect();
        let grown = self.ledger.grow_by_hashes(leaves.iter().copied())?;
        if grown.root() != *root {
            return None;
        }
        if wrong.is_empty() {
            let found = (first..).zip(&batch.events).zip(&leaves);
            let other = found.filter_map(|((leaf, (offset, event, _)), named)| {
                let hash = event.as_ref().map(|event| leaf_hash(&event.commitment))?;
                (Some(hash) != *named).then_some((leaf, *offset, Fault::Leaf))
            });
            wrong.extend(other);
        }
        (batch.events.len() == leaves.len()).then_some(grown)
    }
}
