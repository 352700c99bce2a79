//! Keeps the query index behind the journal, never in its way.

use super::case_cache::Cases;
use super::cases::{List, effect_of, lists, touches_case};
use super::commit::Progress;
use super::hand::{Hand, HandError};
use crate::channel::lookup::{Lookup, case_id, message_id};
use crate::channel::state::State;
use crate::index::{Change, Direction, Index, IndexError, Page, Row, Scan, Settings};
use crate::store::{OpenedEvent, Store, StoreError};
use crate::wire::ledger::v1::{RejectionReason, event::Fact};
use arc_swap::ArcSwapOption;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Most events projected in one batch. sled frees what a batch replaced a little at a time, at the batches after it:
/// large batches leave more behind than is ever freed.
const BATCH_EVENTS: u64 = 256;
/// Events after which changes are handed to the operating system.
const FLUSH_EVENTS: u64 = 4096;
/// Pause between batches: rows gather, and a batch of many costs less for each.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause before an index that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// How the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// Events covered.
    pub position: u64,
    /// The index can be written and read.
    pub available: bool,
    /// It has covered the whole ledger at least once since the start.
    pub caught_up: bool,
}

/// The index and the task that follows the journal.
#[derive(Debug, Clone)]
pub struct Follower {
    index: Arc<ArcSwapOption<Index>>,
    state: watch::Receiver<Indexed>,
    broken: Arc<tokio::sync::Notify>,
}

/// Why a query is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The index is behind.
    #[error("the query index covers {position} of {size} events")]
    CatchingUp {
        /// Events covered.
        position: u64,
        /// Events in the ledger.
        size: u64,
    },
    /// The index cannot be written or read.
    #[error("the query index is not available; everything else goes on")]
    Unavailable,
}

impl Follower {
    /// Starts following. Opening the index, and building it anew where it must be, is the task's first work.
    pub fn start(
        store: Store,
        cases: Arc<Cases>,
        path: PathBuf,
        settings: Settings,
        progress: watch::Receiver<Progress>,
    ) -> std::io::Result<Self> {
        let (sender, state) = watch::channel(Indexed { position: 0, available: false, caught_up: false });
        let follower = Self { index: Arc::default(), state, broken: Arc::default() };
        let task = Task {
            store,
            cases,
            path,
            settings,
            index: follower.index.clone(),
            state: sender,
            broken: follower.broken.clone(),
        };
        std::thread::Builder::new().name("index".into()).spawn(move || task.run(progress))?;
        Ok(follower)
    }

    /// How the index is.
    pub fn state(&self) -> watch::Receiver<Indexed> {
        self.state.clone()
    }

    /// Waits until the index covers `size` events, for at most `patience`.
    pub async fn wait_for(&self, size: u64, patience: Duration) -> Result<(), QueryError> {
        let mut state = self.state.clone();
        let covered =
            tokio::time::timeout(patience, state.wait_for(|state| state.available && state.position >= size))
                .await;
        match covered {
            Ok(Ok(_)) => Ok(()),
            _ => {
                let now = *self.state.borrow();
                Err(if now.available {
                    QueryError::CatchingUp { position: now.position, size }
                } else {
                    QueryError::Unavailable
                })
            }
        }
    }

    /// Waits until the engine has ended and the index covers and has handed over everything.
    pub async fn ended(&self) {
        let mut state = self.state.clone();
        while state.changed().await.is_ok() {}
    }

    /// Looks through messages.
    pub fn scan(
        &self,
        scan: Scan,
        matches: impl FnMut(&Row, crate::index::Flags) -> bool,
    ) -> Result<Page, QueryError> {
        self.read(|index| index.scan(scan, matches))
    }

    /// How many cases stand on a list.
    pub fn count(&self, list: List) -> Result<u64, QueryError> {
        self.read(|index| index.count(list as u8))
    }

    /// A reader waited in vain: the index is given up and built anew.
    pub fn distrust(&self) {
        tracing::warn!("the query index does not answer and is built anew");
        self.broken.notify_one();
    }

    fn read<T>(&self, read: impl FnOnce(&Index) -> Result<T, IndexError>) -> Result<T, QueryError> {
        let index = self.index.load_full().ok_or(QueryError::Unavailable)?;
        read(&index).map_err(|error| {
            tracing::warn!(%error, "the query index failed and is built anew");
            self.broken.notify_one();
            QueryError::Unavailable
        })
    }
}

struct Task {
    store: Store,
    cases: Arc<Cases>,
    path: PathBuf,
    settings: Settings,
    index: Arc<ArcSwapOption<Index>>,
    state: watch::Sender<Indexed>,
    broken: Arc<tokio::sync::Notify>,
}

impl Task {
    fn run(self, mut progress: watch::Receiver<Progress>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
        let mut fresh = false;
        loop {
            match self.follow(&runtime, &mut progress, fresh) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "the query index failed and is built anew");
                    self.index.store(None);
                    self.state.send_modify(|state| state.available = false);
                    fresh = true;
                    if progress.has_changed().is_err() {
                        return;
                    }
                    let pause = if matches!(error, FollowError::Broken) { PAUSE } else { RETRY };
                    std::thread::sleep(pause);
                }
            }
        }
    }

    /// Follows until the engine ends.
    fn follow(
        &self,
        runtime: &tokio::runtime::Runtime,
        progress: &mut watch::Receiver<Progress>,
        fresh: bool,
    ) -> Result<(), FollowError> {
        let hand = Hand::open(self.path.clone(), self.settings.clone(), fresh)?;
        let mut position = hand.position;
        if position > self.store.reader().head().size {
            return Err(FollowError::Broken);
        }
        self.index.store(Some(hand.index.clone()));
        self.state.send_replace(Indexed { position, available: true, caught_up: false });
        let mut unflushed = 0;
        loop {
            let size = self.store.reader().head().size;
            if position < size {
                let end = size.min(position + BATCH_EVENTS);
                let state = progress.borrow().state.clone();
                self.project(&hand, &state, position, end)?;
                unflushed += end - position;
                position = end;
                self.state.send_modify(|state| {
                    state.position = position;
                    state.caught_up |= position == size;
                });
                if position < size {
                    continue;
                }
            }
            self.state.send_if_modified(|state| !std::mem::replace(&mut state.caught_up, true));
            if unflushed > FLUSH_EVENTS {
                hand.flush()?;
                unflushed = 0;
            }
            let ended = runtime.block_on(async {
                tokio::time::sleep(PAUSE).await;
                tokio::select! {
                    () = self.broken.notified() => Err(FollowError::Broken),
                    changed = progress.changed() => Ok(changed.is_err()),
                }
            })?;
            if ended && self.store.reader().head().size == position {
                return Ok(hand.flush()?);
            }
        }
    }

    fn project(&self, hand: &Hand, state: &State, from: u64, end: u64) -> Result<(), FollowError> {
        let mut batch = Batch::default();
        for leaf in from..end {
            let opened = self.store.event(leaf)?;
            batch.add(&self.store, &opened)?;
        }
        Ok(hand.apply(batch.changes(&self.store, &self.cases, state)?, end)?)
    }
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("a reader found it damaged")]
    Broken,
    #[error(transparent)]
    Index(#[from] HandError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a batch of events changes in the index.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    /// Cases that were touched: each is folded once for the batch.
    cases: BTreeSet<[u8; 16]>,
}

impl Batch {
    fn add(&mut self, store: &Store, opened: &OpenedEvent) -> Result<(), StoreError> {
        match &opened.event.fact {
            Some(Fact::Sealed(sealed)) => self.message(opened, Direction::Sent, sealed.sequence),
            Some(Fact::Received(received)) => self.message(opened, Direction::Received, received.sequence),
            Some(Fact::Acknowledged(acknowledged))
                if acknowledged.rejection() != RejectionReason::Unspecified =>
            {
                if let Some(sealed) = store.find(&Lookup::Sealed(acknowledged.sequence))? {
                    // A request that was turned down opens nothing.
                    self.changes.extend([Change::Rejected(sealed.leaf), Change::Case(sealed.leaf, 0)]);
                    self.touch(&sealed);
                }
            }
            Some(Fact::HandedOver(handed_over)) => {
                self.changes.extend(handed_over.leaves.iter().copied().map(Change::HandedOver));
            }
            _ => {}
        }
        Ok(())
    }

    fn message(&mut self, opened: &OpenedEvent, direction: Direction, sequence: u64) {
        let row = opened.envelope.as_ref().and_then(|envelope| {
            Some(Row {
                leaf: opened.leaf,
                direction,
                sequence,
                message_id: message_id(envelope)?,
                case_id: case_id(envelope)?,
                recorded_at: opened.event.recorded_at.map_or(0, |at| at.seconds),
            })
        });
        if let Some(row) = row {
            self.changes.push(Change::Message(row));
            self.touch(opened);
        }
    }

    fn touch(&mut self, opened: &OpenedEvent) {
        if let Some(envelope) = opened.envelope.as_deref()
            && touches_case(&effect_of(opened, envelope))
        {
            self.cases.extend(case_id(envelope));
        }
    }

    fn changes(mut self, store: &Store, cases: &Cases, state: &State) -> Result<Vec<Change>, StoreError> {
        for case in self.cases {
            let file = cases.read(state, case)?;
            let ours = file.ours();
            // What a restore gave up lists no case any more: it stands at its new place, if at any.
            if state.epoch() > 1 {
                let named = store.named(&Lookup::Case(case))?.into_iter();
                let given_up = named.filter(|leaf| !file.filed.iter().any(|filed| filed.leaf == *leaf));
                self.changes.extend(given_up.map(|leaf| Change::Case(leaf, 0)));
            }
            if let (Some(first), Some(ours)) = (file.opening_leaf(), ours) {
                self.changes.push(Change::Case(first, lists(&file.case, ours)));
            }
        }
        Ok(self.changes)
    }
}

/// Builds an index from the journal alone and returns the events it covers.
pub fn rebuild(
    store: &Store,
    state: &State,
    path: &std::path::Path,
    settings: Settings,
) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let index = Index::create(path, settings)?;
    let size = store.reader().head().size;
    let (mut batch, cases) = (Batch::default(), Cases::new(store.clone()));
    for leaf in 0..size {
        batch.add(store, store.event(leaf)?.as_ref())?;
        if leaf % BATCH_EVENTS == BATCH_EVENTS - 1 || leaf + 1 == size {
            index.apply(&std::mem::take(&mut batch).changes(store, &cases, state)?, leaf + 1)?;
        }
    }
    index.flush()?;
    Ok(size)
}
