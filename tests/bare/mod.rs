//! The signatures and hashes of a store and nothing else: taken out of it beforehand, checked on all cores.

mod collect;

use anyhow::ensure;
use article6::crypto::certificate::Certificate;
use article6::crypto::cms;
use article6::crypto::digest::{Digest, commitment};
use article6::ledger::proof::verify_inclusion;
use article6::ledger::{Checkpoint, Cosigner, Frontier, Note, Vkey, leaf_hash};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::thread;

/// One signature, or what is hashed of one event.
enum Item {
    /// Envelope, signature, certificate.
    Message(Bytes, Bytes, Arc<Certificate>),
    /// A signed checkpoint.
    Note(String, Vkey),
    /// A cosigned one.
    Cosigned(String, Vkey, Cosigner),
    /// Salt and content, with what they commit to.
    Commitment(Vec<u8>, Bytes, Digest),
    /// Bytes that are named by their digest.
    Digest(Bytes, Digest),
    /// Leaf, index, size, proof and root.
    Inclusion(Digest, u64, u64, Vec<Digest>, Digest),
}

/// Everything of a store.
#[derive(Default)]
pub struct Bare {
    items: Vec<Item>,
    /// Leaf entries, in order, and the root they lead to.
    leaves: Vec<Digest>,
    root: Option<Digest>,
}

impl Bare {
    /// Checks everything.
    pub fn check(&self) -> anyhow::Result<()> {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        // Small shares, handed out in turn: no core waits for another.
        let shares: Vec<Vec<&Item>> =
            (0..workers).map(|worker| self.items.iter().skip(worker).step_by(workers).collect()).collect();
        thread::scope(|scope| {
            let running: Vec<_> = shares
                .iter()
                .map(|share| scope.spawn(move || share.iter().all(|item| item.holds())))
                .collect();
            let mut frontier = Frontier::new();
            self.leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf), |_| {}));
            ensure!(Some(frontier.root()) == self.root, "the leaves do not lead to the root");
            ensure!(running.into_iter().all(|it| it.join().unwrap_or(false)), "something does not hold");
            Ok(())
        })
    }
}

impl Item {
    fn holds(&self) -> bool {
        match self {
            Self::Message(envelope, signature, certificate) => {
                cms::verify(signature, certificate, envelope).is_ok()
            }
            Self::Note(note, vkey) => Checkpoint::verify(note, vkey).is_ok(),
            Self::Cosigned(note, vkey, cosigner) => {
                Checkpoint::verify(note, vkey).is_ok()
                    && Note::parse(note).is_ok_and(|note| cosigner.cosigned_at(&note).is_ok())
            }
            Self::Commitment(salt, content, committed) => {
                salt.as_slice().try_into().is_ok_and(|salt| commitment(salt, content) == *committed)
            }
            Self::Digest(bytes, digest) => Digest::of(bytes) == *digest,
            Self::Inclusion(leaf, index, size, hashes, root) => {
                verify_inclusion(leaf, *index, *size, hashes, root).is_ok()
            }
        }
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |is: fn(&Item) -> bool| self.items.iter().filter(|item| is(item)).count();
        write!(
            f,
            "{} events, {} signatures of messages, {} of checkpoints, {} hashes",
            self.leaves.len(),
            count(|item| matches!(item, Item::Message(..))),
            count(|item| matches!(item, Item::Note(..) | Item::Cosigned(..))),
            count(|item| matches!(item, Item::Commitment(..) | Item::Digest(..) | Item::Inclusion(..))),
        )
    }
}
