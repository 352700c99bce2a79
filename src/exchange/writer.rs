//! The one task that decides: commands in, batches out.
//!
//! Commands arrive on two bounded queues, those of the other Party's receipts first. What has queued is decided
//! together: sequence numbers, leaves and signatures are assigned, and one checkpoint is signed for all.

use super::agreement::{Agreement, Alerts, Heads};
use super::case_cache::Cases;
use super::clock::Clock;
use super::command::Command;
use super::commit::{Answer, Committed, Committer, Progress, Stopped};
use super::event::{Attachments, Prepared, prepare};
use super::keys::OwnKeys;
use super::pace::Pace;
use super::quarantine::Quarantine;
use super::readers::{Following, Readers};
use super::underway::Underway;
use crate::channel::envelope::later;
use crate::channel::keys::Keys;
use crate::channel::lookup::{case_id, is_settings_kind};
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::ed25519::LedgerKey;
use crate::journal::writer::{NewEvent, ReserveError, Writer};
use crate::ledger::checkpoint::Checkpoint;
use crate::store::Store;
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Event, event::Fact};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Most commands decided together.
const BATCH_COMMANDS: usize = 512;
/// Most bytes decided together, as the commands estimate them.
const BATCH_BYTES: u64 = 2 << 20;

/// What the deciding task works with.
#[derive(Debug)]
pub struct Core {
    /// Who talks to whom.
    pub terms: Terms,
    /// What this Party signs with; replaced whole.
    pub keys: ArcSwap<OwnKeys>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Committed events.
    pub store: Store,
    /// Cases read lately.
    pub cases: Arc<Cases>,
    /// Who reads what arrives.
    pub readers: Readers,
    /// Whether the store is an older copy of itself.
    pub quarantine: Quarantine,
    /// How fast the other Party's messages may be turned down.
    pub rejections: Pace,
    /// Whose signatures are those of the heads of service; replaced whole.
    pub heads: ArcSwap<Heads>,
    /// What was accepted with an alert.
    pub alerts: Alerts,
}

/// Why the deciding task ends.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The committing task has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The store failed under a decision.
    #[error("the store cannot be used: {0}")]
    Store(String),
}

/// The state and the batch being decided.
pub(super) struct Desk {
    pub(super) core: Arc<Core>,
    pub(super) state: State,
    /// What is in force between the Parties.
    agreement: Arc<Agreement>,
    journal: Writer,
    committer: Committer,
    events: Vec<NewEvent>,
    answers: Vec<Answer>,
    /// Those who read what arrives in this batch.
    readers: Vec<Arc<Following>>,
    /// Messages of the batch that they read.
    arrived: Vec<u64>,
    /// The head that the other Party showed last was not proven.
    doubted: bool,
    pub(super) underway: Underway,
    /// The keys as they were when the last batch was complete: a key that comes into use within a batch does not sign it.
    keys: Keys,
}

/// An event that was given its place in the current batch.
pub(super) struct Recorded {
    pub(super) leaf: u64,
    pub(super) prepared_event: bytes::Bytes,
    pub(super) salt: [u8; 32],
}

impl Desk {
    pub(super) fn new(
        core: Arc<Core>,
        (state, agreement): (State, Arc<Agreement>),
        journal: Writer,
        committer: Committer,
    ) -> Self {
        Self {
            agreement,
            keys: state.keys().clone(),
            core,
            state,
            journal,
            committer,
            events: Vec::new(),
            answers: Vec::new(),
            readers: Vec::new(),
            arrived: Vec::new(),
            doubted: false,
            underway: Underway::default(),
        }
    }

    /// Records the first fact of a run and makes it durable.
    pub(super) fn begin(&mut self, fact: Fact) -> Result<(), Fatal> {
        // A disk without room for one event still lets the daemon read and answer.
        match self.make_room(CHECKPOINT_BYTES) {
            Ok(()) => {}
            Err(RoomError::NoSpace) => {
                tracing::warn!(
                    "no space is left for the journal: the daemon reads and answers, and records nothing"
                );
                return Ok(());
            }
            Err(RoomError::Fatal(fatal)) => return Err(fatal),
        }
        self.record(fact, None, Attachments::default())?;
        self.settle()
    }

    /// The keys that sign this batch.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Ledger index of the next event.
    pub(super) fn next_leaf(&self) -> u64 {
        self.journal.size() + self.events.len() as u64
    }

    /// Gives a fact its place in the batch and folds it into the state.
    pub(super) fn record(
        &mut self,
        fact: Fact,
        envelope: Option<&Arc<Envelope>>,
        attachments: Attachments,
    ) -> Result<Recorded, Fatal> {
        self.record_in(self.state.epoch(), fact, envelope, attachments)
    }

    /// The same, in an epoch that may begin with it.
    pub(super) fn record_in(
        &mut self,
        epoch: u32,
        fact: Fact,
        envelope: Option<&Arc<Envelope>>,
        attachments: Attachments,
    ) -> Result<Recorded, Fatal> {
        let now = self.core.clock.now();
        let recorded_at = self.state.last_recorded_at().map_or(now, |last| later(last, now));
        let event = Event { recorded_at: Some(recorded_at), epoch, fact: Some(fact) };
        let leaf = self.next_leaf();
        let mut attachments = attachments;
        attachments.head_signed = self.is_head_signed(&event, envelope, &attachments);
        let (effect, head_signed) = (attachments.effect.clone(), attachments.head_signed);
        let vault = self.core.store.vault();
        let Prepared { new, event: bytes, salt, opened } =
            prepare(vault, self.journal.segment(), leaf, &event, envelope, attachments)
                .map_err(|error| Fatal::Store(error.to_string()))?;
        self.state
            .apply(&event, envelope.map(Arc::as_ref))
            .map_err(|error| Fatal::Store(error.to_string()))?;
        let heard = |fact: &&Fact| self.agreement.hears(fact, envelope.map(Arc::as_ref));
        if let Some(fact) = event.fact.as_ref().filter(heard) {
            let terms = &self.core.terms;
            let agreement = Arc::make_mut(&mut self.agreement);
            agreement.learn(terms, fact, envelope.map(Arc::as_ref), &effect, head_signed);
        }
        if let Some(case) = envelope.and_then(|envelope| case_id(envelope)) {
            self.underway.case(case, leaf);
        }
        self.events.push(new);
        self.core.store.remember(opened);
        Ok(Recorded { leaf, prepared_event: bytes, salt })
    }

    /// Whether what is recorded bears the signatures of the heads that it needs.
    fn is_head_signed(&self, event: &Event, envelope: Option<&Arc<Envelope>>, with: &Attachments) -> bool {
        let states = matches!(event.fact, Some(Fact::Sealed(_) | Fact::Received(_)));
        let Some(envelope) = envelope.filter(|it| states && is_settings_kind(it)) else { return false };
        let heads = self.core.heads.load();
        with.item.as_ref().is_some_and(|item| heads.signed(&self.core.terms, &envelope.sender, &item.body))
    }

    /// Reads what is in force anew, after everything that is decided is durable.
    fn read_agreement(&mut self) -> Result<(), Fatal> {
        self.settle()?;
        let read = Agreement::read(&self.core.store, &self.state, &self.core.terms);
        self.agreement = Arc::new(read.map_err(|error| Fatal::Store(error.to_string()))?);
        Ok(self.committer.publish(self.agreement.clone())?)
    }

    /// What is in force between the Parties, after everything that is decided.
    pub(super) fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Doubts the other Party's ledger; returns whether it was doubted before.
    pub(super) fn doubt(&mut self) -> bool {
        std::mem::replace(&mut self.doubted, true)
    }

    /// The other Party's ledger is proven.
    pub(super) fn trust(&mut self) {
        self.doubted = false;
    }

    /// Remembers a message that those read who follow what arrives.
    pub(super) fn arrived(&mut self, leaf: u64) {
        self.arrived.push(leaf);
    }

    /// Records the reading of what arrived, in the same batch.
    fn record_reading(&mut self) -> Result<(), Fatal> {
        let arrived = std::mem::take(&mut self.arrived);
        if arrived.is_empty() {
            return Ok(());
        }
        for reader in self.readers.clone() {
            if let Some(read) = reader.reads(&arrived) {
                self.record(Fact::Read(read), None, Attachments::default())?;
            }
        }
        Ok(())
    }

    /// Tells a caller, once the batch is durable.
    pub(super) fn answer(&mut self, answer: impl FnOnce(&Committed) + Send + 'static) {
        self.answers.push(Box::new(answer));
    }

    /// Makes everything decided so far durable and visible, so that look-ups see it.
    pub(super) fn settle(&mut self) -> Result<(), Fatal> {
        self.commit()?;
        self.committer.settle()?;
        self.underway.forget_before(u64::MAX);
        Ok(())
    }

    /// Hands the batch over to be made durable.
    fn commit(&mut self) -> Result<(), Fatal> {
        self.record_reading()?;
        let events = std::mem::take(&mut self.events);
        let answers = std::mem::take(&mut self.answers);
        if events.is_empty() && answers.is_empty() {
            return Ok(());
        }
        if events.is_empty() {
            // Answers about what was durable before; they may still only follow it.
            self.committer.settle()?;
            let (head, note) = self.core.store.reader().checkpoint();
            answers.into_iter().for_each(|answer| answer(&Committed { head, note: note.clone() }));
            return Ok(());
        }
        let keys = self.core.keys.load();
        let key = keys.ledger(&self.keys).map_err(|missing| Fatal::Store(missing.to_string()))?;
        let (terms, epoch) = (&self.core.terms, self.state.epoch());
        let staged = self.journal.stage(events, |size, root| sign_checkpoint(terms, key, epoch, size, *root));
        if self.keys.version() != self.state.keys().version() {
            self.keys = self.state.keys().clone();
        }
        let shown = (Arc::new(self.state.clone()), self.agreement.clone());
        Ok(self.committer.commit(staged, shown, answers)?)
    }

    /// Makes room for a batch; closes the segment when it would be exceeded.
    fn make_room(&mut self, bytes: u64) -> Result<(), RoomError> {
        if self.journal.must_roll(bytes) {
            self.settle().map_err(RoomError::Fatal)?;
            let vault = self.core.store.vault().clone();
            let snapshot = vault
                .seal_snapshot(&self.state.encode())
                .map_err(|error| RoomError::Fatal(Fatal::Store(error.to_string())))?;
            vault.ensure_segment_key(self.journal.segment() + 1).map_err(|error| match error {
                crate::vault::VaultError::Io(_, error) if error.kind() == std::io::ErrorKind::StorageFull => {
                    RoomError::NoSpace
                }
                error => RoomError::Fatal(Fatal::Store(error.to_string())),
            })?;
            self.journal.roll(&snapshot)?;
        }
        Ok(self.journal.reserve(bytes)?)
    }

    fn decide(&mut self, commands: Vec<Command>) -> Result<(), Fatal> {
        self.underway.forget_before(self.core.store.reader().head().size);
        let arrives = commands.iter().any(|command| matches!(command, Command::Consume(_)));
        self.readers = if arrives { self.core.readers.now() } else { Vec::new() };
        let readings = self.readers.len() as u64 * READING_BYTES;
        // A receipt for a statement about a key brings an event with the key and its certificates.
        let services = self.state.keys().open_services() as u64 * KEY_EVENT_BYTES;
        let bytes = commands.iter().map(Command::bytes_max).sum::<u64>();
        let bytes = bytes + readings + services + CHECKPOINT_BYTES;
        match self.make_room(bytes) {
            Ok(()) => {}
            Err(RoomError::NoSpace) => {
                commands.into_iter().for_each(Command::refuse);
                return Ok(());
            }
            Err(RoomError::Fatal(fatal)) => return Err(fatal),
        }
        for command in commands {
            command.decide(self)?;
            if self.agreement.is_outdated() {
                self.read_agreement()?;
            }
        }
        self.commit()
    }
}

/// Room kept in each batch for its checkpoint's frame, and for those of batches that settle in between.
const CHECKPOINT_BYTES: u64 = 16 << 10;

/// Room kept for an event about a key: a key, its certificate and its introducer's, each as long as they may be.
pub(super) const KEY_EVENT_BYTES: u64 = 32 << 10;

/// Room kept in each batch for the reading of one who follows.
const READING_BYTES: u64 = 8 << 10;

enum RoomError {
    NoSpace,
    Fatal(Fatal),
}

impl From<ReserveError> for RoomError {
    fn from(error: ReserveError) -> Self {
        match error {
            ReserveError::NoSpace => Self::NoSpace,
            ReserveError::Io(error) => Self::Fatal(Fatal::Store(error.to_string())),
        }
    }
}

/// The signed checkpoint of a ledger.
pub fn sign_checkpoint(
    terms: &Terms,
    key: &LedgerKey,
    epoch: u32,
    size: u64,
    root: crate::crypto::digest::Digest,
) -> String {
    let checkpoint = Checkpoint { origin: terms.origin(epoch), size, root };
    let signature = key.sign(checkpoint.body().as_bytes());
    checkpoint.to_note(&terms.vkey(epoch, key.public()), &signature)
}

/// Decides until both queues are closed and empty, or the store fails.
pub(super) fn run(
    mut desk: Desk,
    mut first: mpsc::Receiver<Command>,
    mut second: mpsc::Receiver<Command>,
    progress: &watch::Sender<Progress>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    loop {
        let next = runtime.block_on(async {
            tokio::select! {
                biased;
                Some(command) = first.recv() => Some(command),
                Some(command) = second.recv() => Some(command),
                else => None,
            }
        });
        let Some(command) = next else { break };
        desk.committer.wait_for_slot();
        let mut bytes = command.bytes_max();
        let mut batch = vec![command];
        while batch.len() < BATCH_COMMANDS && bytes < BATCH_BYTES {
            let Ok(command) = first.try_recv().or_else(|_| second.try_recv()) else { break };
            bytes += command.bytes_max();
            batch.push(command);
        }
        if let Err(error) = desk.decide(batch) {
            tracing::error!(error = %error, "the engine stops");
            let reason: Arc<str> = error.to_string().into();
            progress.send_modify(|progress| {
                progress.failure.get_or_insert(reason);
            });
            return;
        }
    }
    // Everything decided is made durable before the store is closed.
    let _ = desk.settle();
}
