//! A stop in two steps: drain, then cut.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a stop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Every task ended by itself within the time given.
    Drained,
    /// Some were cut.
    Cut,
}

/// Tells the handlers of one connection that it is about to end: the process stops, or the connection has reached its
/// age. A long-lived call then ends with a resumable status before it is cut. Found in the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct Draining(CancellationToken);

impl Draining {
    /// Resolves when the connection is asked to end.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }

    /// Whether it has been asked.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    pub(super) fn begin(&self) {
        self.0.cancel();
    }
}

/// Handle to one stop, shared by the accept loops, the connections and the handlers.
///
/// Draining refuses new connections and asks the old ones to end (GOAWAY); handlers of long-lived
/// calls watch [`Shutdown::draining`] and end with a resumable status. Cutting drops what is left.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// A stop that has not been asked for.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Resolves when draining begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Whether draining has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Begins draining without waiting for its end.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Runs a task whose end [`Shutdown::stop`] waits for, and which the cut drops.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            // A cut or an end by itself are the same to the tracker.
            let _ = cut.run_until_cancelled(task).await;
        })
    }

    /// Drains, waits no longer than `patience`, then cuts. Tasks are dropped at their next await;
    /// work that must not be lost belongs to the exchange, not to a task of a door.
    pub async fn stop(&self, patience: Duration) -> Stopped {
        self.drain.cancel();
        self.tasks.close();
        if timeout(patience, self.tasks.wait()).await.is_ok() {
            return Stopped::Drained;
        }
        self.cut.cancel();
        self.tasks.wait().await;
        Stopped::Cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drains_when_tasks_listen() {
        let shutdown = Shutdown::new();
        let watching = shutdown.clone();
        shutdown.spawn(async move { watching.draining().await });
        assert_eq!(shutdown.stop(Duration::from_secs(5)).await, Stopped::Drained);
    }

    #[tokio::test]
    async fn cuts_when_tasks_do_not_listen() {
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending());
        assert_eq!(shutdown.stop(Duration::from_millis(20)).await, Stopped::Cut);
    }
}
