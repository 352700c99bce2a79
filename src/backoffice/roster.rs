//! The callers as they are now. A reload replaces them whole; feeds of a client that is gone end.

use super::caller::{Caller, Callers, not_configured};
use crate::door::Refusal;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::watch;

/// The current callers.
#[derive(Debug, Clone)]
pub struct Roster {
    current: Arc<ArcSwap<Callers>>,
    changes: Arc<watch::Sender<()>>,
}

impl Roster {
    /// Begins with these.
    pub fn new(callers: Callers) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(callers)), changes: Arc::new(watch::Sender::new(())) }
    }

    /// Those of now.
    pub fn now(&self) -> Arc<Callers> {
        self.current.load_full()
    }

    /// Puts others in their place.
    pub fn replace(&self, callers: Callers) {
        self.current.store(Arc::new(callers));
        self.changes.send_replace(());
    }

    /// Resolves when a caller is no longer among them, with what it is told.
    pub async fn lost(&self, caller: &Caller) -> Refusal {
        let mut changes = self.changes.subscribe();
        while self.now().knows(caller) {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
        not_configured()
    }
}
