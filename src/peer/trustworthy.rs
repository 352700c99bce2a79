//! What this daemon knows of the other ledger between two proofs.

use super::Link;
use super::introduction::Mismatch;
use crate::channel::state::PeerHead;
use crate::ledger::Checkpoint;
use crate::limits;
use crate::wire::ledger::v1::ContradictionKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use tokio::time::timeout;

/// Whether the ledger that the other daemon introduced itself with is proven to extend the one accepted here. Until then
/// nothing it delivers is taken in: a copy of its store must not get its messages through before it is noticed.
#[derive(Debug, Clone)]
pub(super) struct Proven(Arc<watch::Sender<bool>>);

impl Default for Proven {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Proven {
    /// The other daemon showed this head. One that was accepted before needs no proof, and before the first there is
    /// nothing to extend.
    pub fn opened(&self, accepted: PeerHead, shown: &Checkpoint) {
        self.0.send_replace(accepted.size == 0 || shown.size == accepted.size);
    }

    /// Its ledger was proven.
    pub fn prove(&self) {
        self.0.send_replace(true);
    }

    /// Waits for the proof. False when it does not come.
    pub async fn is_proven(&self) -> bool {
        let mut proven = self.0.subscribe();
        timeout(limits::OPEN_ANSWER, proven.wait_for(|proven| *proven)).await.is_ok_and(|it| it.is_ok())
    }
}

/// Whether the other Party's daemon was told that the head it showed is not proven. Once may be a head that was overtaken
/// on its way, or a proof that was garbled; again is another ledger. Two roots of one size need no second time.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts(Arc<AtomicBool>);

impl Doubts {
    /// Notes a head that does not extend the one accepted.
    pub async fn note(&self, link: &Link, shown: &Checkpoint, note: &str) {
        let PeerHead { size, root } = link.engine.state().peer_head();
        let kind = match shown.size.cmp(&size) {
            std::cmp::Ordering::Equal if shown.root != root => ContradictionKind::Fork,
            std::cmp::Ordering::Less => ContradictionKind::Rollback,
            _ => ContradictionKind::Unproven,
        };
        if kind == ContradictionKind::Fork || self.0.swap(true, Ordering::AcqRel) {
            link.contradicted(kind, shown, note).await;
        }
    }

    /// Notes how the other daemon introduced itself.
    pub async fn note_introduction(&self, link: &Link, mismatch: &Mismatch, note: &str) {
        if let Mismatch::Fork(shown) | Mismatch::PeerHeadBehind(shown) = mismatch {
            self.note(link, shown, note).await;
        }
    }

    pub fn forget(&self) {
        self.0.store(false, Ordering::Release);
    }
}
