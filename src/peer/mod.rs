//! The door to the other Party.
//!
//! Reading order: [`introduction`] who we are and where our chains stand · [`service`] what the other Party's daemon
//! may ask of us · [`courier`] the task that brings our messages there, for as long as it takes.

pub mod courier;
pub mod introduction;
pub mod service;

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
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What is trusted of the other Party.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Certificates of the keys that sign its envelopes.
    pub signing: Vec<Certificate>,
    /// Its ledger's Ed25519 public key.
    pub ledger_key: [u8; 32],
}

/// What both directions of the channel share.
#[derive(Debug, Clone)]
pub struct Link {
    /// The engine.
    pub engine: Engine,
    /// What is trusted of the other Party; replaced whole.
    pub trust: Arc<ArcSwap<Trust>>,
}

impl Link {
    /// Who talks to whom.
    pub fn terms(&self) -> &Terms {
        &self.engine.core().terms
    }
}
