//! The two ledgers guard each other: each side's heads are cosigned by the other, and a ledger that contradicts itself
//! holds the channel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::DeliveryState;
use article6::operations::v1::GetStatusResponse;
use std::path::Path;
use std::time::Duration;
use support::parties::{Office, Parties, edit, log, reason, serve, status, until};

/// Whether everything up to the last material event is cosigned.
fn is_cosigned(status: &GetStatusResponse) -> bool {
    let witness = status.witness.as_ref().unwrap();
    // One event follows: the one that records the cosignature; and one for each head of the other side.
    witness.cosigned_at.is_some() && witness.cosigned_size + 4 >= status.ledger_size
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_cosigned_both_ways_and_idle_ledgers_do_not_grow() {
    let parties = Parties::new();
    let (_us, _kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("one", 0).await.unwrap();
    let us = until(&parties.us, "US is cosigned", |status| {
        status.acknowledged_sequence == 1 && is_cosigned(status)
    })
    .await;
    let kz = until(&parties.kz, "KZ is cosigned", is_cosigned).await;
    assert!(us.witness.unwrap().accepted_size > 0 && kz.witness.unwrap().accepted_size > 0);
    // Both had their say; nothing more happens.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = [status(&parties.us).await.ledger_size, status(&parties.kz).await.ledger_size];
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = [status(&parties.us).await.ledger_size, status(&parties.kz).await.ledger_size];
    assert_eq!(before, after, "heads alone make no events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_does_not_come_is_complained_of_once() {
    let parties = Parties::new();
    edit(&parties.us, "counterparty = \"KZ\"", "counterparty = \"KZ\"\nreceipt_overdue = \"1s\"");
    let us = serve(&parties.us);
    let mut office = Office::open(&parties.us).await;
    office.submit("one", 0).await.unwrap();
    office.submit("two", 0).await.unwrap();
    let overdue = until(&parties.us, "the first is overdue", |status| {
        status.witness.as_ref().unwrap().overdue_sequence == 1
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        status(&parties.us).await.ledger_size,
        overdue.ledger_size,
        "once for the message that waits first"
    );
    let kz = serve(&parties.kz);
    until(&parties.us, "nothing is overdue any more", |status| {
        status.acknowledged_sequence == 2 && status.witness.as_ref().unwrap().overdue_sequence == 0
    })
    .await;
    assert!(log(&parties.kz).contains("the other Party complains"), "{}", log(&parties.kz));
    until(&parties.us, "the answer is recorded", |_| log(&parties.us).contains("answered a complaint")).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    for home in [&parties.us, &parties.kz] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_article6"))
            .arg("verify")
            .arg(&home.folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_of_a_store_is_noticed_and_nothing_passes() {
    let parties = Parties::new();
    let us = serve(&parties.us);
    let kz = serve(&parties.kz);
    let mut office = Office::open(&parties.us).await;
    office.submit("one", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    kz.stop().unwrap();
    let kept = parties.dir.path().join("kept");
    for part in ["store", "head"] {
        copy(&parties.kz.folder.join(part), &kept.join(part));
    }
    // The original goes on, and the other side accepts what it shows.
    let kz = serve(&parties.kz);
    office.submit("two", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 2).await;
    let accepted = until(&parties.us, "cosigned", is_cosigned).await.witness.unwrap().accepted_size;
    kz.stop().unwrap();
    // The copy begins where it was made, and grows beyond what was accepted of the original.
    for part in ["store", "head"] {
        std::fs::remove_dir_all(parties.kz.folder.join(part)).unwrap();
        copy(&kept.join(part), &parties.kz.folder.join(part));
    }
    us.stop().unwrap();
    let kz = serve(&parties.kz);
    let mut theirs = Office::open(&parties.kz).await;
    while status(&parties.kz).await.ledger_size <= accepted + 3 {
        let size = status(&parties.kz).await.ledger_size;
        theirs.submit(&format!("copy-{size}"), 1).await.unwrap();
    }
    let us = serve(&parties.us);
    // The other side shows the head it accepted, signed by this very Party: the copy knows what it is.
    until(&parties.kz, "the copy is in quarantine", |status| status.quarantine == "OWN_HEAD_UNKNOWN").await;
    let refused = theirs.submit("one-more", 1).await.unwrap_err();
    assert_eq!(reason(&refused), "QUARANTINED");
    let us_status = until(&parties.us, "US is told", |status| {
        status.delivery.as_ref().is_some_and(|delivery| delivery.reason == "PEER_HEAD_UNKNOWN")
    })
    .await;
    assert_eq!(us_status.consumed_sequence, 0, "nothing of the copy is taken in");

    // What is submitted meanwhile is kept; and a restart of the copy changes nothing.
    let mut office = Office::open(&parties.us).await;
    let message = office.submit("three", 0).await.unwrap();
    kz.stop().unwrap();
    let kz = serve(&parties.kz);
    until(&parties.kz, "still in quarantine", |status| !status.quarantine.is_empty()).await;
    assert_ne!(office.state(&message.name).await, DeliveryState::Delivered);
    us.stop().unwrap();
    kz.stop().unwrap();
    for home in [&parties.us, &parties.kz] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_article6"))
            .args(["verify"])
            .arg(&home.folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
