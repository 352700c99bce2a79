//! Keys change while messages flow: introduced over the channel, in use together for a while, retired; nothing is lost and
//! everything stays provable from the first key on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::certs::write_development_pki;
use article6::commands::homes::Home;
use article6::crypto::certificate::Certificate;
use article6::wire::channel::v1::StatementType;
use article6::wire::ledger::v1::event::Fact;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::bundles::{article6, export, fingerprints, verify};
use support::copies::{agreed, events};
use support::parties::{Office, Parties, log, serve, signal, until};
use support::rotation::{FILES, bring_next, expect_next, logged};
use support::traffic::Traffic;

/// Submits messages without pause until told to stop; returns how many.
async fn traffic(home: &Home, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    let mut office = Office::open(home).await;
    tokio::spawn(async move {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            office.submit(&format!("message-{sent}"), 0).await.unwrap();
            sent += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sent
    })
}

fn assert_verifies(home: &Home) {
    let output = article6(&["verify", home.folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_both_sides_changes_under_traffic() {
    let parties = Parties::new();
    let next = parties.dir.path().join("next");
    write_development_pki(&next, ["US", "KZ"]).unwrap();
    expect_next(&parties.us, &next.join("us/counterparty-tls-ca.pem"));
    expect_next(&parties.kz, &next.join("kz/counterparty-tls-ca.pem"));
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let stop = Arc::new(AtomicBool::new(false));
    let from_us = traffic(&parties.us, stop.clone()).await;
    let from_kz = traffic(&parties.kz, stop.clone()).await;
    until(&parties.us, "messages flow", |status| status.acknowledged_sequence > 20).await;
    until(&parties.kz, "messages flow", |status| status.acknowledged_sequence > 20).await;

    bring_next(&parties.us, &next.join("us"));
    bring_next(&parties.kz, &next.join("kz"));
    signal(&us, rustix::process::Signal::HUP);
    signal(&kz, rustix::process::Signal::HUP);
    for home in [&parties.us, &parties.kz] {
        logged(home, "a key is introduced to the other Party", 3).await;
    }
    for home in [&parties.us, &parties.kz] {
        logged(home, "a key is retired", 3).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);
    // Three introductions and three retirements stand in each chain beside the messages.
    let sent = [from_us.await.unwrap() + 6, from_kz.await.unwrap() + 6];
    let us_status = until(&parties.us, "all is receipted", |it| it.acknowledged_sequence == sent[0]).await;
    let kz_status = until(&parties.kz, "all is receipted", |it| it.acknowledged_sequence == sent[1]).await;
    assert_eq!([us_status.consumed_sequence, kz_status.consumed_sequence], [sent[1], sent[0]]);
    let mut office = Office::open(&parties.kz).await;
    let feed = office.feed("", usize::try_from(sent[0] - 6).unwrap()).await;
    let mut names: Vec<_> = feed.iter().map(|(_, message)| message.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len() as u64, sent[0] - 6, "each message once, no statement of the daemons among them");
    us.stop().unwrap();
    kz.stop().unwrap();
    assert!(!log(&parties.us).contains("contradicts") && !log(&parties.kz).contains("contradicts"));

    // A bundle of the last message rests on the newest keys, and is proven by the first ones alone.
    assert_verifies(&parties.us);
    assert_verifies(&parties.kz);
    let new = Certificate::from_pem(&std::fs::read(next.join("us/signing.pem")).unwrap()).unwrap();
    let last = export(&parties.us, &["--message", &format!("sent/{}", sent[0])]).remove(0);
    let [first_signing, first_ledger] = fingerprints(&parties.us);
    let (code, report) = verify(&last, &[&first_signing]);
    assert_eq!(code, Some(0), "{report}");
    let signed = &report["claims"][0];
    assert_eq!(signed["key"], format!("sha256:{}", new.key_id()), "{report}");
    assert_eq!((&signed["code"], &signed["trusted"]), (&"SIGNED".into(), &true.into()), "{report}");
    let sealed = report["claims"].as_array().unwrap().iter().find(|claim| claim["code"] == "SEALED").unwrap();
    assert_eq!(sealed["trusted"], true, "{report}");
    assert_ne!(sealed["key"], first_ledger, "the ledger is signed with its new key");
    let first = export(&parties.us, &["--message", "sent/1"]).remove(0);
    let (code, report) = verify(&first, &[&first_signing]);
    assert_eq!(code, Some(0), "{report}");

    // The next keys take the place of the first ones in the configuration, and all goes on.
    for (home, party) in [(&parties.us, "us"), (&parties.kz, "kz")] {
        for name in FILES {
            std::fs::copy(next.join(party).join(name), home.certs().join(name)).unwrap();
        }
        std::fs::remove_dir_all(home.folder.join("next")).unwrap();
    }
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("afterwards", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == sent[0] + 1).await;
    us.stop().unwrap();
    kz.stop().unwrap();
}

/// Introductions and retirements of keys that a stopped store sealed.
fn said_of_keys(home: &Home) -> usize {
    let service = StatementType::Service as i32;
    let (_, events) = events(home);
    let sealed = events.iter().filter(|opened| matches!(opened.event.fact, Some(Fact::Sealed(_))));
    sealed.filter(|opened| opened.envelope.as_ref().unwrap().statement_type == service).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_though_both_daemons_are_killed_before_during_and_after() {
    let parties = Parties::new();
    let next = parties.dir.path().join("next");
    write_development_pki(&next, ["US", "KZ"]).unwrap();
    let homes = [(&parties.us, "us"), (&parties.kz, "kz")];
    for (home, party) in homes {
        expect_next(home, &next.join(party).join("counterparty-tls-ca.pem"));
    }
    let mut daemons = homes.map(|(home, _)| serve(home));
    let traffic = homes.map(|(home, _)| Traffic::start(home, "message"));
    for (home, _) in homes {
        until(home, "messages flow", |status| status.acknowledged_sequence > 20).await;
    }
    for (home, party) in homes {
        bring_next(home, &next.join(party));
    }
    // Killed before the keys are introduced, once some are, while both are in use, and once some are retired: at one side,
    // then at the other.
    let moments = [
        None,
        Some(("a key is introduced to the other Party", 1)),
        Some(("a key is introduced to the other Party", 3)),
        Some(("a key is retired", 1)),
        Some(("a key is retired", 3)),
    ];
    for moment in moments {
        for (at, (home, _)) in homes.into_iter().enumerate() {
            if let Some((text, times)) = moment {
                logged(home, text, times).await;
            }
            // Replaced only once it is dead: two daemons cannot hold one store.
            daemons[at].child.kill().unwrap();
            daemons[at].child.wait().unwrap();
            daemons[at] = serve(home);
        }
    }
    let mut answered = BTreeSet::new();
    let mut sent = [0; 2];
    for (at, traffic) in traffic.into_iter().enumerate() {
        let messages = traffic.finish().await;
        sent[at] = messages.len() as u64 + 6;
        answered.extend(messages.into_values());
    }
    for (at, (home, _)) in homes.into_iter().enumerate() {
        until(home, "all is receipted", |status| status.acknowledged_sequence == sent[at]).await;
        until(home, "all has come", |status| status.consumed_sequence == sent[1 - at]).await;
    }
    for daemon in daemons {
        daemon.stop().unwrap();
    }
    assert_eq!(agreed(&parties).len(), answered.len(), "each message once, and none is lost");
    for (home, _) in homes {
        assert_eq!(said_of_keys(home), 6, "each key is introduced and retired once");
        let last = export(home, &["--message", &format!("sent/{}", sent[usize::from(home.party != "US")])]);
        let [first_signing, _] = fingerprints(home);
        let (code, report) = verify(&last[0], &[&first_signing]);
        assert_eq!(code, Some(0), "{report}");
    }
}
