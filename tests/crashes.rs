//! Daemons killed at random moments under load: nothing acknowledged is lost, nothing comes twice, both ledgers agree.
//!
//! `cargo test --test crashes` runs a slice; `cargo test --release --test crashes -- --count 500 --seed 1` the campaign.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod campaign;

use anyhow::{Context as _, ensure};
use article6::backoffice::v1::{DeliveryState, Direction, FeedKind, ListMessagesRequest, Message};
use article6::wire::assistance::v1::Body;
use campaign::arguments::{self, Arguments};
use campaign::chance::Chance;
use campaign::conclude;
use campaign::daemon::{Daemon, pair};
use campaign::office::{Office, body};
use campaign::traffic::{BYTES, Item, Record, Traffic, item};
use prost::Message as _;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// A daemon lives for so long at most after it is ready.
const LIFE: Duration = Duration::from_millis(300);
/// A daemon that is killed while it starts lives for so long at most.
const START: Duration = Duration::from_millis(80);
/// Longest wait for everything to be delivered and shown, once nobody kills any more.
const SETTLING: Duration = Duration::from_secs(180);
/// Back-office clients that submit at each Party.
const SUBMITTERS: u64 = 4;
/// Longest pause of a client between two submissions.
const PAUSE: Duration = Duration::from_millis(15);
/// Messages of each direction whose content is read at the end.
const READ: u64 = 50;
/// Small segments: daemons are killed while they change over, too.
const STORE: &str = "segment_bytes = 1048576\nallocation_bytes = 131072";

fn main() -> ExitCode {
    let Some(arguments) = arguments::read(12) else { return ExitCode::SUCCESS };
    println!("crashes: {} kills of two daemons under load, --seed {}", arguments.count, arguments.seed);
    conclude("crashes", run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<String> {
    let mut folder = tempfile::tempdir()?;
    folder.disable_cleanup(arguments.keep);
    println!("crashes: homes in {}", folder.path().display());
    let mut chance = Chance::new(arguments.seed);
    let mut daemons = pair(&folder.path().join("homes"), STORE)?;
    for daemon in &mut daemons {
        daemon.start()?;
        daemon.ready().await?;
    }
    let began = Instant::now();
    let mut start = |at: usize| -> anyhow::Result<Traffic> {
        let home = &daemons[at].home;
        Ok(Traffic::start(Office::of(home)?, home.party, SUBMITTERS, PAUSE, &mut chance))
    };
    let mut traffic = [start(0)?, start(1)?];
    let kills = kill_again_and_again(&mut daemons, &traffic, arguments.count, &mut chance).await?;
    let killing = began.elapsed();
    for side in &mut traffic {
        timeout(SETTLING, side.finish_submissions()).await.context("submissions stay unanswered")??;
    }
    let sent = [answered(traffic[0].record()), answered(traffic[1].record())];
    settle(&daemons, [sent[0].len() as u64, sent[1].len() as u64]).await?;
    println!("crashes: settled; {} and {} messages acknowledged", sent[0].len(), sent[1].len());
    let [us, kz] = traffic;
    let us = us.finish_feed(sent[1].len() as u64, SETTLING).await.context("feed of US")?;
    let kz = kz.finish_feed(sent[0].len() as u64, SETTLING).await.context("feed of KZ")?;
    for (office, record, own, others, party) in
        [(&us.0, &us.1, &sent[0], &sent[1], "US"), (&kz.0, &kz.1, &sent[1], &sent[0], "KZ")]
    {
        prove(office, record, own, others, &mut chance).await.with_context(|| format!("at {party}"))?;
    }
    for daemon in &mut daemons {
        daemon.stop().await?;
        daemon.verify()?;
    }
    let retries: u64 = [&us.1, &kz.1].iter().map(|record| record.retries.load(Ordering::Relaxed)).sum();
    let again: u64 = [&us.1, &kz.1].iter().map(|record| record.shown_again.load(Ordering::Relaxed)).sum();
    Ok(format!(
        "{kills} kills in {:.0} s; {} + {} messages acknowledged, each delivered once, at one place in one feed; both stores verified; \
         {retries} submissions repeated, {again} feed items shown again at their place; seed {}",
        killing.as_secs_f64(),
        sent[0].len(),
        sent[1].len(),
        arguments.seed,
    ))
}

/// Kills one side, the other, or both, and starts them again; now and then kills while starting.
async fn kill_again_and_again(
    daemons: &mut [Daemon; 2],
    traffic: &[Traffic; 2],
    count: u64,
    chance: &mut Chance,
) -> anyhow::Result<u64> {
    let (mut kills, mut slowest) = (0, Duration::ZERO);
    let mut round = 0_usize;
    while kills < count && !traffic.iter().any(Traffic::has_ended) {
        sleep(chance.up_to(LIFE)).await;
        let victims = if chance.once_in(6) { vec![0, 1] } else { vec![round % 2] };
        for victim in &victims {
            daemons[*victim].kill();
            kills += 1;
        }
        let died = Instant::now();
        for victim in &victims {
            daemons[*victim].start()?;
            if chance.once_in(8) {
                sleep(chance.up_to(START)).await;
                daemons[*victim].kill();
                daemons[*victim].start()?;
                kills += 1;
            }
        }
        for victim in &victims {
            daemons[*victim].ready().await.with_context(|| format!("after {kills} kills"))?;
        }
        slowest = slowest.max(died.elapsed());
        round += 1;
        if round.is_multiple_of(25) {
            let answered = traffic.each_ref().map(|side| side.record().answered.lock().unwrap().len());
            let consumed =
                [daemons[0].status().await?.consumed_sequence, daemons[1].status().await?.consumed_sequence];
            let shown = traffic.each_ref().map(|side| side.record().count(FeedKind::Received));
            println!(
                "crashes: {kills} of {count} kills; answered {answered:?}, consumed {consumed:?}, shown {shown:?}; slowest restart {slowest:?}"
            );
        }
    }
    println!("crashes: {kills} kills done; slowest restart {slowest:?}");
    Ok(kills)
}

fn answered(record: &Record) -> BTreeSet<String> {
    record.answered.lock().unwrap().values().map(|(name, _)| name.clone()).collect()
}

/// Waits until both ledgers agree with each other and with what the back offices were told.
async fn settle(daemons: &[Daemon; 2], sent: [u64; 2]) -> anyhow::Result<()> {
    let end = Instant::now() + SETTLING;
    loop {
        let status = [daemons[0].status().await?, daemons[1].status().await?];
        let agree = |from: usize, to: usize| {
            (status[from].sealed_sequence, status[from].acknowledged_sequence, status[to].consumed_sequence)
                == (sent[from], sent[from], sent[from])
        };
        if agree(0, 1) && agree(1, 0) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{sent:?} submissions were answered, but the ledgers say {status:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Everything that was promised at one Party, looked up at its daemon.
async fn prove(
    office: &Office,
    record: &Record,
    own: &BTreeSet<String>,
    others: &BTreeSet<String>,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    let requests = record.answered.lock().unwrap().clone();
    ensure!(requests.len() == own.len(), "{} requests, but {} messages", requests.len(), own.len());
    let came = [(FeedKind::Received, others), (FeedKind::Outcome, own)];
    for (kind, expected) in came {
        let names: BTreeSet<_> = record.names(kind).into_iter().collect();
        ensure!(
            names == *expected,
            "the feed's {kind:?}: {} messages, expected {}",
            names.len(),
            expected.len()
        );
    }
    let listed = [
        (Direction::Sent, DeliveryState::Delivered, own),
        (Direction::Received, DeliveryState::Retrieved, others),
    ];
    for (direction, state, expected) in listed {
        let names = list(office, direction, state).await.with_context(|| format!("list of {direction:?}"))?;
        ensure!(
            names == *expected,
            "{direction:?} and {state:?}: {} messages, expected {}",
            names.len(),
            expected.len()
        );
    }
    let feed: Vec<Item> = record.feed.lock().unwrap().values().cloned().collect();
    ensure!(replay(office, &feed).await? == feed, "the feed from its beginning is not what was shown before");
    let mut client = office.connect().await;
    let requests: Vec<_> = requests.into_iter().collect();
    for _ in 0..READ {
        let (request_id, (name, position)) = &requests[usize::try_from(chance.below(requests.len() as u64))?];
        let message = office.read(&mut client, name).await?;
        let content =
            message.content.as_ref().and_then(|content| content.body.as_ref()).map(Body::encode_to_vec);
        ensure!(
            content == Some(body(request_id, BYTES).encode_to_vec()),
            "{name} says something else than {request_id}"
        );
        ensure!(
            message.position == *position
                && message.delivery.is_some_and(|delivery| delivery.receipt.is_some()),
            "{name} at {position} has no receipt"
        );
    }
    Ok(())
}

/// Names of all messages of a direction; each must be listed once and be in the state.
async fn list(
    office: &Office,
    direction: Direction,
    state: DeliveryState,
) -> anyhow::Result<BTreeSet<String>> {
    let mut client = office.connect().await;
    let request = ListMessagesRequest { direction: direction.into(), ..ListMessagesRequest::default() };
    let messages = loop {
        match office.list(&mut client, request.clone()).await {
            Err(status) if status.code() == tonic::Code::Unavailable => {
                sleep(Duration::from_millis(200)).await
            }
            answer => break answer?,
        }
    };
    let count = messages.len();
    let is_in_state =
        |message: &Message| message.delivery.as_ref().is_some_and(|delivery| delivery.state() == state);
    if let Some(other) = messages.iter().find(|message| !is_in_state(message)) {
        anyhow::bail!("{} is {:?} instead of {state:?}", other.name, other.delivery);
    }
    let names: BTreeSet<_> = messages.into_iter().map(|message| message.name).collect();
    ensure!(names.len() == count, "{count} messages are listed under {} names", names.len());
    Ok(names)
}

/// The feed from its very beginning, as long as the one that is expected, and no longer.
async fn replay(office: &Office, expected: &[Item]) -> anyhow::Result<Vec<Item>> {
    let Some(first) = expected.first() else { return Ok(Vec::new()) };
    let (ledger, _) = first.cursor.split_once('-').context("a cursor")?;
    let mut client = office.connect().await;
    let mut stream = client.watch_messages(office.watch(&format!("{ledger}-0"))).await?.into_inner();
    let mut items = Vec::with_capacity(expected.len());
    loop {
        let patience =
            if items.len() < expected.len() { Duration::from_secs(20) } else { Duration::from_millis(300) };
        match timeout(patience, stream.message()).await {
            Ok(shown) => items.extend(shown?.and_then(item)),
            Err(_) => return Ok(items),
        }
    }
}
