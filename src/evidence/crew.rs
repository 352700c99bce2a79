//! Signatures and receipts are verified on all cores while the walk goes on.

use super::report::Fault;
use super::signatures::{Job, verify};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Jobs that a worker takes at once: enough for receipts in it to share their checkpoint.
const SHARE: usize = 256;
/// Shares that wait for each worker; the walk goes no further ahead, so that memory stays bounded.
const WAITING: usize = 4;

/// What is verified, with the ledger index and the offset it is reported by.
type Share = Arc<Vec<(u64, u64, Job)>>;
/// What failed of a share; `None` where the worker was cut short.
type Outcome = (u64, Option<Vec<(u64, u64, Fault)>>);

/// The workers.
pub(super) struct Crew {
    shares: Option<SyncSender<(u64, Share)>>,
    outcomes: Receiver<Outcome>,
    /// Handed out, and not known to be done.
    open: BTreeMap<u64, Share>,
    handed: u64,
    /// Jobs taken.
    pub(super) taken: u64,
    workers: Vec<JoinHandle<()>>,
}

impl Crew {
    /// One worker for each core.
    pub(super) fn new() -> Self {
        Self::of(thread::available_parallelism().map_or(1, usize::from))
    }

    fn of(count: usize) -> Self {
        let (shares, waiting) = sync_channel(WAITING * count);
        let (done, outcomes) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let worker = |_| {
            let (waiting, done) = (waiting.clone(), done.clone());
            thread::Builder::new().spawn(move || work(&waiting, &done)).ok()
        };
        let workers = (0..count).filter_map(worker).collect();
        Self { shares: Some(shares), outcomes, open: BTreeMap::new(), handed: 0, taken: 0, workers }
    }

    /// Hands out whole shares of what is there; the rest stays.
    pub(super) fn hand_out(&mut self, jobs: &mut Vec<(u64, u64, Job)>) {
        while jobs.len() >= SHARE {
            let rest = jobs.split_off(SHARE);
            self.hand(std::mem::replace(jobs, rest));
        }
    }

    /// Hands out everything, waits until all is verified, and returns what failed, in no particular order.
    pub(super) fn finish(&mut self, mut jobs: Vec<(u64, u64, Job)>) -> Vec<(u64, u64, Fault)> {
        self.hand_out(&mut jobs);
        self.hand(jobs);
        let mut failed = Vec::new();
        while !self.open.is_empty() {
            let Ok((number, outcome)) = self.outcomes.recv() else { break };
            let Some(share) = self.open.remove(&number) else { continue };
            // A worker that was cut short has verified nothing: its share is done again here.
            failed.extend(outcome.unwrap_or_else(|| verify(&share)));
        }
        let left = std::mem::take(&mut self.open);
        failed.extend(left.values().flat_map(|share| verify(share)));
        failed
    }

    fn hand(&mut self, jobs: Vec<(u64, u64, Job)>) {
        if jobs.is_empty() {
            return;
        }
        self.taken += jobs.len() as u64;
        let share = Arc::new(jobs);
        self.handed += 1;
        self.open.insert(self.handed, share.clone());
        // Where nobody takes it, it stays open and is done at the end.
        if let Some(shares) = &self.shares {
            let _ = shares.send((self.handed, share));
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shares = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn work(waiting: &Mutex<Receiver<(u64, Share)>>, done: &Sender<Outcome>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, share)) = next else { return };
        let verified = catch_unwind(AssertUnwindSafe(|| verify(&share))).ok();
        if done.send((number, verified)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Vkey;

    fn wrong(leaf: u64) -> (u64, u64, Job) {
        let vkeys = vec![Vkey::of("article6/TEST/A/US/1", [7; 32])];
        (leaf, 8 * leaf, Job::Checkpoint { note: "no checkpoint".into(), vkeys })
    }

    #[test]
    fn whatever_is_handed_out_is_verified_once() {
        let mut crew = Crew::new();
        for round in 0..3 {
            let mut jobs: Vec<_> = (0..1000).map(wrong).collect();
            crew.hand_out(&mut jobs);
            assert!(jobs.len() < SHARE, "what makes no whole share stays");
            let mut failed: Vec<u64> = crew.finish(jobs).into_iter().map(|it| it.0).collect();
            failed.sort_unstable();
            assert!(failed.into_iter().eq(0..1000), "round {round}");
        }
        assert!(crew.finish(Vec::new()).is_empty());
    }

    #[test]
    fn without_workers_the_walk_does_it_itself() {
        let mut crew = Crew::of(0);
        assert_eq!(crew.finish((0..1000).map(wrong).collect()).len(), 1000);
    }
}
