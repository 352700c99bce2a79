//! The one task that makes durable: batches in, answers out.

use crate::channel::state::State;
use crate::journal::head::Head;
use crate::journal::writer::{Persister, Staged};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::watch;

/// A commit that is durable.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The commit.
    pub head: Head,
    /// Its signed checkpoint.
    pub note: Arc<str>,
}

/// What is told to a caller once its batch is durable.
pub(super) type Answer = Box<dyn FnOnce(&Committed) + Send>;

/// How the store is doing, for those who watch.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The state of the channel after everything that is durable.
    pub state: Arc<State>,
    /// Commits since the start.
    pub commits: u64,
    /// Syncs since the start.
    pub syncs: u64,
    /// Why the engine stopped for good.
    pub failure: Option<Arc<str>>,
}

pub(super) enum Job {
    Batch(Box<Staged>, Arc<State>, Vec<Answer>),
    Barrier(SyncSender<()>),
}

/// The deciding task's end of the queue to the committing one.
pub(super) struct Committer(SyncSender<Job>);

/// The committing task has ended; so must the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store can no longer be written")]
pub struct Stopped;

impl Committer {
    /// Starts the committing task. One batch waits while another is being made durable.
    pub(super) fn start(persister: Persister, progress: watch::Sender<Progress>) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(1);
        std::thread::Builder::new()
            .name("commit".into())
            .spawn(move || run(persister, &receiver, &progress))?;
        Ok(Self(sender))
    }

    pub(super) fn commit(
        &self,
        staged: Staged,
        state: Arc<State>,
        answers: Vec<Answer>,
    ) -> Result<(), Stopped> {
        self.0.send(Job::Batch(Box::new(staged), state, answers)).map_err(|_| Stopped)
    }

    /// Returns when everything handed over before is durable.
    pub(super) fn settle(&self) -> Result<(), Stopped> {
        let (sender, receiver) = sync_channel(1);
        self.0.send(Job::Barrier(sender)).map_err(|_| Stopped)?;
        receiver.recv().map_err(|_| Stopped)
    }
}

fn run(mut persister: Persister, jobs: &Receiver<Job>, progress: &watch::Sender<Progress>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Barrier(done) => drop(done.send(())),
            Job::Batch(staged, state, answers) => {
                let committed = Committed { head: staged.head, note: staged.note.as_str().into() };
                if let Err(error) = persister.persist(*staged) {
                    tracing::error!(error = %error, "a commit failed; nothing more is written");
                    progress.send_modify(|progress| progress.failure = Some(error.to_string().into()));
                    return;
                }
                progress.send_modify(|progress| {
                    progress.state = state;
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
