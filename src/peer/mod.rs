//! The door to the other Party.
//!
//! Reading order: [`introduction`] who we are and where our chains stand · [`service`] what the other Party's daemon
//! may ask of us · [`courier`] the task that brings our messages there, for as long as it takes; `answer` what comes
//! back, `trouble` why a session ends · `witness` how the two ledgers guard each other, `cosigning` and `retraction` what a
//! cosignature may say, `trustworthy` what is known of
//! the other one meanwhile · [`complaint`] receipts that do not come · `trusted` whose signatures are accepted ·
//! [`rotation`] keys that are introduced and retired · `epochs`, `recall`, [`restoring`], [`revoking`] after a
//! store was put back from a backup or keys were stolen.

mod answer;
pub mod complaint;
mod cosigning;
pub mod courier;
mod epochs;
pub mod introduction;
mod recall;
pub mod restoring;
mod retraction;
pub mod revoking;
pub mod rotation;
pub mod service;
mod trouble;
mod trusted;
mod trustworthy;
mod witness;

/// The generated service package.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated from the protos, which carry the documentation"
)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/peer/article6.peer.v1.rs"));
}

use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::exchange::engine::Engine;
use crate::exchange::heads::contradiction;
use crate::ledger::Checkpoint;
use crate::wire::ledger::v1::ContradictionKind;
use arc_swap::ArcSwap;
use std::sync::Arc;
pub use trusted::Trusted;

/// What the configuration trusts of the other Party.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Certificates of the keys that sign its envelopes.
    pub signing: Vec<Certificate>,
    /// Its ledger's Ed25519 public keys.
    pub ledger_keys: Vec<[u8; 32]>,
}

/// What both directions of the channel share.
#[derive(Debug, Clone)]
pub struct Link {
    /// The engine.
    pub engine: Engine,
    /// What the configuration trusts of the other Party; replaced whole.
    pub trust: Arc<ArcSwap<Trust>>,
    remembered: trusted::Remembered,
    stated: cosigning::Stated,
}

impl Link {
    /// Joins both.
    pub fn new(engine: Engine, trust: Arc<ArcSwap<Trust>>) -> Self {
        Self {
            engine,
            trust,
            remembered: trusted::Remembered::default(),
            stated: cosigning::Stated::default(),
        }
    }

    /// Records, once, that the other Party showed a head that contradicts the one accepted before.
    async fn contradicted(&self, kind: ContradictionKind, shown: &Checkpoint, note: &str) {
        let held = self.engine.state().peer_head();
        let notes = self.engine.store().accepted_note(held.size).into_iter().chain([note.to_owned()]);
        let fact = contradiction(kind, held, shown);
        if let Err(error) = self.engine.contradicted(fact, notes.collect()).await {
            tracing::error!(%error, "a contradiction of the other Party's ledger is not recorded");
        }
    }

    /// Who talks to whom.
    pub fn terms(&self) -> &Terms {
        &self.engine.core().terms
    }
}
