//! The door to back-office systems.
//!
//! Reading order: [`caller`] who calls, for whom, for which purpose, with [`official_token`] the official's own word · [`permits`] what may be
//! read for what · [`roles`] what an official may do · [`roster`] the
//! callers of now · [`submission`] from a request to a message ready
//! to be sealed · [`view`] from a journal event to the message a caller sees · [`feed`], [`list`] the two ways through
//! many messages · [`token`] cursors and page tokens · [`refusals`] the one table of errors · [`service`] the calls
//! · [`cases`] the calls about cases, with [`case_view`] what is shown of one and [`comparison`] an oral request beside
//! its confirmation · [`drafts`] the calls about drafts, with [`draft_view`] what is shown of one · [`domestic`] names and markings · [`code_lists`] the calls
//! about code lists, and the warnings · [`evidence`] bundles that prove a message ·
//! [`orders`], `order_view` what two persons decide · [`treaty`] what is in force.

pub mod caller;
pub mod case_view;
pub mod cases;
pub mod code_lists;
pub mod comparison;
pub mod domestic;
pub mod draft_view;
pub mod drafts;
pub mod evidence;
pub mod feed;
pub mod list;
pub mod official_token;
mod order_view;
pub mod orders;
pub mod permits;
pub mod refusals;
pub mod roles;
pub mod roster;
pub mod service;
pub mod submission;
pub mod token;
pub mod treaty;
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
use crate::exchange::pace::Pace;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// How fast each client may have reads recorded.
    pub reads: Arc<Reads>,
    /// How messages that need a second official are released.
    pub release: Release,
    /// Names of services and markings.
    pub domestic: Arc<domestic::Domestic>,
}

/// How messages that need a second official are released (four eyes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// As drafts that another official has reviewed, by his own token.
    Reviewed,
    /// A submission names who released it.
    Named,
    /// A submission need not name anybody.
    Free,
}

/// How fast each client may have reads of content recorded: each is an event for ever.
#[derive(Debug)]
pub struct Reads {
    per_second: u32,
    clients: Mutex<BTreeMap<String, Pace>>,
}

impl Reads {
    /// The same for every client.
    pub fn new(per_second: u32) -> Self {
        Self { per_second, clients: Mutex::default() }
    }

    /// Whether this client may read now. Clients are those of the configuration: there are few.
    fn admits(&self, client: &str) -> bool {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(client.to_owned()).or_insert_with(|| Pace::per_second(self.per_second)).admits()
    }
}
