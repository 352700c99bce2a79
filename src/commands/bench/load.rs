//! Back offices of both Parties under load: every message is followed from its submission to its hand-over.

use crate::backoffice::caller::OFFICIAL;
use crate::backoffice::v1::message_service_client::MessageServiceClient;
use crate::backoffice::v1::{
    AcknowledgeMessagesRequest, FeedKind, MessageView, Submission, SubmitMessageRequest,
    WatchMessagesRequest, WatchMessagesResponse,
};
use crate::door::Dialled;
use crate::limits::MESSAGE_BYTES;
use crate::wire::assistance::v1::{Body, Consultation, Purpose, body::Content};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tonic::metadata::MetadataValue;
use tonic::{Request, Streaming};

type Client = MessageServiceClient<Dialled>;

/// Longest wait for the last messages of a run.
const PATIENCE: Duration = Duration::from_secs(120);

/// Acknowledgements under way at once.
const ACKNOWLEDGEMENTS_UNDER_WAY: usize = 2;

/// What is known of each message.
#[derive(Debug, Default)]
struct Ledger {
    submitted: HashMap<String, Instant>,
    receipted: HashMap<String, Instant>,
    taken_over: HashSet<String>,
    duplicated: u64,
    waiting: HashMap<String, oneshot::Sender<()>>,
}

impl Ledger {
    /// Wakes the worker whose message has gone the whole way.
    fn wake(&mut self, name: &str) {
        if self.is_done(name)
            && let Some(waiting) = self.waiting.remove(name)
        {
            let _ = waiting.send(());
        }
    }

    fn is_done(&self, name: &str) -> bool {
        self.receipted.contains_key(name) && self.taken_over.contains(name)
    }
}

/// A running load.
pub struct Load {
    sender: Client,
    bytes: usize,
    submissions: u64,
    ledger: Arc<Mutex<Ledger>>,
    tasks: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Load {
    /// Opens the feeds of both sides.
    pub async fn start(sender: Dialled, receiver: Dialled, bytes: usize) -> anyhow::Result<Self> {
        let mut sender = client(sender);
        let mut receiver = client(receiver);
        let ledger = Arc::<Mutex<Ledger>>::default();
        let outcomes = sender.watch_messages(watch(FeedKind::Outcome, "US-DO-0011")?).await?.into_inner();
        let arrivals = receiver.watch_messages(watch(FeedKind::Received, "KZ-DO-0007")?).await?.into_inner();
        let tasks = vec![
            tokio::spawn(follow_outcomes(outcomes, ledger.clone())),
            tokio::spawn(take_over(arrivals, receiver, ledger.clone())),
        ];
        Ok(Self { sender, bytes, submissions: 0, ledger, tasks })
    }

    /// Messages that went the whole way.
    pub fn done(&self) -> u64 {
        let ledger = lock(&self.ledger);
        ledger.taken_over.iter().filter(|name| ledger.receipted.contains_key(*name)).count() as u64
    }

    /// Keeps `in_flight` messages under way for a time, then waits for the last; returns each one's time from its
    /// submission to its receipt, in milliseconds.
    pub async fn run(&mut self, in_flight: usize, time: Duration) -> anyhow::Result<Vec<f64>> {
        let end = Instant::now() + time;
        let already: HashSet<String> = lock(&self.ledger).submitted.keys().cloned().collect();
        let mut workers = Vec::new();
        for worker in 0..in_flight {
            let run = self.submissions;
            let (mut sender, ledger) = (self.sender.clone(), self.ledger.clone());
            let bytes = self.bytes;
            workers.push(tokio::spawn(async move {
                let mut n = 0;
                while Instant::now() < end {
                    let began = Instant::now();
                    let request = submission(&format!("bench-{run}-{worker}-{n}"), bytes)?;
                    let answer = sender.submit_message(request).await?.into_inner();
                    let name = answer.message.map(|message| message.name).unwrap_or_default();
                    lock(&ledger).submitted.insert(name.clone(), began);
                    n += 1;
                    finished(&ledger, &name).await;
                }
                anyhow::Ok(())
            }));
        }
        self.submissions += 1;
        for worker in workers {
            worker.await??;
        }
        let ledger = lock(&self.ledger);
        let mine = ledger.submitted.iter().filter(|(name, _)| !already.contains(*name));
        let latency = |(name, began): (&String, &Instant)| {
            ledger
                .receipted
                .get(name)
                .map(|receipted| receipted.saturating_duration_since(*began).as_secs_f64() * 1000.0)
        };
        Ok(mine.filter_map(latency).collect())
    }

    /// Ends the load and counts what was lost and what came twice.
    pub async fn finish(self) -> anyhow::Result<(u64, u64)> {
        for task in self.tasks {
            task.abort();
        }
        let ledger = lock(&self.ledger);
        let lost = ledger.submitted.keys().filter(|name| !ledger.taken_over.contains(*name)).count() as u64;
        Ok((lost, ledger.duplicated))
    }
}

/// Waits until a message has its receipt and is taken over, but not for ever: what does not come is lost.
async fn finished(ledger: &Mutex<Ledger>, name: &str) {
    let (done, waiting) = oneshot::channel();
    {
        let mut ledger = lock(ledger);
        if ledger.is_done(name) {
            return;
        }
        ledger.waiting.insert(name.to_owned(), done);
    }
    let _ = tokio::time::timeout(PATIENCE, waiting).await;
}

async fn follow_outcomes(
    mut outcomes: Streaming<WatchMessagesResponse>,
    ledger: Arc<Mutex<Ledger>>,
) -> anyhow::Result<()> {
    while let Some(item) = outcomes.message().await? {
        if let Some(message) = item.message {
            let mut ledger = lock(&ledger);
            ledger.receipted.insert(message.name.clone(), Instant::now());
            ledger.wake(&message.name);
        }
    }
    Ok(())
}

/// Takes messages over as they come: while acknowledgements are under way the next gather.
async fn take_over(
    mut arrivals: Streaming<WatchMessagesResponse>,
    receiver: Client,
    ledger: Arc<Mutex<Ledger>>,
) -> anyhow::Result<()> {
    let (arrived, mut queue) = tokio::sync::mpsc::unbounded_channel();
    let reading = async {
        while let Some(item) = arrivals.message().await? {
            if let Some(message) = item.message
                && arrived.send((item.cursor, message.name)).is_err()
            {
                break;
            }
        }
        anyhow::Ok(())
    };
    let acknowledging = async {
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                Some(acknowledged) = under_way.join_next() => note_taken_over(&ledger, acknowledged??),
                Some(first) = queue.recv(), if under_way.len() < ACKNOWLEDGEMENTS_UNDER_WAY => {
                    let mut items = vec![first];
                    while let Ok(item) = queue.try_recv() {
                        items.push(item);
                    }
                    under_way.spawn(acknowledge(receiver.clone(), items));
                }
            }
        }
    };
    tokio::select! {
        read = reading => read,
        acknowledged = acknowledging => acknowledged,
    }
}

/// Acknowledges everything up to the last of these messages; returns their names.
async fn acknowledge(mut receiver: Client, items: Vec<(String, String)>) -> anyhow::Result<Vec<String>> {
    let cursor = items.last().map(|(cursor, _)| cursor.clone()).unwrap_or_default();
    let request = AcknowledgeMessagesRequest { names: Vec::new(), cursor };
    receiver.acknowledge_messages(as_official(request, "KZ-DO-0007")?).await?;
    Ok(items.into_iter().map(|(_, name)| name).collect())
}

fn note_taken_over(ledger: &Mutex<Ledger>, names: Vec<String>) {
    let mut ledger = lock(ledger);
    for name in names {
        ledger.duplicated += u64::from(!ledger.taken_over.insert(name.clone()));
        ledger.wake(&name);
    }
}

fn submission(request_id: &str, bytes: usize) -> anyhow::Result<Request<SubmitMessageRequest>> {
    // Frames, names and the thread's identifier take the rest of the wanted size.
    let text = "x".repeat(bytes.saturating_sub(64).clamp(1, 8000));
    let consultation = Consultation {
        thread_id: "0198f000-0000-7000-8000-00000000beef".into(),
        subject: "Measurement".into(),
        text,
        ..Consultation::default()
    };
    let submission = Submission {
        case: "cases/0198f000-0000-7000-8000-00000000cafe".into(),
        language: "en".into(),
        body: Some(Body { content: Some(Content::Consultation(consultation)) }),
        ..Submission::default()
    };
    as_official(
        SubmitMessageRequest { request_id: request_id.into(), submission: Some(submission) },
        "US-DO-0011",
    )
}

fn watch(kind: FeedKind, official: &str) -> anyhow::Result<Request<WatchMessagesRequest>> {
    let full = kind == FeedKind::Received;
    let request = WatchMessagesRequest {
        view: if full { MessageView::Full } else { MessageView::Basic }.into(),
        purpose: if full { Purpose::AssessDutiesTaxes } else { Purpose::Unspecified }.into(),
        kinds: vec![kind.into()],
        ..WatchMessagesRequest::default()
    };
    as_official(request, official)
}

fn as_official<T>(message: T, official: &str) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(OFFICIAL, MetadataValue::try_from(official)?);
    Ok(request)
}

fn client(dialled: Dialled) -> Client {
    MessageServiceClient::new(dialled).max_decoding_message_size(8 * MESSAGE_BYTES)
}

fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
