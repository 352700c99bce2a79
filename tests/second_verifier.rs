//! Two programs read bundles, this one and one in another language that was written from the format's text; they agree on
//! every bundle, on every one that is made to deceive, and on those that were made long ago.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::certs::write_development_pki;
use article6::crypto::LedgerKey;
use std::path::{Path, PathBuf};
use support::bundles::{Files, export, files, fingerprints, played};
use support::forged::{self, signing_key};
use support::impostor::Impostor;
use support::mutations::{Mutation, exchanged, less, misintroduced, misstated, rewritten};
use support::parties::{Office, Parties, serve, signal, status, until};
use support::relined::relined;
use support::rotation::{bring_next, expect_next, logged};
use support::second::{QUIRKS, Quirk, Verdict, ledger_key, ours, packed, second, signed, theirs};

/// The codes of each test vector, all of them trusted.
const VECTORS: [(&str, &[&str]); 4] = [
    ("sent", &["SIGNED", "CONTENT", "SEALED", "RECEIVED", "RECORDED_AFTER", "RECORDED_BEFORE"]),
    ("received", &["SIGNED", "CONTENT", "RECEIVED", "RECORDED_AFTER", "RECORDED_BEFORE"]),
    ("unreceipted", &["SIGNED", "CONTENT", "SEALED", "RECORDED_AFTER"]),
    ("refused", &["SIGNED", "CONTENT_UNAVAILABLE", "REJECTED"]),
];
const VECTOR_BYTES_MAX: u64 = 10 * 1024;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/bundle")
}

/// The keys of both Parties, each with the Party it is of.
fn holders(parties: &Parties) -> Vec<String> {
    let of = |home| fingerprints(home).map(|key| format!("{}={key}", home.party));
    [of(&parties.us), of(&parties.kz)].concat()
}

/// What both say of each file, which must be the same.
fn agreed(folder: &Path, paths: &[PathBuf], trust: &[String]) -> Vec<Verdict> {
    let (ours, theirs) = (paths.iter().map(|path| ours(path, trust)), theirs(folder, paths, trust));
    let both = ours.zip(theirs).zip(paths);
    both.map(|((ours, theirs), path)| {
        assert_eq!(ours, theirs, "{}", path.display());
        ours
    })
    .collect()
}

/// Writes what was made of a bundle and asks both.
fn agreed_on(
    folder: &Path,
    name: &str,
    made: Vec<(String, Vec<u8>, Option<bool>)>,
    trust: &[String],
) -> usize {
    let dir = folder.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let plain = |what: &str| what.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let paths: Vec<PathBuf> = made
        .iter()
        .enumerate()
        .map(|(at, (what, archive, _))| {
            let path = dir.join(format!("{at:03}-{}.zip", plain(what)));
            std::fs::write(&path, archive).unwrap();
            path
        })
        .collect();
    for ((what, _, expected), verdict) in made.iter().zip(agreed(folder, &paths, trust)) {
        if let Some(sound) = expected {
            assert_eq!(verdict.is_some(), *sound, "{name}: {what}");
        }
    }
    paths.len()
}

/// Mutations, packed and signed by who exported the bundle.
fn packed_signed(mutations: Vec<Mutation>, key: &LedgerKey) -> Vec<(String, Vec<u8>, Option<bool>)> {
    let archive = |files: &Files| packed(&signed(files, key), Quirk::Stored);
    mutations.into_iter().map(|(what, files, expected)| (what, archive(&files), expected)).collect()
}

/// A message that US turned down, in a folder of its own.
async fn refused() -> (Parties, PathBuf) {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    status(&parties.us).await;
    let mut kz = Impostor::new(&parties.us, &parties.kz);
    let mut delivery = kz.honest();
    delivery.body = "something else than was signed".into();
    assert!(kz.delivered(&delivery).await.1.is_some());
    daemon.stop().unwrap();
    let bundle = export(&parties.us, &["--message", "received/1"]).remove(0);
    (parties, bundle)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_verifiers_agree_on_what_two_daemons_export() {
    let parties = Parties::new();
    let [message, undelivered] = played(&parties).await;
    let (others, refused) = refused().await;
    let mut trust = holders(&parties);
    trust.extend(holders(&others));
    let of = |home, message: &str| export(home, &["--message", message]).remove(0);
    let paths =
        [of(&parties.us, &message), of(&parties.kz, &message), of(&parties.us, &undelivered), refused];
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        write_vectors(&paths, &[&parties, &others]);
    }
    let folder = parties.dir.path();
    for ((name, codes), verdict) in VECTORS.iter().zip(agreed(folder, &paths, &trust)) {
        let (found, ..) = verdict.unwrap();
        assert_eq!(found, codes.iter().map(|code| ((*code).to_owned(), true)).collect::<Vec<_>>(), "{name}");
    }
    // Some keys, without their Party, of the other Party, none.
    let bare: Vec<String> = trust.iter().map(|key| key[3..].to_owned()).collect();
    let exchanged_parties: Vec<String> = trust
        .iter()
        .map(|key| format!("{}{}", if key.starts_with("US") { "KZ" } else { "US" }, &key[2..]))
        .collect();
    for (trust, all) in [
        (&bare, Some(true)),
        (&exchanged_parties, Some(false)),
        (&trust[..1].to_vec(), None),
        (&vec![], Some(false)),
    ] {
        for (codes, ..) in agreed(folder, &paths, trust).into_iter().flatten() {
            assert!(all.is_none_or(|all| codes.iter().all(|(_, trusted)| *trusted == all)), "{codes:?}");
        }
    }
    let arguments = ["--self-check".to_owned(), paths[0].display().to_string(), "--step".into(), "29".into()];
    let output = second(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(deceptions(&parties, &paths, &trust) > 150);
}

/// Whatever an exporter could make of its bundles.
fn deceptions(parties: &Parties, paths: &[PathBuf; 4], trust: &[String]) -> usize {
    let read = |path: &Path| files(&std::fs::read(path).unwrap());
    let [sent, received, open, refused] = paths.each_ref().map(|path| read(path));
    let (us, kz) = (ledger_key(&parties.us.certs()), ledger_key(&parties.kz.certs()));
    let mut of_sent = vec![("a control".to_owned(), sent.clone(), Some(true))];
    of_sent.extend(less(&sent));
    of_sent.extend(misstated(&sent));
    of_sent.extend(rewritten(&sent));
    for file in ["record.tlog-proof", "receipt.tlog-proof", "before.tlog-proof", "before.checkpoint"] {
        of_sent.extend(relined(&sent, file));
    }
    for other in [&received, &open, &refused] {
        of_sent.extend(exchanged(&sent, other));
    }
    of_sent.extend(forged::cosigned_again(&sent, &kz));
    let mut of_received = less(&received);
    of_received.extend(exchanged(&received, &sent));
    of_received.extend(exchanged(&received, &open));
    let made = QUIRKS
        .iter()
        .enumerate()
        .map(|(at, quirk)| (format!("{quirk:?}"), packed(&sent, *quirk), Some(at < 4)));
    let made = made.chain(
        relined(&sent, "MANIFEST")
            .into_iter()
            .map(|(what, files, sound)| (what, packed(&files, Quirk::Deflated), sound)),
    );
    let folder = parties.dir.path();
    agreed_on(folder, "archives", made.collect(), trust)
        + agreed_on(folder, "of-sent", packed_signed(of_sent, &us), trust)
        + agreed_on(folder, "of-received", packed_signed(of_received, &kz), trust)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_verifiers_agree_on_keys_that_were_introduced() {
    let parties = Parties::new();
    let next = parties.dir.path().join("next");
    write_development_pki(&next, ["US", "KZ"]).unwrap();
    expect_next(&parties.us, &next.join("us/counterparty-tls-ca.pem"));
    expect_next(&parties.kz, &next.join("kz/counterparty-tls-ca.pem"));
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    office.submit("before", 0).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    bring_next(&parties.us, &next.join("us"));
    signal(&us, rustix::process::Signal::HUP);
    logged(&parties.us, "a key is retired", 3).await;
    let after = office.submit("after", 1).await.unwrap().name;
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == status.sealed_sequence).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    let paths = [
        export(&parties.us, &["--message", "sent/1"]).remove(0),
        export(&parties.us, &["--message", &after]).remove(0),
        export(&parties.kz, &["--message", &after]).remove(0),
    ];
    let [us_signing, _] = fingerprints(&parties.us).map(|key| format!("US={key}"));
    let folder = parties.dir.path();
    let verdicts = agreed(folder, &paths, std::slice::from_ref(&us_signing));
    let (codes, ..) = verdicts[1].clone().unwrap();
    assert!(
        codes.contains(&("SEALED".into(), true)),
        "the first signing key leads to the new ones: {codes:?}"
    );
    assert!(codes.contains(&("RECEIVED".into(), false)), "{codes:?}");
    let files = files(&std::fs::read(&paths[1]).unwrap());
    let (old, new) = (signing_key(&parties.us.certs()), signing_key(&next.join("us")));
    let mut made = misintroduced(&files);
    made.extend(forged::introductions(&files, &old, &new));
    made.extend(forged::forms(&files, folder, &parties.us, &old, &new));
    let made = packed_signed(made, &ledger_key(&next.join("us")));
    assert!(agreed_on(folder, "introductions", made, &[us_signing]) > 10);
}

#[test]
fn vectors_hold_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let trust = std::fs::read_to_string(vectors().join("trust.txt")).unwrap();
    let trust: Vec<String> = trust.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let paths: Vec<PathBuf> = VECTORS.iter().map(|(name, _)| vectors().join(format!("{name}.zip"))).collect();
    for ((name, codes), verdict) in VECTORS.iter().zip(agreed(folder.path(), &paths, &trust)) {
        let (found, ..) = verdict.unwrap();
        assert_eq!(found, codes.iter().map(|code| ((*code).to_owned(), true)).collect::<Vec<_>>(), "{name}");
    }
    for path in paths {
        assert!(path.metadata().unwrap().len() < VECTOR_BYTES_MAX, "{}", path.display());
    }
}

/// Writes new vectors. Those that were published stay as they are: this is for a new version of the format.
fn write_vectors(paths: &[PathBuf], parties: &[&Parties]) {
    std::fs::create_dir_all(vectors()).unwrap();
    for ((name, _), path) in VECTORS.iter().zip(paths) {
        std::fs::copy(path, vectors().join(format!("{name}.zip"))).unwrap();
    }
    let mut lines = String::new();
    for (parties, what) in parties.iter().zip(["sent, received, unreceipted", "refused"]) {
        for (key, used_for) in
            holders(parties).iter().zip(["signs messages", "signs the ledger"].iter().cycle())
        {
            lines += &format!("{key} {used_for}: {what}\n");
        }
    }
    std::fs::write(vectors().join("trust.txt"), lines).unwrap();
}
