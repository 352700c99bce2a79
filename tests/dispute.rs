//! Whatever one Party may say against what both of them signed is refuted; what nobody signed is undecidable.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::homes::Home;
use article6::crypto::digest::Digest;
use article6::crypto::{LedgerKey, keyfile};
use article6::ledger::note::Vkey;
use article6::ledger::tree::{Frontier, leaf_hash};
use article6::ledger::{Checkpoint, Note};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::bundles::{article6, export, fingerprints};
use support::impostor::Impostor;
use support::parties::{Office, Parties, serve, status, until};

/// Verdicts by the code of the claim; several of one code stand in their order.
fn dispute(ours: &Path, theirs: &Path, more: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut arguments = vec!["dispute", ours.to_str().unwrap(), theirs.to_str().unwrap(), "--json"];
    arguments.extend(more);
    let output = article6(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let judgements: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut verdicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for judgement in judgements {
        let text = |name: &str| judgement[name].as_str().unwrap().to_owned();
        assert!(!text("claim").is_empty() && !text("why").is_empty());
        verdicts.entry(text("code")).or_default().push(text("verdict"));
    }
    verdicts
}

fn export_ledger(home: &Home, name: &str) -> PathBuf {
    let (dir, config) = (home.folder.join(name), home.config());
    let arguments = ["ledger", "export", dir.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let output = article6(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir
}

/// The ledger without one of its events, its checkpoint signed anew by whoever holds the key: what a Party would have to
/// show to hide something.
fn doctored(home: &Home, export: &Path, without: usize) -> PathBuf {
    let note = std::fs::read_to_string(export.join("checkpoint")).unwrap();
    let checkpoint = Checkpoint::parse(Note::parse(&note).unwrap().text()).unwrap();
    let size = usize::try_from(checkpoint.size).unwrap();
    assert!(size < 256, "one partial bundle of entries");
    let entries = std::fs::read(export.join(format!("tile/entries/000.p/{size}"))).unwrap();
    let mut entries: Vec<&[u8]> = entries.chunks(34).collect();
    entries.remove(without);
    let mut tree = Frontier::new();
    entries
        .iter()
        .for_each(|entry| tree.append(leaf_hash(&Digest::from_slice(&entry[2..]).unwrap()), |_| ()));
    let key = std::fs::read(home.certs().join("ledger.key")).unwrap();
    let key = LedgerKey::from_pkcs8(&keyfile::pkcs8(&key).unwrap()).unwrap();
    let head = Checkpoint { origin: checkpoint.origin.clone(), size: tree.size(), root: tree.root() };
    let vkey = Vkey::new(&head.origin, key.public()).unwrap();
    let dir = home.folder.join("doctored");
    std::fs::create_dir_all(dir.join("tile/entries/000.p")).unwrap();
    std::fs::write(dir.join(format!("tile/entries/000.p/{}", size - 1)), entries.concat()).unwrap();
    std::fs::write(dir.join("checkpoint"), head.to_note(&vkey, &key.sign(head.body().as_bytes()))).unwrap();
    std::fs::write(dir.join("vkey"), format!("{vkey}\n")).unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_about_a_message_and_about_a_ledger_are_refuted() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("before", 1).await.unwrap();
    let cosigned = |status: &article6::operations::v1::GetStatusResponse| {
        let witness = status.witness.as_ref().unwrap();
        witness.cosigned_at.is_some() && witness.cosigned_size + 4 >= status.ledger_size
    };
    until(&parties.us, "US is cosigned", |status| status.acknowledged_sequence == 1 && cosigned(status))
        .await;
    until(&parties.kz, "KZ is cosigned", cosigned).await;
    let message = office.submit("message", 0).await.unwrap().name;
    until(&parties.us, "US is cosigned", |status| status.acknowledged_sequence == 2 && cosigned(status))
        .await;
    until(&parties.kz, "KZ is cosigned", cosigned).await;
    kz.stop().unwrap();
    let old = export_ledger(&parties.kz, "old");
    let kz = serve(&parties.kz);
    office.submit("later", 2).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 3).await;
    kz.stop().unwrap();
    let lost = office.submit("undelivered", 0).await.unwrap().name;
    us.stop().unwrap();
    let sent = export(&parties.us, &["--message", &message]).remove(0);
    let received = export(&parties.kz, &["--message", &message]).remove(0);
    let later = export(&parties.us, &["--message", "sent/3"]).remove(0);
    let lost = export(&parties.us, &["--message", &lost]).remove(0);

    // "We never sent it", "we never got it", "we turned it down".
    let judged = dispute(&sent, &received, &[]);
    assert_eq!(judged["NEVER_SENT"], ["REFUTED"], "{judged:?}");
    assert_eq!(judged["NEVER_RECEIVED"], ["REFUTED"], "{judged:?}");
    assert_eq!(
        (judged["NEVER_REFUSED"].as_slice(), judged["REFUSED"].as_slice()),
        (&["PROVEN".into()][..], &["REFUTED".into()][..])
    );
    assert_eq!(judged["CONTENT"], ["PROVEN"], "{judged:?}");
    assert!(!judged.contains_key("ONE_LEDGER"), "{judged:?}");
    // "We sent it in time": between two cosigned heads, both by the other's clock.
    assert_eq!(
        (judged["SENT_BY"].as_slice(), judged["RECEIVED_BY"].as_slice()),
        (&["PROVEN".into()][..], &["PROVEN".into()][..])
    );
    for (by, verdict) in [("2200-01-01T00:00:00Z", "PROVEN"), ("2020-01-01T00:00:00Z", "REFUTED")] {
        let judged = dispute(&sent, &received, &["--by", by]);
        assert_eq!(
            (&judged["SENT_BY"][0], &judged["RECEIVED_BY"][0]),
            (&verdict.to_owned(), &verdict.to_owned())
        );
    }
    // Where nobody signed anything nothing is decided; nor where nobody vouches for the keys.
    let judged = dispute(&lost, &received, &["--by", "2200-01-01T00:00:00Z"]);
    assert_eq!(judged["NEVER_RECEIVED"], ["UNDECIDABLE", "REFUTED"], "{judged:?}");
    assert_eq!(judged["SENT_BY"], ["UNDECIDABLE"], "{judged:?}");
    let nobody = format!("sha256:{}", Digest::of(b"nobody"));
    let judged = dispute(&sent, &received, &["--trust", &nobody]);
    assert!(judged.values().flatten().all(|verdict| verdict == "UNDECIDABLE"), "{judged:?}");
    let [us_signing, _] = fingerprints(&parties.us);
    let judged = dispute(&sent, &received, &["--trust", &us_signing]);
    assert_eq!(
        (&judged["NEVER_SENT"][0], &judged["NEVER_RECEIVED"][0]),
        (&"REFUTED".to_owned(), &"UNDECIDABLE".to_owned())
    );

    let judged = dispute(&sent, &received, &["--trust", &format!("US={us_signing}")]);
    assert_eq!(judged["NEVER_SENT"], ["REFUTED"], "{judged:?}");
    let judged = dispute(&sent, &received, &["--trust", &format!("KZ={us_signing}")]);
    assert_eq!(judged["NEVER_SENT"], ["UNDECIDABLE"], "its key of another Party: {judged:?}");

    // The ledger that KZ shows: honest, cut back to an older copy, with an event taken out, with its files changed.
    let honest = export_ledger(&parties.kz, "honest");
    let judged = dispute(&sent, &honest, &[]);
    for code in ["LEDGER_WHOLE", "LEDGER_HOLDS", "LEDGER_UNCHANGED"] {
        assert_eq!(judged[code], ["PROVEN"], "{code}: {judged:?}");
    }
    let judged = dispute(&later, &old, &[]);
    assert_eq!(
        (&judged["LEDGER_HOLDS"][0], &judged["LEDGER_UNCHANGED"][0]),
        (&"REFUTED".to_owned(), &"REFUTED".to_owned())
    );
    assert_eq!(dispute(&honest, &old, &[])["ONE_LEDGER"], ["PROVEN"]);
    let shown = doctored(&parties.kz, &honest, 1);
    let judged = dispute(&sent, &shown, &[]);
    assert_eq!(judged["LEDGER_WHOLE"], ["PROVEN"], "its own key signed it: {judged:?}");
    assert_eq!(
        (&judged["LEDGER_HOLDS"][0], &judged["LEDGER_UNCHANGED"][0]),
        (&"REFUTED".to_owned(), &"REFUTED".to_owned())
    );
    assert_eq!(dispute(&honest, &shown, &[])["ONE_LEDGER"], ["REFUTED"]);
    let tile = std::fs::read_dir(honest.join("tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    std::fs::write(tile, bytes).unwrap();
    assert_eq!(dispute(&sent, &honest, &[])["LEDGER_WHOLE"], ["REFUTED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_and_its_reason_are_proven() {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    status(&parties.us).await;
    let mut kz = Impostor::new(&parties.us, &parties.kz);
    let mut delivery = kz.honest();
    delivery.body = "something else than was signed".into();
    assert!(kz.delivered(&delivery).await.1.is_some());
    daemon.stop().unwrap();
    let refused = export(&parties.us, &["--message", "received/1"]).remove(0);
    let output = article6(&["verify", refused.to_str().unwrap(), "--trust", &fingerprints(&parties.us)[1]]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && told.contains("turned the message down") && told.contains("BODY_MISMATCH"),
        "{told}"
    );
    let ledger = export_ledger(&parties.us, "ledger");
    let judged = dispute(
        &refused,
        &ledger,
        &["--trust", &fingerprints(&parties.us)[1], "--trust", &fingerprints(&parties.kz)[0]],
    );
    assert_eq!(
        (&judged["NEVER_REFUSED"][0], &judged["REFUSED"][0]),
        (&"REFUTED".to_owned(), &"PROVEN".to_owned())
    );
    assert_eq!(
        (&judged["NEVER_SENT"][0], &judged["NEVER_RECEIVED"][0]),
        (&"REFUTED".to_owned(), &"REFUTED".to_owned())
    );
    assert_eq!(judged["LEDGER_HOLDS"], ["PROVEN"], "{judged:?}");
}
