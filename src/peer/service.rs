//! What the other Party's daemon may ask of us.

use super::epochs::{note_recovery_key, note_restored, quarantine};
use super::introduction::{Mismatch, check, introduce};
use super::recall;
use super::trustworthy::{Doubts, Proven};
use super::v1::peer_service_server::PeerService;
use super::v1::{
    DeliverRequest, DeliverResponse, Delivery, OlderHead, OpenRequest, OpenResponse, RecallRequest,
    RecallResponse, WitnessRequest, WitnessResponse,
};
use super::witness::witness;
use super::{Link, Trusted};
use crate::channel::envelope::EnvelopeError;
use crate::door::{Draining, Refusal};
use crate::exchange::deliver::{Arrival, ConsumeError, Outcome};
use crate::exchange::pace::Pace;
use crate::exchange::parcel::{Parcel, inspect};
use crate::exchange::receipts::receipt;
use crate::limits;
use crate::wire::ledger::v1::Item;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

/// The peer door's service.
#[derive(Debug, Clone)]
pub struct Service {
    link: Link,
    streams: Arc<Semaphore>,
    /// How fast heads of the other Party are recorded: it decides how fast its ledger grows, not how fast ours does.
    pace: Arc<Pace>,
    doubts: Doubts,
    proven: Proven,
}

/// What becomes of a few deliveries.
type Verifying = Result<Vec<Arrival>, Status>;

/// A delivery request on its way through the engine.
struct UnderWay {
    accepted_size: u64,
    answer: oneshot::Receiver<Result<Vec<Outcome>, ConsumeError>>,
}

impl Service {
    /// Serves the link.
    pub fn new(link: Link) -> Self {
        let streams = Arc::new(Semaphore::new(limits::DELIVER_STREAMS));
        Self {
            link,
            streams,
            pace: Arc::new(Pace::new(limits::WITNESS_RECORDS, limits::WITNESS_BURST)),
            doubts: Doubts::default(),
            proven: Proven::default(),
        }
    }

    /// One channel needs one stream; a session that broke off unnoticed may hold another for a while.
    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.streams.clone().try_acquire_owned().map_err(|_| {
            let told = "too many streams are open; end one, or wait until a broken one is noticed";
            let refusal = Refusal::new(Code::ResourceExhausted, "TOO_MANY_STREAMS", told);
            refusal.retry_after(limits::OVERLOAD_RETRY).status()
        })
    }
}

#[tonic::async_trait]
impl PeerService for Service {
    async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenResponse>, Status> {
        let peer = request.into_inner().introduction.ok_or_else(|| malformed("introduction"))?;
        let state = self.link.engine.state();
        let shown = match check(&self.link, &state, &peer) {
            Ok(shown) => shown,
            Err(error) => {
                tracing::warn!(reason = error.reason(), %error, "the other Party's daemon does not fit");
                quarantine(&self.link, &error, &peer);
                note_restored(&self.link, &error, &peer).await;
                self.doubts.note_introduction(&self.link, &error, &peer.checkpoint).await;
                return Err(mismatch(&error));
            }
        };
        self.link.engine.core().quarantine.leave();
        note_recovery_key(&self.link, &peer).await;
        self.doubts.forget();
        self.proven.opened(state.peer_head(), &shown);
        let (introduction, size) = introduce(&self.link, &state).map_err(|error| mismatch(&error))?;
        // From a head that a restore gave up nothing can be proven: the introduction tells of the restore.
        let from = if peer.known_epoch.max(1) < state.epoch() { 0 } else { peer.accepted_size };
        let consistency =
            self.link.engine.store().consistency(from, size).map_err(|error| unreadable(&error))?;
        Ok(Response::new(OpenResponse { introduction: Some(introduction), consistency }))
    }

    type RecallStream = ReceiverStream<Result<RecallResponse, Status>>;

    async fn recall(&self, request: Request<RecallRequest>) -> Result<Response<Self::RecallStream>, Status> {
        let place = self.place()?;
        let (link, request) = (self.link.clone(), request.into_inner());
        let (parts, stream) = mpsc::channel(2);
        tokio::spawn(async move {
            if let Err(status) = recall::answer(&link, request, &parts).await {
                let _ = parts.send(Err(status)).await;
            }
            drop(place);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn witness(&self, request: Request<WitnessRequest>) -> Result<Response<WitnessResponse>, Status> {
        let answer = witness(&self.link, &self.pace, request.into_inner()).await?;
        if !answer.cosignature.is_empty() {
            self.proven.prove();
        }
        Ok(Response::new(answer))
    }

    type DeliverStream = ReceiverStream<Result<DeliverResponse, Status>>;

    async fn deliver(
        &self,
        request: Request<Streaming<DeliverRequest>>,
    ) -> Result<Response<Self::DeliverStream>, Status> {
        let place = self.place()?;
        let draining = request.extensions().get::<Draining>().cloned().unwrap_or_default();
        let (under_way, answers) = mpsc::channel(limits::DELIVERY_REQUESTS_HELD);
        let (responses, stream) = mpsc::channel(limits::DELIVERY_REQUESTS_HELD);
        let (link, requests) = (self.link.clone(), request.into_inner());
        let proven = self.proven.clone();
        tokio::spawn(async move {
            if let Err(status) = take_in(&link, &proven, requests, &draining, &under_way).await {
                // In its turn: what was taken in before is answered first.
                let _ = under_way.send(Err(status)).await;
            }
        });
        let link = self.link.clone();
        tokio::spawn(async move {
            answer(&link, answers, &responses).await;
            drop(place);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Verifies what arrives, several requests at a time, and gives it to the engine in the order of the stream.
async fn take_in(
    link: &Link,
    proven: &Proven,
    mut requests: Streaming<DeliverRequest>,
    draining: &Draining,
    under_way: &mpsc::Sender<Result<UnderWay, Status>>,
) -> Result<(), Status> {
    let (verifying, mut verified) = mpsc::channel(limits::DELIVERY_REQUESTS_HELD);
    // Ends with the stream and drops its end of the queue: what was read before is still consumed.
    let reading = async move {
        loop {
            let request = tokio::select! {
                () = draining.begun() => return Err(stopping()),
                request = requests.message() => request?,
            };
            let Some(request) = request else { return Ok(()) };
            let trusted = link.trusted();
            let accepted_size = request.accepted_size;
            if accepted_size > link.engine.store().reader().head().size {
                return Err(mismatch(&Mismatch::HeadUnknown));
            }
            let tasks = verify(request, &trusted)?;
            if verifying.send((accepted_size, tasks)).await.is_err() {
                return Ok(());
            }
        }
    };
    let consuming = async {
        while let Some((accepted_size, tasks)) = verified.recv().await {
            let mut arrivals = Vec::new();
            for task in tasks {
                arrivals.extend(task.await.map_err(|_| stopping())??);
            }
            if link.engine.state().is_held() {
                return Err(refused(ConsumeError::Held));
            }
            tokio::select! {
                proven = proven.is_proven() => if !proven {
                    return Err(refused(ConsumeError::Unproven));
                },
                // Nobody waits for the answer any more: the stream's place must not stay taken.
                () = under_way.closed() => break,
            }
            let answer = link.engine.consume(arrivals, false).await.map_err(refused)?;
            if under_way.send(Ok(UnderWay { accepted_size, answer })).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let (mut reading, mut consuming) = (std::pin::pin!(reading), std::pin::pin!(consuming));
    tokio::select! {
        // Nothing more is consumed: the sender is told so at once, though it keeps its stream open.
        consumed = &mut consuming => consumed,
        read = &mut reading => consuming.await.and(read),
    }
}

/// Verifies the deliveries of a request, a few on each core at a time.
fn verify(request: DeliverRequest, trusted: &Arc<Trusted>) -> Result<Vec<JoinHandle<Verifying>>, Status> {
    if request.deliveries.is_empty() || request.deliveries.len() > 2 * limits::DELIVERIES_PER_REQUEST {
        return Err(malformed("deliveries"));
    }
    let mut deliveries = request.deliveries.into_iter();
    let mut tasks = Vec::new();
    loop {
        let some: Vec<_> = deliveries.by_ref().take(limits::DELIVERIES_VERIFIED_TOGETHER).collect();
        if some.is_empty() {
            return Ok(tasks);
        }
        let trusted = trusted.clone();
        tasks.push(tokio::spawn(async move {
            some.into_iter().map(|delivery| verify_one(delivery, &trusted)).collect()
        }));
    }
}

fn verify_one(delivery: Delivery, trusted: &Trusted) -> Result<Arrival, Status> {
    if delivery.envelope.len() > limits::ENVELOPE_BYTES_MAX {
        return Err(malformed("deliveries.envelope"));
    }
    if delivery.signature.len() > limits::SIGNATURE_BYTES_MAX {
        return Err(malformed("deliveries.signature"));
    }
    let unavailable = delivery.body_salt.is_empty() && delivery.body.is_empty();
    let item =
        Item { salt: delivery.body_salt, body: delivery.body, document_salts: delivery.document_salts };
    let parcel = Parcel {
        envelope: delivery.envelope,
        signature: delivery.signature,
        item: if unavailable { None } else { Some(item) },
    };
    inspect(parcel, &trusted.signing).map_err(|error| {
        tracing::warn!(%error, "an envelope was refused");
        let reason = match &error {
            EnvelopeError::Undecodable => "ENVELOPE_UNDECODABLE",
            EnvelopeError::UnknownKey => "KEY_NOT_TRUSTED",
            EnvelopeError::Signature(_) => "SIGNATURE_INVALID",
        };
        Refusal::new(Code::InvalidArgument, reason, error.to_string()).status()
    })
}

/// Answers each request once its envelopes are durable, in order.
async fn answer(
    link: &Link,
    mut under_way: mpsc::Receiver<Result<UnderWay, Status>>,
    responses: &mpsc::Sender<Result<DeliverResponse, Status>>,
) {
    loop {
        let next = tokio::select! {
            next = under_way.recv() => next,
            () = responses.closed() => return,
        };
        let Some(next) = next else { return };
        let response = match next {
            Ok(UnderWay { accepted_size, answer }) => match answer.await {
                Ok(Ok(outcomes)) => respond(link, accepted_size, &outcomes),
                Ok(Err(error)) => Err(refused(error)),
                Err(_) => Err(stopping()),
            },
            Err(status) => Err(status),
        };
        let failed = response.is_err();
        if responses.send(response).await.is_err() || failed {
            return;
        }
    }
}

fn respond(link: &Link, accepted_size: u64, outcomes: &[Outcome]) -> Result<DeliverResponse, Status> {
    let store = link.engine.store();
    let (head, checkpoint) = store.reader().checkpoint();
    let mut receipts = Vec::with_capacity(outcomes.len());
    let mut older = BTreeSet::new();
    for outcome in outcomes {
        let (receipt, size) = receipt(store, outcome).map_err(|error| unreadable(&error))?;
        receipts.push(receipt);
        older.insert(size);
    }
    older.remove(&head.size);
    let older_heads = older
        .into_iter()
        .map(|size| Ok(OlderHead { size, consistency: store.consistency(size, head.size)? }))
        .collect::<Result<_, crate::store::StoreError>>()
        .map_err(|error| unreadable(&error))?;
    let consistency = store.consistency(accepted_size, head.size).map_err(|error| unreadable(&error))?;
    Ok(DeliverResponse { receipts, checkpoint: checkpoint.to_string(), consistency, older_heads })
}

/// The one table from what may go wrong to what the other Party's daemon is told.
fn refused(error: ConsumeError) -> Status {
    let (code, reason) = match error {
        ConsumeError::Refused(refusal) => (Code::FailedPrecondition, refusal.reason()),
        ConsumeError::Equivocation => (Code::FailedPrecondition, "EQUIVOCATION"),
        ConsumeError::Unproven => (Code::FailedPrecondition, "LEDGER_UNPROVEN"),
        ConsumeError::Held => (Code::FailedPrecondition, "CHANNEL_HELD"),
        ConsumeError::Quarantined => (Code::FailedPrecondition, "PEER_QUARANTINED"),
        ConsumeError::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
        ConsumeError::TooManyRejections => (Code::ResourceExhausted, "TOO_MANY_REJECTIONS"),
        ConsumeError::Stopping => (Code::Unavailable, "STOPPING"),
    };
    if matches!(error, ConsumeError::Refused(_) | ConsumeError::Equivocation) {
        tracing::warn!(reason, "an envelope was refused");
    }
    let refusal = Refusal::new(code, reason, error.to_string());
    match code {
        Code::ResourceExhausted | Code::Unavailable => refusal.retry_after(Duration::from_secs(5)).status(),
        _ => refusal.status(),
    }
}

pub(super) fn mismatch(error: &Mismatch) -> Status {
    let code = match error {
        Mismatch::Store(_) | Mismatch::OwnKey(_) => Code::Internal,
        _ => Code::FailedPrecondition,
    };
    Refusal::new(code, error.reason(), error.to_string()).status()
}

pub(super) fn malformed(field: &str) -> Status {
    Refusal::new(Code::InvalidArgument, "REQUEST_MALFORMED", format!("{field} is missing or out of bounds"))
        .status()
}

fn stopping() -> Status {
    refused(ConsumeError::Stopping)
}

pub(super) fn unreadable(error: &crate::store::StoreError) -> Status {
    tracing::error!(%error, "the store cannot be read");
    Refusal::new(Code::Internal, "STORE_UNREADABLE", "the store cannot be read").status()
}
