//! A store is copied while its daemon runs; the copy is whole, and it does not pass for the original.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::process::{Command, Output};
use support::parties::{Office, Parties, edit, serve, until};

fn article6(arguments: &[&std::ffi::OsStr]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_article6")).args(arguments).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_made_under_traffic_verify_and_hold_what_was_acknowledged() {
    let parties = Parties::new();
    // Segments of the smallest size: some are closed while they are copied.
    edit(&parties.us, "head_file = \"head/head\"", "head_file = \"head/head\"\nsegment_bytes = 262144");
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let traffic = tokio::spawn(async move {
        for number in 0..400 {
            office.submit(&format!("message-{number}"), 0).await.unwrap();
        }
    });
    let config = parties.us.config();
    for round in 0..5 {
        let before = support::parties::status(&parties.us).await.ledger_size;
        let dir = parties.dir.path().join(format!("copy-{round}"));
        let made = {
            let (dir, config) = (dir.clone(), config.clone());
            tokio::task::spawn_blocking(move || {
                article6(&["backup".as_ref(), dir.as_ref(), "--config".as_ref(), config.as_ref()])
            })
        };
        let made = made.await.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (store, head) = (dir.join("store"), dir.join("head"));
        let verified = article6(&[
            "verify".as_ref(),
            store.as_ref(),
            "--head".as_ref(),
            head.as_ref(),
            "--config".as_ref(),
            config.as_ref(),
            "--json".as_ref(),
        ]);
        let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert!(verified.status.success(), "round {round}: {report}");
        assert_eq!(report["sound"], true, "round {round}: {report}");
        assert!(report["events"].as_u64().unwrap() >= before, "round {round}: {report}");
        let again = article6(&["backup".as_ref(), dir.as_ref(), "--config".as_ref(), config.as_ref()]);
        assert_eq!(again.status.code(), Some(1), "a copy is never written over");
    }
    traffic.await.unwrap();
    until(&parties.us, "all delivered", |status| status.acknowledged_sequence == 400).await;
    us.stop().unwrap();

    // Put in the place of its original, the copy is recognised by the other side, and nothing is sent from it.
    for (part, copied) in [("store", "store"), ("head/head", "head")] {
        let (here, copy) = (parties.us.folder.join(part), parties.dir.path().join("copy-0").join(copied));
        std::fs::rename(&here, here.with_extension("original")).unwrap();
        std::fs::rename(copy, here).unwrap();
    }
    let us = serve(&parties.us);
    let held = until(&parties.us, "the copy is recognised", |status| {
        let reason = &status.delivery.as_ref().unwrap().reason;
        ["OWN_HEAD_UNKNOWN", "OWN_CHAIN_BEHIND", "OWN_LEDGER_BEHIND"].contains(&reason.as_str())
    })
    .await;
    let mut office = Office::open(&parties.us).await;
    let refused = office.submit("from-the-copy", 0).await.unwrap_err();
    assert_eq!(support::parties::reason(&refused), "QUARANTINED");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let after = support::parties::status(&parties.us).await;
    assert_eq!(after.acknowledged_sequence, held.acknowledged_sequence, "nothing leaves");
    us.stop().unwrap();
    kz.stop().unwrap();
}
