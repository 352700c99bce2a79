//! Whether this store may be an older copy of itself: what is then sealed would use numbers twice.

use prost_types::Timestamp;
use std::time::Duration;
use tokio::sync::watch;

/// Longest wait, after a start, for the other Party to say whether the store is what it knows.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of the store.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    /// The other Party was not asked in this run.
    Unasked,
    /// It knows nothing that the store lacks, cannot be reached, or there is none yet.
    Sound,
    /// A restore was cut short: what the other Party says cannot make it whole.
    Unfinished(Timestamp),
    /// It holds something of this Party that the store lacks.
    Older { since: Timestamp, reason: &'static str },
}

/// What is known of the store in this run.
#[derive(Debug)]
pub struct Quarantine(watch::Sender<Standing>);

impl Quarantine {
    /// Of a store that has met the other Party, or not.
    pub(super) fn new(has_met: bool) -> Self {
        Self(watch::Sender::new(if has_met { Standing::Unasked } else { Standing::Sound }))
    }

    /// Of a store whose restore was cut short.
    pub(super) fn unfinished(now: Timestamp) -> Self {
        Self(watch::Sender::new(Standing::Unfinished(now)))
    }

    /// The other Party proved that the store is an older copy.
    pub fn enter(&self, reason: &'static str, now: Timestamp) {
        let entered = self.0.send_if_modified(|standing| {
            let entered = !matches!(standing, Standing::Older { .. } | Standing::Unfinished(_));
            if entered {
                *standing = Standing::Older { since: now, reason };
            }
            entered
        });
        if entered {
            tracing::error!(
                reason,
                "this store is an older copy of itself: nothing is sealed or sent; stop the daemon and run `article6 restore`"
            );
        }
    }

    /// The other Party knows nothing that the store lacks.
    pub fn leave(&self) {
        self.0.send_if_modified(|standing| {
            let leaves = !matches!(standing, Standing::Sound | Standing::Unfinished(_));
            if leaves {
                *standing = Standing::Sound;
            }
            leaves
        });
    }

    /// The other Party cannot be asked now.
    pub fn unreachable(&self) {
        self.0.send_if_modified(|standing| {
            let unasked = *standing == Standing::Unasked;
            if unasked {
                *standing = Standing::Sound;
            }
            unasked
        });
    }

    /// Since when, and the code of what was found; `None` outside.
    pub fn found(&self) -> Option<(Timestamp, &'static str)> {
        match *self.0.borrow() {
            Standing::Older { since, reason } => Some((since, reason)),
            Standing::Unfinished(since) => Some((since, "RESTORE_UNFINISHED")),
            _ => None,
        }
    }

    /// Waits until the other Party was asked, not for long.
    pub(super) async fn decided(&self) {
        if *self.0.borrow() != Standing::Unasked {
            return;
        }
        let mut standing = self.0.subscribe();
        let decided = standing.wait_for(|standing| *standing != Standing::Unasked);
        if tokio::time::timeout(PATIENCE, decided).await.is_err() {
            self.unreachable();
        }
    }
}
