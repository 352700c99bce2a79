//! The drill: somebody has a copy of a store and of its keys, and speaks in its Party's name. The offline recovery key ends it.
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
use std::path::Path;
use std::process::Output;
use std::time::Duration;
use support::bundles::{article6, export, verify};
use support::parties::{Office, Parties, edit, log, release, serve, status, until};

fn revoke(home: &Home, recovery_key: &Path) -> Output {
    let (config, key) = (home.config(), recovery_key.to_owned());
    let arguments = ["revoke", "--reason", "stolen", "--recovery-key", key.to_str().unwrap(), "--config"];
    let mut arguments = arguments.to_vec();
    arguments.push(config.to_str().unwrap());
    article6(&arguments)
}

/// The thief's copy in the place of the store, or the store again.
fn swap(home: &Home, copy: &Path) {
    for (part, copied) in [("store", "store"), ("head/head", "head")] {
        let (here, there) = (home.folder.join(part), copy.join(copied));
        let between = here.with_extension("swapped");
        std::fs::rename(&here, &between).unwrap();
        std::fs::rename(&there, &here).unwrap();
        std::fs::rename(&between, &there).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thief_signs_counts_no_more() {
    let parties = Parties::new();
    let next = parties.dir.path().join("next");
    write_development_pki(&next, ["US", "KZ"]).unwrap();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let (mut our, mut their) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    our.submit("ours", 0).await.unwrap();
    let true_name = their.submit("true", 1).await.unwrap().name;
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    until(&parties.kz, "delivered", |status| {
        status.acknowledged_sequence == 1 && status.witness.as_ref().unwrap().cosigned_size > 4
    })
    .await;
    let stolen = parties.kz.folder.join("stolen");
    let config = parties.kz.config();
    let made = article6(&["backup", stolen.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    assert!(made.status.success());
    kz.stop().unwrap();

    // The thief speaks for Kazakhstan, and is believed.
    swap(&parties.kz, &stolen);
    let thief = serve(&parties.kz);
    let mut theirs = Office::open(&parties.kz).await;
    theirs.submit("forged", 1).await.unwrap();
    until(&parties.us, "the forged message is consumed", |status| status.consumed_sequence == 2).await;
    our.submit("to-the-thief", 0).await.unwrap();
    until(&parties.us, "the thief gives a receipt", |status| status.acknowledged_sequence == 2).await;
    thief.stop().unwrap();
    swap(&parties.kz, &stolen);

    // The recovery key comes out of its safe; another key is none.
    let folder = next.join("kz");
    let identity = format!(
        "[identity]\nnext_signing_certificate = {:?}\nnext_signing_key = {:?}\nnext_ledger_key = {:?}",
        folder.join("signing.pem"),
        folder.join("signing.key"),
        folder.join("ledger.key")
    );
    let recovery = parties.kz.folder.join("recovery.key");
    let without = revoke(&parties.kz, &recovery);
    assert!(String::from_utf8_lossy(&without.stderr).contains("no new key is configured"));
    edit(&parties.kz, "[identity]", &identity);
    let other = revoke(&parties.kz, &folder.join("signing.key"));
    assert!(String::from_utf8_lossy(&other.stderr).contains("not the one that this store was founded with"));
    let revoked = revoke(&parties.kz, &recovery);
    let told = String::from_utf8_lossy(&revoked.stdout).into_owned();
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    assert!(told.contains("US holds 1 message(s) in the name of KZ that KZ does not stand by"), "{told}");

    let kz = serve(&parties.kz);
    until(&parties.us, "US holds the channel", |status| status.witness.as_ref().unwrap().held).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    release(&parties.us).await;
    let mut their = Office::open(&parties.kz).await;
    let name = their.submit("true-again", 1).await.unwrap().name;
    until(&parties.kz, "delivered", |status| status.acknowledged_sequence == 2).await;
    // What was given to the thief is delivered again, to whom it was meant for.
    until(&parties.us, "receipted by the true one", |status| status.acknowledged_sequence == 2).await;
    let now = [status(&parties.us).await, status(&parties.kz).await];
    assert_eq!((now[0].consumed_sequence, now[1].consumed_sequence), (2, 2));
    assert_eq!(now[0].peer_epoch, 2);
    kz.stop().unwrap();

    // The thief is refused from now on.
    swap(&parties.kz, &stolen);
    edit(&parties.kz, &identity, "[identity]");
    let thief = serve(&parties.kz);
    let before = status(&parties.us).await.consumed_sequence;
    until(&parties.us, "the thief is refused", |status| {
        status.delivery.as_ref().is_some_and(|delivery| !delivery.open && !delivery.reason.is_empty())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&parties.us).await.consumed_sequence, before);
    thief.stop().unwrap();
    swap(&parties.kz, &stolen);
    edit(&parties.kz, "[identity]", &identity);
    us.stop().unwrap();

    for home in [&parties.us, &parties.kz] {
        let output = article6(&["verify", home.folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), log(home));
    }
    // What was signed before and after stands, each with the key of its time.
    for name in [true_name, name] {
        let bundle = export(&parties.us, &["--message", &name]).remove(0);
        let (_, report) = verify(&bundle, &[]);
        assert_eq!(report["sound"], true, "{report}");
    }
}
