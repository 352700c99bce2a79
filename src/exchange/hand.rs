//! The thread that touches the index, so that one that hangs costs nothing but itself.
//!
//! The index answers damage under its feet with an error or not at all. Whoever asks waits a limited time; a thread that
//! does not answer is left behind with its index, and another begins anew.

use crate::index::{Change, Index, IndexError, Settings};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longest wait for the index to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the index did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandError {
    /// It failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It does not answer.
    #[error("the index does not answer")]
    Stuck,
}

enum Job {
    Apply(Vec<Change>, u64),
    Flush,
}

/// An open index and the thread that works on it.
pub(super) struct Hand {
    jobs: Sender<Job>,
    done: Receiver<Result<(), IndexError>>,
    /// For readers.
    pub(super) index: Arc<Index>,
    /// Events the index covered when it was opened.
    pub(super) position: u64,
}

impl Hand {
    /// Opens the index, or makes a fresh one.
    pub(super) fn open(path: PathBuf, settings: Settings, fresh: bool) -> Result<Self, HandError> {
        let (opened, opening) = channel();
        let (jobs, queue) = channel();
        let (reply, done) = channel();
        let work = move || {
            let open = if fresh { Index::create } else { Index::open };
            let index = match open(&path, settings).and_then(|index| Ok((index.position()?, Arc::new(index))))
            {
                Ok((position, index)) => {
                    let _ = opened.send(Ok((position, index.clone())));
                    index
                }
                Err(error) => return drop(opened.send(Err(error))),
            };
            for job in queue {
                let result = match job {
                    Job::Apply(changes, position) => index.apply(&changes, position),
                    Job::Flush => index.flush(),
                };
                if reply.send(result).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("index-hand".into()).spawn(work).map_err(|_| HandError::Stuck)?;
        let (position, index) = opening.recv_timeout(PATIENCE).map_err(|_| HandError::Stuck)??;
        Ok(Self { jobs, done, index, position })
    }

    /// Applies changes and the position they lead to.
    pub(super) fn apply(&self, changes: Vec<Change>, position: u64) -> Result<(), HandError> {
        self.ask(Job::Apply(changes, position))
    }

    /// Hands changes to the operating system.
    pub(super) fn flush(&self) -> Result<(), HandError> {
        self.ask(Job::Flush)
    }

    fn ask(&self, job: Job) -> Result<(), HandError> {
        self.jobs.send(job).map_err(|_| HandError::Stuck)?;
        Ok(self.done.recv_timeout(PATIENCE).map_err(|_| HandError::Stuck)??)
    }
}
