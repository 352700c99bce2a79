//! Backups taken at random moments under traffic, put back after the daemon was killed, and restored: no number is used
//! twice, what was receipted is there again, and what the back office repeats is there once.
//!
//! `cargo test --test restore_moments` runs a slice; `ARTICLE6_TEST_RESTORES=50 ARTICLE6_TEST_SEED=1` more of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop at the first surprise"
)]

#[allow(dead_code, reason = "a campaign uses more of it")]
#[path = "campaign/chance.rs"]
mod chance;
mod support;

use article6::channel::lookup::Lookup;
use article6::commands::homes::Home;
use article6::wire::ledger::v1::event::Fact;
use chance::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::copies::{agreed, backup, events, put_back, restore};
use support::parties::{Office, Parties, edit, release, serve, status, until};
use support::traffic::Traffic;
use tokio::task::block_in_place;
use tokio::time::sleep;
use uuid::Uuid;

/// Longest time between the start of the traffic, the backup and the end of the daemon.
const SPAN: Duration = Duration::from_millis(700);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_any_moment_is_restored_without_a_silent_loss() {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let seed = number("ARTICLE6_TEST_SEED").unwrap_or(nanos.into());
    let mut chance = Chance::new(seed);
    for round in 0..number("ARTICLE6_TEST_RESTORES").unwrap_or(2) {
        println!("round {round}, seed {seed}");
        put_back_and_restored(&mut chance).await;
    }
}

async fn put_back_and_restored(chance: &mut Chance) {
    let parties = Parties::new();
    for home in [&parties.us, &parties.kz] {
        // Segments of the smallest size: backups are made and restored across several.
        edit(home, "head_file = \"head/head\"", "head_file = \"head/head\"\nsegment_bytes = 262144");
    }
    let (victim, other) =
        if chance.once_in(2) { (&parties.us, &parties.kz) } else { (&parties.kz, &parties.us) };
    let (daemon, others) = (serve(victim), serve(other));
    let (own, theirs) = (Traffic::start(victim, "own"), Traffic::start(other, "theirs"));
    until(victim, "messages flow", |status| status.acknowledged_sequence > 0).await;
    sleep(chance.up_to(SPAN)).await;
    let copy = block_in_place(|| backup(victim, "copy"));
    let copied = status(victim).await.sealed_sequence;
    // Something is behind the backup, or there is nothing to restore.
    until(victim, "messages flow", |status| status.acknowledged_sequence > copied).await;
    sleep(chance.up_to(SPAN)).await;
    drop(daemon);
    let mut answered = own.cut();
    let receipted = receipted(victim);
    put_back(victim, &copy);

    if chance.once_in(2) {
        let daemon = serve(victim);
        until(victim, "it is in quarantine", |status| !status.quarantine.is_empty()).await;
        drop(daemon);
    }
    let cut = chance.once_in(2);
    if cut {
        cut_short(victim, chance).await;
    }
    let output = block_in_place(|| restore(victim));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    // The one that was killed may have been done.
    assert!(output.status.success() || (cut && told.contains("nothing to restore")), "{told}");
    let daemon = serve(victim);
    until(other, "the channel is held", |status| status.witness.as_ref().unwrap().held).await;
    release(other).await;
    repeat(victim, &answered).await;
    answered.extend(theirs.finish().await);
    settled([victim, other]).await;
    for daemon in [daemon, others] {
        daemon.stop().unwrap();
    }
    let messages = agreed(&parties);
    assert!(receipted.is_subset(&messages), "what was receipted is there again");
    for (request, name) in answered {
        let id = name.strip_prefix("messages/").and_then(|id| Uuid::parse_str(id).ok()).unwrap();
        assert!(messages.contains(id.as_bytes().as_slice()), "{request} is lost");
    }
}

/// The messages of this Party that the killed daemon's store has receipts for.
fn receipted(home: &Home) -> BTreeSet<Vec<u8>> {
    let (store, events) = events(home);
    let sequences = events.iter().filter_map(|opened| match &opened.event.fact {
        Some(Fact::Acknowledged(event)) => Some(event.sequence),
        _ => None,
    });
    let sealed = sequences.map(|sequence| store.find(&Lookup::Sealed(sequence)).unwrap().unwrap());
    sealed.map(|opened| opened.envelope.as_ref().unwrap().message_id.to_vec()).collect()
}

/// A restore that is killed: the next one finishes it.
async fn cut_short(home: &Home, chance: &mut Chance) {
    let mut restore = Command::new(env!("CARGO_BIN_EXE_article6"))
        .args(["restore", "--reason", "a test", "--config", home.config().to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    sleep(chance.up_to(SPAN)).await;
    restore.kill().unwrap();
    restore.wait().unwrap();
}

/// The back office asks again what it was answered before: each request is the message that it was.
async fn repeat(home: &Home, answered: &BTreeMap<String, String>) {
    let mut office = Office::open(home).await;
    for (request, name) in answered {
        let message = office.submit(request, usize::from(home.party != "US")).await.unwrap();
        assert_eq!(message.name, *name, "{request}");
    }
}

/// Waits until each side has receipts for everything that it sealed.
async fn settled(homes: [&Home; 2]) {
    for (home, other) in [(homes[0], homes[1]), (homes[1], homes[0])] {
        let sealed = status(home).await.sealed_sequence;
        until(home, "all is receipted", |status| status.acknowledged_sequence == sealed).await;
        assert_eq!(status(other).await.consumed_sequence, sealed);
    }
}
