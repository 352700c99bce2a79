//! The one task that makes durable: batches in, answers out.

use super::agreement::Agreement;
use crate::channel::state::State;
use crate::journal::head::Head;
use crate::journal::writer::{Persister, Staged};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tokio::sync::watch;

/// A commit that is durable.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The commit.
    pub head: Head,
    /// Its signed checkpoint.
    pub note: Arc<str>,
}

/// What becomes visible with a commit.
pub(super) type Shown = (Arc<State>, Arc<Agreement>);

/// What is told to a caller once its batch is durable.
pub(super) type Answer = Box<dyn FnOnce(&Committed) + Send>;

/// How the store is doing, for those who watch.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The state of the channel after everything that is durable.
    pub state: Arc<State>,
    /// What is in force between the Parties after the same.
    pub agreement: Arc<Agreement>,
    /// Commits since the start.
    pub commits: u64,
    /// Syncs since the start.
    pub syncs: u64,
    /// Why the engine stopped for good.
    pub failure: Option<Arc<str>>,
}

pub(super) enum Job {
    Batch(Box<Staged>, Shown, Vec<Answer>),
    Publish(Arc<Agreement>),
    Barrier(SyncSender<()>),
}

/// The deciding task's end of the queue to the committing one.
pub(super) struct Committer {
    jobs: SyncSender<Job>,
    begun: Arc<Begun>,
    sent: u64,
}

/// Counts the batches that the committing task has begun with.
#[derive(Debug, Default)]
struct Begun {
    count: Mutex<u64>,
    changed: Condvar,
}

/// The committing task has ended; so must the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store can no longer be written")]
pub struct Stopped;

impl Committer {
    /// Starts the committing task. One batch waits while another is being made durable.
    pub(super) fn start(persister: Persister, progress: watch::Sender<Progress>) -> std::io::Result<Self> {
        let (jobs, receiver) = sync_channel(1);
        let begun = Arc::<Begun>::default();
        let counting = begun.clone();
        std::thread::Builder::new().name("commit".into()).spawn(move || {
            run(persister, &receiver, &counting, &progress);
            // Nobody waits for a task that has ended.
            counting.set(u64::MAX);
        })?;
        Ok(Self { jobs, begun, sent: 0 })
    }

    /// Returns when no batch waits: what queues until then is decided together.
    pub(super) fn wait_for_slot(&self) {
        let count = self.begun.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.begun.changed.wait_while(count, |count| *count < self.sent));
    }

    pub(super) fn commit(
        &mut self,
        staged: Staged,
        shown: Shown,
        answers: Vec<Answer>,
    ) -> Result<(), Stopped> {
        self.sent += 1;
        self.jobs.send(Job::Batch(Box::new(staged), shown, answers)).map_err(|_| Stopped)
    }

    /// Shows what is in force as it was read anew from what is durable.
    pub(super) fn publish(&self, agreement: Arc<Agreement>) -> Result<(), Stopped> {
        self.jobs.send(Job::Publish(agreement)).map_err(|_| Stopped)
    }

    /// Returns when everything handed over before is durable.
    pub(super) fn settle(&self) -> Result<(), Stopped> {
        let (sender, receiver) = sync_channel(1);
        self.jobs.send(Job::Barrier(sender)).map_err(|_| Stopped)?;
        receiver.recv().map_err(|_| Stopped)
    }
}

impl Begun {
    fn set(&self, count: u64) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) = count;
        self.changed.notify_all();
    }
}

fn run(mut persister: Persister, jobs: &Receiver<Job>, begun: &Begun, progress: &watch::Sender<Progress>) {
    let mut batches = 0;
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Barrier(done) => drop(done.send(())),
            Job::Publish(agreement) => progress.send_modify(|progress| progress.agreement = agreement),
            Job::Batch(staged, (state, agreement), answers) => {
                batches += 1;
                begun.set(batches);
                let committed = Committed { head: staged.head, note: staged.note.as_str().into() };
                if let Err(error) = persister.persist(*staged) {
                    tracing::error!(error = %error, "a commit failed; nothing more is written");
                    progress.send_modify(|progress| progress.failure = Some(error.to_string().into()));
                    return;
                }
                progress.send_modify(|progress| {
                    progress.state = state;
                    progress.agreement = agreement;
                    progress.commits += 1;
                    progress.syncs = persister.syncs();
                });
                for answer in answers {
                    answer(&committed);
                }
            }
        }
    }
}
