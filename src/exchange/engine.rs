//! The handle everyone else holds: commands in, durable answers out.

use super::acknowledge::{Accepted, Acknowledge, AcknowledgeError};
use super::agreement::Agreement;
use super::cases::CaseFile;
use super::command::Command;
use super::commit::Progress;
use super::deliver::{Arrival, Consume, ConsumeError, Outcome};
use super::drafts::{ChangeDraft, DraftError, DraftStep};
use super::heads::{HeadAnswer, HeadError, Heads, ShownHead};
use super::local::{HandOver, Note, NoteError};
use super::orders::{OrderCommand, OrderError, OrderStep};
use super::parcel::Parcel;
use super::restore::{Restore, RestoreError, Step};
use super::submit::{Outgoing, Submit, SubmitError, is_numbered_anew, repeat};
use super::writer::Core;
use crate::channel::lookup::Lookup;
use crate::channel::lookup::message_id;
use crate::channel::state::State;
use crate::crypto::digest::Digest;
use crate::store::{Store, StoreError};
use crate::wire::ledger::v1::{Contradiction, Cosigned, HandedOver, PeerRestored, Restored, event::Fact};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// How often a message is judged anew because its case moves meanwhile, before its caller is told to try again.
const JUDGED_MAX: usize = 64;

/// Commands that may wait before their callers do.
pub(super) const QUEUE_COMMANDS: usize = 1024;

/// The running engine. Cheap to clone; the engine stops, after making durable what it took, when [`Engine::stop`]
/// is called and no call is under way.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) core: Arc<Core>,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) queues: Arc<Mutex<Option<Queues>>>,
}

/// The deciding task's queues.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    pub(super) first: mpsc::Sender<Command>,
    pub(super) second: mpsc::Sender<Command>,
}

impl Engine {
    /// What the engine works with.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Committed events.
    pub fn store(&self) -> &Store {
        &self.core.store
    }

    /// Commits as they become durable, and the failure that ends the engine.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// The state of the channel after everything that is durable.
    pub fn state(&self) -> Arc<State> {
        self.progress.borrow().state.clone()
    }

    /// A case as it is after everything that is durable.
    pub fn case(&self, case: [u8; 16]) -> Result<Arc<CaseFile>, StoreError> {
        self.core.cases.read(&self.state(), case)
    }

    /// Takes no further commands.
    pub fn stop(&self) {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits until the engine has failed for good, and says why.
    pub async fn failed(&self) -> Arc<str> {
        let mut progress = self.progress.clone();
        let failure = progress.wait_for(|progress| progress.failure.is_some()).await;
        failure
            .ok()
            .and_then(|progress| progress.failure.clone())
            .unwrap_or_else(|| "the engine ended".into())
    }

    /// Seals a message that fits any case and answers with its ledger index once it is durable. The same message again gets
    /// the same answer.
    pub async fn submit(&self, outgoing: Outgoing) -> Result<u64, SubmitError> {
        self.submit_judged(outgoing, |_, _| Ok(())).await
    }

    /// The same. A message that can move its case is judged by `judge` in the case as it is; should the case move before
    /// the message has its place, it is judged anew.
    pub async fn submit_judged<R: From<SubmitError>>(
        &self,
        outgoing: Outgoing,
        judge: impl Fn(&CaseFile, &State) -> Result<(), R>,
    ) -> Result<u64, R> {
        let store = self.store();
        let lookup = Lookup::Message(outgoing.draft.message_id);
        let store_failed = |error| {
            tracing::error!(%error, "a submission could not be looked up");
            SubmitError::Store
        };
        for _ in 0..JUDGED_MAX {
            let searched = store.reader().head().size;
            if let Some(earlier) = store.find(&lookup).map_err(store_failed)? {
                return Ok(repeat(store, &earlier, &outgoing).map_err(store_failed)??);
            }
            self.core.quarantine.decided().await;
            let mut progress = self.progress.clone();
            let state = progress.borrow_and_update().state.clone();
            if outgoing.touches_case {
                let file = self.core.cases.read(&state, outgoing.draft.case_id).map_err(store_failed)?;
                judge(&file, &state)?;
                self.in_time(&file, &outgoing)?;
            }
            let judged = outgoing.touches_case.then_some(state.size());
            let (reply, answer) = oneshot::channel();
            let queue = self.queues().ok_or(SubmitError::Stopping)?.second;
            let command = Command::Submit(Submit { outgoing: outgoing.clone(), searched, judged, reply });
            queue.send(command).await.map_err(|_| SubmitError::Stopping)?;
            match answer.await.unwrap_or(Err(SubmitError::Stopping)) {
                Err(SubmitError::CaseMoved) => {
                    // What moved it is durable at the latest with the next commit.
                    progress.changed().await.map_err(|_| SubmitError::Stopping)?;
                }
                answer => return Ok(answer?),
            }
        }
        Err(SubmitError::CaseMoved.into())
    }

    /// What is in force between the Parties after everything that is durable.
    pub fn agreement(&self) -> Arc<Agreement> {
        self.progress.borrow().agreement.clone()
    }

    /// Whether what is in force permits a message now, as the submission of it would be judged.
    pub fn permits(&self, outgoing: &Outgoing, file: Option<&CaseFile>) -> Result<(), SubmitError> {
        if let Some(file) = file {
            self.in_time(file, outgoing)?;
        }
        if !is_numbered_anew(self.store(), outgoing).map_err(|_| SubmitError::Store)? {
            return Err(SubmitError::NotPermitted(crate::treaty::Code::ItemExists));
        }
        let (core, progress) = (&self.core, self.progress.borrow().clone());
        let message = (&outgoing.draft, outgoing.effect.as_ref(), outgoing.body.as_ref());
        let (heads, now) = (core.heads.load(), core.clock.now());
        let permitted = progress.agreement.permits((&core.terms, &heads), &progress.state, now, message);
        permitted.map_err(SubmitError::NotPermitted)
    }

    fn in_time(&self, file: &CaseFile, outgoing: &Outgoing) -> Result<(), SubmitError> {
        let now = self.core.clock.now();
        self.agreement().confirms_in_time(file, &outgoing.effect, now).map_err(SubmitError::NotPermitted)
    }

    /// Takes a step of an order of two persons; the answer comes when it is durable.
    pub async fn order(&self, step: OrderStep) -> Result<(), OrderError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(OrderError::Stopping)?.second;
        let command = Command::Order(OrderCommand { step, reply });
        queue.send(command).await.map_err(|_| OrderError::Stopping)?;
        answer.await.unwrap_or(Err(OrderError::Stopping))
    }

    /// Queues verified envelopes, in stream order, for consumption; the answer comes when they are durable. Those that are
    /// `recalled` crossed before.
    pub async fn consume(
        &self,
        arrivals: Vec<Arrival>,
        recalled: bool,
    ) -> Result<oneshot::Receiver<Result<Vec<Outcome>, ConsumeError>>, ConsumeError> {
        // A message identifier met before is searched for by the deciding task; here only the common case, an
        // identifier never seen, is taken off its shoulders.
        let head = self.store().reader().head().size;
        let mut searched = head;
        for arrival in &arrivals {
            if let Some(id) = message_id(arrival.envelope.get().fields())
                && !matches!(self.store().find(&Lookup::Message(id)), Ok(None))
            {
                searched = 0;
            }
        }
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(ConsumeError::Stopping)?.second;
        let command = Command::Consume(Consume { arrivals, searched, recalled, reply });
        queue.send(command).await.map_err(|_| ConsumeError::Stopping)?;
        Ok(answer)
    }

    /// Queues verified receipts for recording; the answer comes when they are durable.
    pub async fn acknowledge(
        &self,
        receipts: Vec<Accepted>,
    ) -> Result<oneshot::Receiver<Result<(), AcknowledgeError>>, AcknowledgeError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(AcknowledgeError::Stopping)?.first;
        let command = Command::Acknowledge(Acknowledge { receipts, reply });
        queue.send(command).await.map_err(|_| AcknowledgeError::Stopping)?;
        Ok(answer)
    }

    /// Records that a back office took messages over.
    pub async fn hand_over(&self, handed_over: HandedOver) -> Result<(), NoteError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(NoteError::Stopping)?.second;
        let command = Command::HandOver(HandOver { handed_over, reply });
        queue.send(command).await.map_err(|_| NoteError::Stopping)?;
        answer.await.unwrap_or(Err(NoteError::Stopping))
    }

    /// Shows a head of the other Party; the answer comes when it is recorded.
    pub async fn show_head(&self, shown: ShownHead) -> Result<HeadAnswer, HeadError> {
        let (reply, answer) = oneshot::channel();
        self.first(Heads::Show(Box::new(shown), reply)).await?;
        answer.await.unwrap_or(Err(HeadError::Stopping))
    }

    /// Records that the other Party cosigned a head of this ledger.
    pub async fn cosigned(&self, cosigned: Cosigned, note: String) -> Result<(), HeadError> {
        let (reply, answer) = oneshot::channel();
        self.first(Heads::Cosign(cosigned, note, reply)).await?;
        answer.await.unwrap_or(Err(HeadError::Stopping))
    }

    /// Records that the other Party's ledger contradicts itself, and holds the channel.
    pub async fn contradicted(
        &self,
        contradiction: Contradiction,
        notes: Vec<String>,
    ) -> Result<(), HeadError> {
        let (reply, answer) = oneshot::channel();
        self.first(Heads::Contradict(contradiction, notes, reply)).await?;
        answer.await.unwrap_or(Err(HeadError::Stopping))
    }

    async fn first(&self, command: Heads) -> Result<(), HeadError> {
        let queue = self.queues().ok_or(HeadError::Stopping)?.first;
        queue.send(Command::Heads(command)).await.map_err(|_| HeadError::Stopping)
    }

    /// Begins a new epoch: of a store that was put back from a backup, or after keys were stolen, with what follows for them.
    pub async fn begin_epoch(
        &self,
        epoch: u32,
        restored: Restored,
        keys: Vec<Fact>,
    ) -> Result<(), RestoreError> {
        self.restore(Step::Begin(epoch, Box::new(restored), keys)).await
    }

    /// Ends the work of a restore that was begun with this fact.
    pub async fn complete_restore(&self, restored: Restored) -> Result<(), RestoreError> {
        self.restore(Step::Complete(Box::new(restored))).await
    }

    /// Takes in this Party's own messages that came back from the other.
    pub async fn recall(&self, parcels: Vec<Parcel>) -> Result<(), RestoreError> {
        self.restore(Step::Recalled(parcels)).await
    }

    /// Seals messages anew that the given-up history had sealed, by their ledger indexes.
    pub async fn seal_anew(&self, leaves: Vec<u64>) -> Result<(), RestoreError> {
        self.restore(Step::SealAnew(leaves)).await
    }

    async fn restore(&self, step: Step) -> Result<(), RestoreError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(RestoreError::Stopping)?.first;
        let command = Command::Restore(Restore { step, reply });
        queue.send(command).await.map_err(|_| RestoreError::Stopping)?;
        answer.await.unwrap_or(Err(RestoreError::Stopping))
    }

    /// Records that the other Party's store was put back from a backup or its keys were stolen, with what proves that and what
    /// follows for its keys; holds the channel.
    pub async fn peer_restored(
        &self,
        restored: PeerRestored,
        proof: Bytes,
        keys: Vec<Fact>,
    ) -> Result<(), HeadError> {
        let (reply, answer) = oneshot::channel();
        self.first(Heads::PeerRestored(Box::new(restored), proof, keys, reply)).await?;
        answer.await.unwrap_or(Err(HeadError::Stopping))
    }

    /// Records the digest of the other Party's recovery key, once.
    pub async fn recovery_key(&self, digest: Digest) -> Result<(), HeadError> {
        let (reply, answer) = oneshot::channel();
        self.first(Heads::RecoveryKey(digest, reply)).await?;
        answer.await.unwrap_or(Err(HeadError::Stopping))
    }

    /// Records a step of a draft; answers with its ledger index once it is durable.
    pub async fn change_draft(&self, step: DraftStep) -> Result<u64, DraftError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(NoteError::Stopping)?.second;
        let command = Command::Draft(Box::new(ChangeDraft { step, reply }));
        queue.send(command).await.map_err(|_| NoteError::Stopping)?;
        answer.await.unwrap_or(Err(NoteError::Stopping.into()))
    }

    /// Records a fact that changes no chain.
    pub async fn note(&self, fact: Fact) -> Result<(), NoteError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queues().ok_or(NoteError::Stopping)?.second;
        queue.send(Command::Note(Note { fact, reply })).await.map_err(|_| NoteError::Stopping)?;
        answer.await.unwrap_or(Err(NoteError::Stopping))
    }

    fn queues(&self) -> Option<Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
