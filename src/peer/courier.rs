//! Brings this Party's messages to the other, in order, for as long as it takes.
//!
//! One task reads the journal by position: it never holds a message that is not durable, and nobody waits for it.
//! Each session begins with Open; a session that fails is begun anew after a growing, jittered wait.

use super::Link;
use super::answer::{InFlight, read_answer};
use super::epochs::{note_recovery_key, note_restored, quarantine};
use super::introduction::{check, introduce};
use super::trouble::SessionError;
use super::trustworthy::Doubts;
use super::v1::peer_service_client::PeerServiceClient;
use super::v1::{DeliverRequest, DeliverResponse, Delivery, OpenRequest, RecallRequest, RecallResponse};
use super::witness::be_witnessed;
use crate::channel::retry::Backoff;
use crate::channel::state::{PeerHead, State};
use crate::crypto::random;
use crate::door::{DialSettings, Dialled, Shutdown, dial};
use crate::exchange::acknowledge::AcknowledgeError;
use crate::exchange::delivery::Health;
use crate::exchange::parcel::{Parcel, sealed_from};
use crate::exchange::receipts::{CheckError, Checker};
use crate::ledger::Checkpoint;
use crate::limits;
use prost_types::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// What the other daemon answers to a daemon whose store lacks what it knows, as seen from here.
const BEHIND: [&str; 4] = ["OWN_CHAIN_BEHIND", "OWN_CHAIN_DIFFERS", "OWN_LEDGER_BEHIND", "OWN_LEDGER_FORKED"];

/// The task that delivers.
#[derive(Debug)]
pub struct Courier {
    /// What both directions share.
    pub link: Link,
    /// Where the other daemon is.
    pub dial: DialSettings,
    /// When to try again.
    pub backoff: Backoff,
    /// Told at every change.
    pub health: watch::Sender<Health>,
    doubts: Doubts,
}

impl Courier {
    /// A courier that has not set out.
    pub fn new(link: Link, dial: DialSettings, backoff: Backoff, health: watch::Sender<Health>) -> Self {
        Self { link, dial, backoff, health, doubts: Doubts::default() }
    }
}

impl Courier {
    /// Delivers until the daemon drains.
    pub async fn run(self, shutdown: Shutdown) {
        let mut failures = 0;
        while !shutdown.is_draining() {
            let ended = tokio::select! {
                ended = self.session(&mut failures) => ended,
                () = shutdown.draining() => return,
            };
            let Err(error) = ended else { return };
            failures += 1;
            let jitter = random::array::<4>().map_or(0, u32::from_le_bytes);
            let wait = self.backoff.wait(failures, jitter);
            self.note_failure(&error, failures, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.draining() => return,
            }
        }
    }

    fn note_failure(&self, error: &SessionError, attempts: u32, wait: Duration) {
        let reason = error.reason();
        if attempts == 1 || attempts.is_power_of_two() {
            tracing::warn!(reason, %error, attempts, retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "delivery failed");
        }
        let now = self.link.engine.core().clock.now();
        let wait_seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        self.health.send_modify(|health| {
            health.open = false;
            health.tls_group.clear();
            health.failing_since.get_or_insert(now);
            health.reason = reason;
            health.attempts = attempts;
            health.next_attempt_at =
                Some(Timestamp { seconds: now.seconds.saturating_add(wait_seconds), ..now });
        });
    }

    async fn session(&self, failures: &mut u32) -> Result<(), SessionError> {
        if self.link.engine.state().is_held() {
            self.link.engine.core().quarantine.unreachable();
            return Err(SessionError::Held);
        }
        let dialled =
            dial(&self.dial).await.inspect_err(|_| self.link.engine.core().quarantine.unreachable())?;
        let mut client = PeerServiceClient::new(dialled.clone())
            .max_decoding_message_size(limits::MESSAGE_BYTES)
            .max_encoding_message_size(limits::MESSAGE_BYTES);
        let state = self.link.engine.state();
        let configured = self.link.trust.load().ledger_keys.clone();
        let (mut checker, accepted_there) = self.open(&mut client, &state).await?;
        // After a failure an opening alone proves nothing: the first sound answer to what waits does.
        if *failures == 0 || state.acknowledged() == state.sealed().sequence {
            self.note_open(failures, dialled.group());
        }
        let (requests, outgoing) = mpsc::channel(limits::DELIVERY_REQUESTS_IN_FLIGHT);
        let answers = timeout(limits::OPEN_ANSWER, client.deliver(ReceiverStream::new(outgoing)));
        let answers = answers.await.map_err(|_| SessionError::Silent)??.into_inner();
        tokio::select! {
            ended = self.deliver(&dialled, requests, answers, &mut checker, &state, failures) => ended,
            ended = be_witnessed(&self.link, client, &self.health, accepted_there) => ended,
            () = self.held() => Err(SessionError::Held),
            () = self.rekeyed(&configured) => Err(SessionError::Rekeyed),
        }
    }

    /// Resolves when the configuration no longer names these keys of the other Party's ledger. A reload comes once a minute
    /// or by hand.
    async fn rekeyed(&self, configured: &[[u8; 32]]) {
        while self.link.trust.load().ledger_keys == configured {
            tokio::time::sleep(limits::CONNECTION_TICK).await;
        }
    }

    /// Resolves when the channel is held.
    async fn held(&self) {
        let mut progress = self.link.engine.progress();
        if progress.wait_for(|progress| progress.state.is_held()).await.is_err() {
            std::future::pending().await
        }
    }

    fn note_open(&self, failures: &mut u32, group: &str) {
        tracing::info!(group, "the channel is open");
        *failures = 0;
        self.health.send_replace(Health { open: true, tls_group: group.to_owned(), ..Health::default() });
    }

    async fn open(
        &self,
        client: &mut PeerServiceClient<Dialled>,
        state: &State,
    ) -> Result<(Checker, u64), SessionError> {
        let (introduction, _) = introduce(&self.link, state)?;
        let request = OpenRequest { introduction: Some(introduction) };
        let response =
            timeout(limits::OPEN_ANSWER, client.open(request)).await.map_err(|_| SessionError::Silent)?;
        let response = match response {
            Ok(response) => response.into_inner(),
            Err(status) => {
                let refused = SessionError::from(status);
                if BEHIND.contains(&refused.reason().as_str()) {
                    self.ask_why(client, state).await;
                }
                return Err(refused);
            }
        };
        let peer = response.introduction.ok_or(SessionError::Unexpected)?;
        let checkpoint = match check(&self.link, state, &peer) {
            Ok(checkpoint) => checkpoint,
            Err(mismatch) => {
                quarantine(&self.link, &mismatch, &peer);
                note_restored(&self.link, &mismatch, &peer).await;
                self.doubts.note_introduction(&self.link, &mismatch, &peer.checkpoint).await;
                return Err(mismatch.into());
            }
        };
        self.link.engine.core().quarantine.leave();
        note_recovery_key(&self.link, &peer).await;
        let checker = self.checker(peer.epoch);
        let PeerHead { size, root } = state.peer_head();
        let extends = checker.extends(size, &root, &checkpoint, &response.consistency);
        self.expect_proven(extends, &checkpoint, &peer.checkpoint).await?;
        Ok((checker, peer.accepted_size))
    }

    /// The other daemon says that this store is behind what it knows. It says that of a copy of its own that is ahead, too:
    /// what it holds must be seen.
    async fn ask_why(&self, client: &mut PeerServiceClient<Dialled>, state: &State) {
        let Ok((introduction, _)) = introduce(&self.link, state) else { return };
        let request = RecallRequest {
            introduction: Some(introduction),
            own_from: u64::MAX,
            theirs_from: u64::MAX,
            introduction_only: true,
            ..RecallRequest::default()
        };
        let answered = timeout(limits::OPEN_ANSWER, client.recall(request)).await;
        let Ok(Ok(parts)) = answered else { return };
        let first = timeout(limits::OPEN_ANSWER, parts.into_inner().message()).await;
        if let Ok(Ok(Some(RecallResponse { introduction: Some(peer), .. }))) = first
            && let Err(mismatch) = check(&self.link, state, &peer)
        {
            quarantine(&self.link, &mismatch, &peer);
        }
    }

    /// Checks with the keys that are trusted now.
    fn checker(&self, epoch: u32) -> Checker {
        let (trusted, terms) = (self.link.trusted(), self.link.terms());
        // Receipts are always the same bytes: those of before a restore are of an earlier epoch.
        let mut earlier = trusted.retired_vkeys(terms, epoch);
        let epochs = epoch.saturating_sub(limits::EARLIER_EPOCHS).max(1)..epoch;
        earlier.extend(epochs.flat_map(|epoch| trusted.vkeys(terms, epoch)));
        Checker::new(trusted.vkeys(terms, epoch), earlier)
    }

    /// A greater ledger that is not proven to extend the one accepted contradicts it.
    async fn expect_proven(
        &self,
        extends: Result<(), CheckError>,
        shown: &Checkpoint,
        note: &str,
    ) -> Result<(), SessionError> {
        if let Err(CheckError::Consistency(_)) = &extends {
            self.doubts.note(&self.link, shown, note).await;
        }
        Ok(extends?)
    }

    async fn deliver(
        &self,
        dialled: &Dialled,
        requests: mpsc::Sender<DeliverRequest>,
        mut answers: Streaming<DeliverResponse>,
        checker: &mut Checker,
        state: &State,
        failures: &mut u32,
    ) -> Result<(), SessionError> {
        let mut progress = self.link.engine.progress();
        let mut in_flight: VecDeque<InFlight> = VecDeque::new();
        let mut recording: VecDeque<oneshot::Receiver<Result<(), AcknowledgeError>>> = VecDeque::new();
        let mut accepted = state.peer_head();
        let mut keys = state.keys().version();
        let mut next = state.acknowledged() + 1;
        // A session begins small and grows with each answer: one that is cut short early has still achieved something.
        // After a failure it begins with one, so that what stands before a refused message gets its receipt.
        let mut most = if *failures == 0 { limits::DELIVERIES_PER_FIRST_REQUEST } else { 1 };
        loop {
            while in_flight.len() < limits::DELIVERY_REQUESTS_IN_FLIGHT {
                // While two answers are awaited messages gather: what is sent then is worth a request of its own.
                let least = if in_flight.len() < 2 { 1 } else { limits::DELIVERIES_WORTH_A_REQUEST };
                let Some(sent) = self.send_next(&requests, next, least..=most, accepted).await? else {
                    break;
                };
                next += sent.expected.len() as u64;
                in_flight.push_back(sent);
            }
            let patience = in_flight.front().map_or(limits::DELIVERY_ANSWER, |oldest| {
                limits::DELIVERY_ANSWER.saturating_sub(oldest.sent_at.elapsed())
            });
            tokio::select! {
                answer = answers.message() => {
                    let answer = answer?.ok_or(SessionError::Closed)?;
                    let sent = in_flight.pop_front().ok_or(SessionError::Unexpected)?;
                    let now = self.link.engine.state();
                    if std::mem::replace(&mut keys, now.keys().version()) != keys {
                        *checker = self.checker(now.peer_epoch().max(1));
                    }
                    let read = read_answer(&answer, &sent, checker);
                    if let (Err(SessionError::Proof(CheckError::Consistency(_))), Ok(shown)) =
                        (&read, checker.checkpoint(&answer.checkpoint))
                    {
                        self.doubts.note(&self.link, &shown, &answer.checkpoint).await;
                    }
                    let (receipts, head) = read?;
                    self.doubts.forget();
                    accepted = head;
                    if *failures > 0 {
                        self.note_open(failures, dialled.group());
                    }
                    most = limits::DELIVERIES_PER_REQUEST.min(2 * most);
                    recording.push_back(self.link.engine.acknowledge(receipts).await?);
                }
                recorded = async { recording.front_mut()?.await.ok() }, if !recording.is_empty() => {
                    recording.pop_front();
                    recorded.unwrap_or(Err(AcknowledgeError::Stopping))?;
                }
                changed = progress.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                () = tokio::time::sleep(patience), if !in_flight.is_empty() => return Err(SessionError::Silent),
                () = dialled.closed() => return Err(SessionError::Closed),
            }
        }
    }

    async fn send_next(
        &self,
        requests: &mpsc::Sender<DeliverRequest>,
        next: u64,
        count: std::ops::RangeInclusive<usize>,
        accepted: PeerHead,
    ) -> Result<Option<InFlight>, SessionError> {
        let waiting = (self.link.engine.state().sealed().sequence + 1).saturating_sub(next);
        if waiting < *count.start() as u64 {
            return Ok(None);
        }
        let store = self.link.engine.store();
        let parcels = sealed_from(store, next, *count.end(), limits::DELIVERY_REQUEST_BYTES)?;
        if parcels.is_empty() {
            return Ok(None);
        }
        let expected = (next..).zip(&parcels).map(|(sequence, parcel)| parcel.expects(sequence)).collect();
        let deliveries = parcels.into_iter().map(delivery).collect();
        let request = DeliverRequest { deliveries, accepted_size: accepted.size };
        requests.send(request).await.map_err(|_| SessionError::Closed)?;
        Ok(Some(InFlight { sent_at: Instant::now(), expected, accepted }))
    }
}

pub(super) fn delivery(parcel: Parcel) -> Delivery {
    let Parcel { envelope, signature, item } = parcel;
    let item = item.unwrap_or_default();
    Delivery {
        envelope,
        signature,
        body_salt: item.salt,
        body: item.body,
        document_salts: item.document_salts,
    }
}
