//! What a restore must not miss: being cut short, who dials first, lies, places in what was lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::{FeedKind, ListMessagesRequest, WatchMessagesRequest};
use article6::commands::homes::Home;
use article6::crypto::digest::Digest;
use article6::peer::v1::Introduction;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::bundles::article6;
use support::impostor::Impostor;
use support::parties::{Office, PATIENCE, Parties, edit, reason, release, serve, status, until};

fn backup(home: &Home) -> PathBuf {
    let dir = home.folder.join("copy");
    let made = article6(&["backup", dir.to_str().unwrap(), "--config", home.config().to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

fn put_back(home: &Home, copy: &Path) {
    for (part, copied) in [("store", "store"), ("head/head", "head")] {
        let here = home.folder.join(part);
        std::fs::rename(&here, here.with_extension("lost")).unwrap();
        std::fs::rename(copy.join(copied), here).unwrap();
    }
}

fn restore(home: &Home) -> Child {
    Command::new(env!("CARGO_BIN_EXE_article6"))
        .args(["restore", "--reason", "a test", "--config", home.config().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn restored(home: &Home) -> String {
    let output = restore(home).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn verified(parties: &Parties) {
    for home in [&parties.us, &parties.kz] {
        let output = article6(&["verify", home.folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

async fn submit(home: &Home, prefix: &str, count: usize, fixture: usize) -> BTreeSet<String> {
    let mut office = Office::open(home).await;
    let mut names = BTreeSet::new();
    for number in 0..count {
        names.insert(office.submit(&format!("{prefix}-{number}"), fixture).await.unwrap().name);
    }
    names
}

async fn acknowledged(home: &Home, sequence: u64) {
    until(home, "delivered", |status| status.acknowledged_sequence == sequence).await;
}

async fn released(home: &Home) {
    until(home, "the channel is held", |status| status.witness.as_ref().unwrap().held).await;
    release(home).await;
}

/// Names in the feed from the beginning on; each message stands in it once.
async fn received(home: &Home, count: usize) -> BTreeSet<String> {
    let mut office = Office::open(home).await;
    let kinds = vec![FeedKind::Received.into()];
    let watch = office.request(WatchMessagesRequest { kinds, ..WatchMessagesRequest::default() });
    let mut stream = office.client.watch_messages(watch).await.unwrap().into_inner();
    let mut names = BTreeSet::new();
    while names.len() < count {
        let item = tokio::time::timeout(PATIENCE, stream.message()).await.expect("an item of the feed");
        let Some(message) = item.unwrap().unwrap().message else { continue };
        assert!(names.insert(message.name), "each once");
    }
    names
}

/// A peer that lies about what it holds of us, without a signature of ours, is refused and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_lie_without_our_signature_is_no_quarantine() {
    let parties = Parties::new();
    let us = serve(&parties.us);
    submit(&parties.us, "one", 1, 0).await;
    let liar = Impostor::new(&parties.us, &parties.kz);
    let (zero, honest) = (Digest::ZERO.to_bytes(), liar.introduction());
    let head = |size| Introduction { accepted_size: size, accepted_root: zero.clone(), ..honest.clone() };
    let chain = |sequence| Introduction {
        consumed_sequence: sequence,
        consumed_digest: zero.clone(),
        ..honest.clone()
    };
    let lies = [
        head(9000),
        Introduction { accepted_checkpoint: liar.checkpoint(9000, Digest::ZERO), ..head(9000) },
        head(1),
        Introduction { known_epoch: 7, ..head(1) },
        chain(1),
        chain(9000),
        Introduction { epoch: 2, ..honest.clone() },
    ];
    for (at, lie) in lies.into_iter().enumerate() {
        let refused = liar.open(lie).await.unwrap_err();
        assert!(!reason(&refused).is_empty(), "lie {at}: {refused:?}");
    }
    let now = status(&parties.us).await;
    assert!(now.quarantine.is_empty() && !now.witness.unwrap().held, "{}", now.quarantine);
    submit(&parties.us, "two", 1, 0).await;
    liar.open(honest).await.unwrap();
    us.stop().unwrap();
}

/// Killed at any time and started again in between, a restore still loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_cut_short_loses_nothing() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = submit(&parties.us, "before", 1, 0).await;
    let mut theirs = submit(&parties.kz, "before", 1, 1).await;
    acknowledged(&parties.us, 1).await;
    acknowledged(&parties.kz, 1).await;
    let copy = backup(&parties.us);
    ours.extend(submit(&parties.us, "after", 150, 0).await);
    theirs.extend(submit(&parties.kz, "after", 150, 1).await);
    acknowledged(&parties.us, 151).await;
    acknowledged(&parties.kz, 151).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    put_back(&parties.us, &copy);
    let us = serve(&parties.us);
    ours.extend(submit(&parties.us, "alone", 150, 2).await);
    us.stop().unwrap();
    let kz = serve(&parties.kz);
    status(&parties.kz).await;

    let size = |home: &Home| {
        let bytes = std::fs::metadata(home.folder.join("head/head")).unwrap().len();
        let head = std::fs::read(home.folder.join("head/head")).unwrap();
        (bytes, Digest::of(&head))
    };
    let (mut cuts, mut inside) = (0, 0);
    loop {
        let before = size(&parties.us);
        let mut child = restore(&parties.us);
        std::thread::sleep(Duration::from_millis(60 + 25 * cuts));
        let ended = child.try_wait().unwrap();
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        if ended.is_some_and(|ended| ended.success()) {
            break;
        }
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(ended.is_none(), "a restore that was cut short can be run again: {told}");
        inside += u64::from(size(&parties.us) != before);
        cuts += 1;
        // Somebody starts the daemon without looking: it must not go on as if nothing were missing.
        let us = serve(&parties.us);
        let now = until(&parties.us, "it has met the other side", |status| {
            !status.quarantine.is_empty() || status.delivery.as_ref().unwrap().reason == "CHANNEL_HELD"
        })
        .await;
        us.stop().unwrap();
        // It was cut off behind its last step.
        if now.quarantine.is_empty() {
            break;
        }
    }
    assert!(inside > 1, "the restore was cut short {inside} time(s) of {cuts}: make it longer");
    let us = serve(&parties.us);
    released(&parties.kz).await;
    ours.extend(submit(&parties.us, "new", 1, 0).await);
    theirs.extend(submit(&parties.kz, "new", 1, 1).await);
    acknowledged(&parties.us, 302).await;
    acknowledged(&parties.kz, 152).await;
    assert_eq!(received(&parties.kz, 302).await, ours);
    us.stop().unwrap();
    kz.stop().unwrap();
    verified(&parties);
}

/// The restored side only listens: it is the other side's dial that tells of the restore.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_may_dial_first() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    submit(&parties.us, "before", 1, 0).await;
    acknowledged(&parties.us, 1).await;
    let copy = backup(&parties.us);
    submit(&parties.us, "after", 2, 0).await;
    acknowledged(&parties.us, 3).await;
    us.stop().unwrap();
    put_back(&parties.us, &copy);
    restored(&parties.us);
    let kz_peer = format!("address = \"127.0.0.1:{}\"", parties.kz.ports[0]);
    edit(&parties.us, &kz_peer, "address = \"127.0.0.1:9\"");
    let us = serve(&parties.us);
    until(&parties.kz, "the channel is held", |status| {
        status.witness.as_ref().unwrap().held && status.peer_epoch == 2
    })
    .await;
    assert_eq!(status(&parties.us).await.quarantine, "", "what was lost is known to be lost");
    us.stop().unwrap();
    edit(&parties.us, "address = \"127.0.0.1:9\"", &kz_peer);
    let us = serve(&parties.us);
    release(&parties.kz).await;
    submit(&parties.us, "new", 1, 0).await;
    acknowledged(&parties.us, 4).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    verified(&parties);
}

/// Places in what was lost are refused, and what became void is not shown beside the message that took its place.
#[tokio::test(flavor = "multi_thread")]
async fn places_in_what_was_lost_mean_nothing_any_more() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = submit(&parties.us, "before", 1, 0).await;
    let mut theirs = submit(&parties.kz, "before", 1, 1).await;
    acknowledged(&parties.us, 1).await;
    acknowledged(&parties.kz, 1).await;
    let copy = backup(&parties.us);
    ours.extend(submit(&parties.us, "after", 3, 0).await);
    theirs.extend(submit(&parties.kz, "after", 3, 1).await);
    acknowledged(&parties.us, 4).await;
    acknowledged(&parties.kz, 4).await;
    // A back office has taken everything over, and kept the cursor.
    let (cursor, _) = Office::open(&parties.us).await.feed("", 8).await.pop().unwrap();
    us.stop().unwrap();
    kz.stop().unwrap();
    put_back(&parties.us, &copy);
    let us = serve(&parties.us);
    ours.extend(submit(&parties.us, "alone", 2, 2).await);
    us.stop().unwrap();
    let kz = serve(&parties.kz);
    status(&parties.kz).await;
    restored(&parties.us);
    let us = serve(&parties.us);
    released(&parties.kz).await;
    theirs.extend(submit(&parties.kz, "new", 1, 1).await);
    acknowledged(&parties.us, 6).await;
    acknowledged(&parties.kz, 5).await;

    let mut office = Office::open(&parties.us).await;
    let watch = WatchMessagesRequest { cursor, ..WatchMessagesRequest::default() };
    let refused = office.client.watch_messages(office.request(watch)).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument, "it would skip what came back");
    assert_eq!(received(&parties.kz, 6).await, ours);
    let listed = office.client.list_messages(office.request(ListMessagesRequest::default())).await.unwrap();
    let mut listed: Vec<_> = listed.into_inner().messages.into_iter().map(|message| message.name).collect();
    listed.sort_unstable();
    let expected: Vec<_> = ours.union(&theirs).cloned().collect();
    assert_eq!(listed, expected, "each message once");
    us.stop().unwrap();
    kz.stop().unwrap();
    verified(&parties);
}

/// The copy that is put back is from before the other side's own restore.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_may_fall_back_behind_the_other_sides_restore() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut ours = submit(&parties.us, "before", 1, 0).await;
    let mut theirs = submit(&parties.kz, "before", 1, 1).await;
    acknowledged(&parties.us, 1).await;
    acknowledged(&parties.kz, 1).await;
    let kz_copy = backup(&parties.kz);
    theirs.extend(submit(&parties.kz, "after", 2, 1).await);
    acknowledged(&parties.kz, 3).await;
    let us_copy = backup(&parties.us);
    kz.stop().unwrap();
    put_back(&parties.kz, &kz_copy);
    restored(&parties.kz);
    let kz = serve(&parties.kz);
    released(&parties.us).await;
    ours.extend(submit(&parties.us, "later", 2, 0).await);
    theirs.extend(submit(&parties.kz, "later", 2, 1).await);
    acknowledged(&parties.us, 3).await;
    acknowledged(&parties.kz, 5).await;
    us.stop().unwrap();
    put_back(&parties.us, &us_copy);
    let us = serve(&parties.us);
    until(&parties.us, "quarantine", |status| !status.quarantine.is_empty()).await;
    us.stop().unwrap();
    restored(&parties.us);
    let us = serve(&parties.us);
    released(&parties.kz).await;
    released(&parties.us).await;
    ours.extend(submit(&parties.us, "new", 1, 0).await);
    theirs.extend(submit(&parties.kz, "new", 1, 1).await);
    acknowledged(&parties.us, 4).await;
    acknowledged(&parties.kz, 6).await;
    assert_eq!(received(&parties.kz, 4).await, ours);
    assert_eq!(received(&parties.us, 6).await, theirs);
    us.stop().unwrap();
    kz.stop().unwrap();
    verified(&parties);
}
