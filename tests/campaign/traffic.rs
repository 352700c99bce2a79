//! Traffic from one Party's back office and what it was told: every answered submission, every feed item.

use super::chance::Chance;
use super::office::{Client, Office};
use anyhow::ensure;
use article6::backoffice::v1::{AcknowledgeMessagesRequest, FeedKind, WatchMessagesResponse};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Size of a body, in bytes.
pub const BYTES: usize = 1024;
/// Most items taken over at once.
const BATCH: usize = 32;
/// A feed that stays quiet for so long is a moment to take over what came.
const QUIET: Duration = Duration::from_millis(20);

/// One back office with its submitters and its feed.
pub struct Traffic {
    office: Office,
    record: Arc<Record>,
    submitters: Vec<JoinHandle<anyhow::Result<()>>>,
    feed: JoinHandle<anyhow::Result<()>>,
    stop: Arc<AtomicBool>,
}

/// What a back office was told.
#[derive(Debug, Default)]
pub struct Record {
    /// request_id of every answered submission, with the message's name and position.
    pub answered: Mutex<BTreeMap<String, (String, u64)>>,
    /// The feed: items by their place.
    pub feed: Mutex<BTreeMap<u64, Item>>,
    places: Mutex<HashMap<(i32, String), u64>>,
    /// Submissions that had to be repeated.
    pub retries: AtomicU64,
    /// Items shown again after a restart, each at its old place.
    pub shown_again: AtomicU64,
    /// Place up to which taking over was answered.
    taken_over: AtomicU64,
}

/// An item of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its cursor.
    pub cursor: String,
    /// What it is.
    pub kind: i32,
    /// The message's name.
    pub name: String,
    /// The message's position.
    pub position: u64,
}

impl Traffic {
    /// Starts `submitters` that pause up to `pause` between submissions, and the feed.
    pub fn start(office: Office, party: &str, submitters: u64, pause: Duration, chance: &mut Chance) -> Self {
        let (record, stop) = (Arc::<Record>::default(), Arc::<AtomicBool>::default());
        let submitter = |at: u64| {
            let name = format!("{party}-{at}-{:x}", chance.next());
            tokio::spawn(submit(office.clone(), name, pause, chance.fork(), record.clone(), stop.clone()))
        };
        let submitters = (0..submitters).map(submitter).collect();
        let feed = tokio::spawn(follow(office.clone(), chance.fork(), record.clone()));
        Self { office, record, submitters, feed, stop }
    }

    /// What the back office was told so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// A task found a violation already.
    pub fn has_ended(&self) -> bool {
        self.feed.is_finished() || self.submitters.iter().any(JoinHandle::is_finished)
    }

    /// Submits no more and waits for the answers under way.
    pub async fn finish_submissions(&mut self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for submitter in self.submitters.drain(..) {
            submitter.await??;
        }
        Ok(())
    }

    /// Waits until the feed has shown `received` messages and every outcome, then ends it.
    pub async fn finish_feed(
        self,
        received: u64,
        patience: Duration,
    ) -> anyhow::Result<(Office, Arc<Record>)> {
        let outcomes = self.record.answered.lock().unwrap().len() as u64;
        let whole = async {
            while !self.feed.is_finished() {
                let last = self.record.feed.lock().unwrap().keys().last().copied().unwrap_or(0);
                let all = self.record.count(FeedKind::Received) >= received
                    && self.record.count(FeedKind::Outcome) >= outcomes;
                if all && self.record.taken_over.load(Ordering::Relaxed) >= last {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = timeout(patience, whole).await;
        let (shown, came) = (self.record.count(FeedKind::Received), self.record.count(FeedKind::Outcome));
        if self.feed.is_finished() {
            self.feed.await??;
            anyhow::bail!("the feed ended");
        }
        self.feed.abort();
        ensure!(
            in_time.is_ok(),
            "the feed shows {shown} of {received} messages and {came} of {outcomes} outcomes"
        );
        Ok((self.office, self.record))
    }
}

impl Record {
    /// Items of a kind.
    pub fn count(&self, kind: FeedKind) -> u64 {
        self.places.lock().unwrap().keys().filter(|(of, _)| *of == i32::from(kind)).count() as u64
    }

    /// Names of messages in the feed.
    pub fn names(&self, kind: FeedKind) -> Vec<String> {
        let mut names: Vec<_> = self
            .places
            .lock()
            .unwrap()
            .keys()
            .filter(|(of, _)| *of == i32::from(kind))
            .map(|(_, name)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// Notes an answered submission; the same request must always get the same answer.
    fn answer(&self, request_id: &str, name: String, position: u64) -> anyhow::Result<()> {
        let answer = (name, position);
        let mut answered = self.answered.lock().unwrap();
        let earlier = answered.entry(request_id.to_owned()).or_insert_with(|| answer.clone());
        ensure!(*earlier == answer, "{request_id} was answered with {earlier:?} and then with {answer:?}");
        Ok(())
    }

    /// Notes a feed item: what was shown is shown again as it was, and what is new comes after everything shown.
    fn show(&self, item: Item) -> anyhow::Result<u64> {
        let place = place(&item.cursor)?;
        let mut feed = self.feed.lock().unwrap();
        if let Some(earlier) = feed.get(&place) {
            ensure!(*earlier == item, "the feed showed {earlier:?} and then {item:?} at the same place");
            self.shown_again.fetch_add(1, Ordering::Relaxed);
            return Ok(place);
        }
        let last = feed.keys().last().copied().unwrap_or(0);
        ensure!(place > last, "{item:?} appears before place {last}, which was shown already");
        let earlier = self.places.lock().unwrap().insert((item.kind, item.name.clone()), place);
        ensure!(earlier.is_none(), "{item:?} was in the feed at {earlier:?} already");
        feed.insert(place, item);
        Ok(place)
    }
}

/// The place a cursor stands for. To clients a cursor is opaque; a campaign looks into it.
pub fn place(cursor: &str) -> anyhow::Result<u64> {
    let (_, place) = cursor.split_once('-').ok_or_else(|| anyhow::anyhow!("{cursor:?} is no cursor"))?;
    Ok(u64::from_str_radix(place, 16)?)
}

/// The item of a feed's answer; `None` for a sign of life.
pub fn item(shown: WatchMessagesResponse) -> Option<Item> {
    let message = shown.message?;
    Some(Item { cursor: shown.cursor, kind: shown.kind, name: message.name, position: message.position })
}

/// Submits, one after another, each until it is answered; now and then asks an old one again.
async fn submit(
    office: Office,
    name: String,
    pause: Duration,
    mut chance: Chance,
    record: Arc<Record>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let mut client = office.connect().await;
    for n in 0_u64.. {
        let at = if n > 0 && chance.once_in(16) { chance.below(n) } else { n };
        for id in if at == n { vec![n] } else { vec![at, n] } {
            let request_id = format!("{name}-{id}");
            client = until_answered(&office, client, &request_id, &record).await?;
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        tokio::time::sleep(chance.up_to(pause)).await;
    }
    Ok(())
}

async fn until_answered(
    office: &Office,
    mut client: Client,
    request_id: &str,
    record: &Record,
) -> anyhow::Result<Client> {
    loop {
        match office.submit(&mut client, request_id, BYTES).await {
            Ok(message) => {
                record.answer(request_id, message.name, message.position)?;
                return Ok(client);
            }
            Err(status) => {
                let wrong = [
                    tonic::Code::InvalidArgument,
                    tonic::Code::AlreadyExists,
                    tonic::Code::Internal,
                    tonic::Code::PermissionDenied,
                ];
                // The client's own transport reports a connection that broke as INTERNAL too, but without a reason.
                let judged = !super::office::reason(&status).is_empty();
                ensure!(!(judged && wrong.contains(&status.code())), "{request_id}: {status}");
                record.retries.fetch_add(1, Ordering::Relaxed);
                client = office.connect().await;
            }
        }
    }
}

/// Follows the feed for ever: resumes at the last cursor, or where the last answered taking over left off.
async fn follow(office: Office, mut chance: Chance, record: Arc<Record>) -> anyhow::Result<()> {
    let (mut cursor, mut seen) = (String::new(), 0);
    loop {
        let mut client = office.connect().await;
        let taken_over = record.taken_over.load(Ordering::Relaxed);
        let (from, mut last) =
            if chance.once_in(2) { (cursor.clone(), seen) } else { (String::new(), taken_over) };
        let Ok(answer) = client.watch_messages(office.watch(&from)).await else { continue };
        let mut stream = answer.into_inner();
        // What was shown before the connection broke may not be taken over yet, and nothing new need come.
        let mut pending = usize::from(seen > taken_over);
        loop {
            let shown = match timeout(QUIET, stream.message()).await {
                Ok(Ok(Some(shown))) => item(shown),
                Ok(_) => break,
                Err(_) => None,
            };
            if let Some(item) = &shown {
                let place = record.show(item.clone())?;
                ensure!(place > last, "the feed from {last} shows {item:?}");
                (last, pending) = (place, pending + 1);
                if place > seen {
                    (cursor, seen) = (item.cursor.clone(), place);
                }
            }
            if pending >= BATCH || (pending > 0 && shown.is_none()) {
                let request = AcknowledgeMessagesRequest { names: Vec::new(), cursor: cursor.clone() };
                if client.acknowledge_messages(office.call(request)).await.is_err() {
                    break;
                }
                record.taken_over.store(seen, Ordering::Relaxed);
                pending = 0;
            }
        }
    }
}
