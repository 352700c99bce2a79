//! A store that was put back from a backup is noticed, uses no number twice, and gets back what crossed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::homes::Home;
use std::collections::BTreeSet;
use std::time::Duration;
use support::bundles::article6;
use support::copies::{agreed, backup, put_back, restore, restored};
use support::parties::{Office, Parties, reason, release, serve, status, until};

async fn quarantined(home: &Home) {
    until(home, "it is in quarantine", |status| !status.quarantine.is_empty()).await;
}

/// Both sides say a word again, and it arrives.
async fn goes_on(parties: &Parties, us_sent: u64, kz_sent: u64) {
    let (mut us, mut kz) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    us.submit("afterwards", 0).await.unwrap();
    kz.submit("afterwards", 1).await.unwrap();
    until(&parties.us, "US delivers", |status| status.acknowledged_sequence == us_sent + 1).await;
    until(&parties.kz, "KZ delivers", |status| status.acknowledged_sequence == kz_sent + 1).await;
    let [us, kz] = [status(&parties.us).await, status(&parties.kz).await];
    assert_eq!((us.sealed_sequence, kz.consumed_sequence), (us_sent + 1, us_sent + 1));
    assert_eq!((kz.sealed_sequence, us.consumed_sequence), (kz_sent + 1, kz_sent + 1));
}

/// `behind` messages of each side cross after the backup.
async fn put_back_behind(behind: u64) {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let (mut our, mut their) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    our.submit("before", 0).await.unwrap();
    their.submit("before", 1).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    until(&parties.kz, "delivered", |status| status.acknowledged_sequence == 1).await;
    let copy = backup(&parties.us, "copy");
    for number in 0..behind {
        our.submit(&format!("later-{number}"), 0).await.unwrap();
        their.submit(&format!("later-{number}"), 1).await.unwrap();
    }
    let sent = 1 + behind;
    until(&parties.us, "all delivered", |status| status.acknowledged_sequence == sent).await;
    until(&parties.kz, "all delivered", |status| status.acknowledged_sequence == sent).await;
    us.stop().unwrap();
    put_back(&parties.us, &copy);

    let us = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let refused = office.submit("in-quarantine", 0).await.unwrap_err();
    assert_eq!(reason(&refused), "QUARANTINED");
    quarantined(&parties.us).await;
    us.stop().unwrap();
    let told = restored(&parties.us);
    assert!(told.contains(&format!("{behind} message(s) of US and {behind} of KZ came back")), "{told}");
    // Again: nothing is left to do, and nothing is done twice.
    restore(&parties.us);

    let us = serve(&parties.us);
    until(&parties.kz, "KZ holds the channel", |status| status.witness.as_ref().unwrap().held).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    release(&parties.kz).await;
    until(&parties.us, "all is receipted again", |status| status.acknowledged_sequence == sent).await;
    goes_on(&parties, sent, sent).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    assert_eq!(agreed(&parties).len(), usize::try_from(2 * (sent + 1)).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_back() {
    put_back_behind(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_back() {
    let behind = std::env::var("ARTICLE6_TEST_BEHIND").ok().and_then(|count| count.parse().ok());
    put_back_behind(behind.unwrap_or(30)).await;
}

/// What was sealed by the copy while the other side was away never crossed: it keeps its identity and gets a number of the
/// new epoch.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_copy_sealed_alone_is_sealed_anew() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("before", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    let copy = backup(&parties.us, "copy");
    office.submit("later", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 2).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    put_back(&parties.us, &copy);
    let us = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    let name = office.submit("sealed-alone", 2).await.unwrap().name;
    office.submit("sealed-alone-too", 2).await.unwrap();
    us.stop().unwrap();
    let kz = serve(&parties.kz);
    status(&parties.kz).await;
    let told = restored(&parties.us);
    assert!(
        told.contains("1 message(s) of US and 0 of KZ came back")
            && told.contains("2 message(s) that had not crossed were sealed anew"),
        "{told}"
    );
    let us = serve(&parties.us);
    until(&parties.kz, "KZ holds the channel", |status| status.witness.as_ref().unwrap().held).await;
    release(&parties.kz).await;
    until(&parties.us, "all is receipted", |status| status.acknowledged_sequence == 4).await;
    let mut office = Office::open(&parties.us).await;
    assert_eq!(office.get(&name).await.sequence, 3, "its place in the chain is the new one");
    let mut theirs = Office::open(&parties.kz).await;
    let feed = theirs.feed("", 4).await;
    let names: BTreeSet<_> = feed.iter().map(|(_, message)| message.name.clone()).collect();
    assert!(names.len() == 4 && names.contains(&name), "each message once: {names:?}");
    us.stop().unwrap();
    kz.stop().unwrap();
    for home in [&parties.us, &parties.kz] {
        let output = article6(&["verify", home.folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_put_back() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let (mut our, mut their) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    our.submit("before", 0).await.unwrap();
    their.submit("before", 1).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    until(&parties.kz, "delivered", |status| status.acknowledged_sequence == 1).await;
    let kz_copy = backup(&parties.kz, "copy");
    our.submit("between", 0).await.unwrap();
    their.submit("between", 1).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 2).await;
    until(&parties.kz, "delivered", |status| status.acknowledged_sequence == 2).await;
    let us_copy = backup(&parties.us, "copy");
    our.submit("later", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 3).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    put_back(&parties.us, &us_copy);
    put_back(&parties.kz, &kz_copy);
    let us = serve(&parties.us);
    let kz = serve(&parties.kz);
    quarantined(&parties.kz).await;
    // Each recalls from the other, one after the other; the side that knows more first.
    kz.stop().unwrap();
    let told = restored(&parties.kz);
    assert!(told.contains("1 message(s) of KZ and 1 of US came back"), "{told}");
    let kz = serve(&parties.kz);
    until(&parties.us, "US holds the channel", |status| status.witness.as_ref().unwrap().held).await;
    release(&parties.us).await;
    until(&parties.kz, "KZ goes on", |status| status.acknowledged_sequence == 2).await;
    until(&parties.us, "US goes on", |status| status.acknowledged_sequence == 2).await;
    goes_on(&parties, 2, 2).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    assert_eq!(agreed(&parties).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_store_is_not_restored() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("before", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    us.stop().unwrap();
    let output = restore(&parties.us);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to restore"));
    let us = serve(&parties.us);
    goes_on(&parties, 1, 0).await;
    us.stop().unwrap();
    kz.stop().unwrap();
}
