//! The door to back-office systems.
//!
//! Reading order: [`caller`] who calls, for whom, for which purpose · [`roles`] what an official may do · [`roster`] the
//! callers of now · [`submission`] from a request to a message ready
//! to be sealed · [`view`] from a journal event to the message a caller sees · [`feed`], [`list`] the two ways through
//! many messages · [`token`] cursors and page tokens · [`refusals`] the one table of errors · [`service`] the calls
//! · [`evidence`] bundles that prove a message.

pub mod caller;
pub mod evidence;
pub mod feed;
pub mod list;
pub mod refusals;
pub mod roles;
pub mod roster;
pub mod service;
pub mod submission;
pub mod token;
pub mod view;

/// The generated service package.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated from the protos, which carry the documentation"
)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/backoffice/article6.backoffice.v1.rs"));
}

use crate::exchange::delivery::Health;
use crate::exchange::engine::Engine;
use crate::exchange::follow::Follower;
use std::time::Duration;
use tokio::sync::watch;

/// What the calls work with.
#[derive(Debug, Clone)]
pub struct Office {
    /// The engine.
    pub engine: Engine,
    /// The query index.
    pub follower: Follower,
    /// Who may call.
    pub callers: roster::Roster,
    /// Whether messages reach the other Party.
    pub delivery: watch::Receiver<Health>,
    /// Delivery that fails for longer is shown as STALLED.
    pub stalled_after: Duration,
}
