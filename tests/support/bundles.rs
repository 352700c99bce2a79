//! Bundles of evidence, exported and verified by the program.

use article6::commands::homes::Home;
use article6::crypto::certificate::Certificate;
use article6::crypto::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::parties::{Office, PATIENCE, Parties, serve, status, until};
use std::time::{Duration, Instant};

/// The files of a bundle.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Runs the program.
pub fn article6<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_article6")).args(arguments).output().unwrap()
}

/// Exports what the arguments name from a stopped daemon's store.
pub fn export(home: &Home, what: &[&str]) -> Vec<PathBuf> {
    let (config, out) = (home.config(), home.folder.join("evidence"));
    let mut arguments = vec!["evidence", "export"];
    arguments.extend(what);
    let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    arguments.extend([OsStr::new("--out"), out.as_os_str(), OsStr::new("--config"), config.as_os_str()]);
    let output = article6(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// Fingerprints of the key that signs messages and of the one that signs the ledger.
pub fn fingerprints(home: &Home) -> [String; 2] {
    let certificate = std::fs::read(home.certs().join("signing.pem")).unwrap();
    let ledger = std::fs::read_to_string(home.certs().join("ledger.pub")).unwrap();
    let ledger = Digest::of(&STANDARD.decode(ledger.trim()).unwrap());
    [Certificate::from_pem(&certificate).unwrap().key_id(), ledger].map(|digest| format!("sha256:{digest}"))
}

/// Exit code and report of the verification of a bundle.
pub fn verify(bundle: &Path, trust: &[&str]) -> (Option<i32>, serde_json::Value) {
    let mut arguments = vec!["verify".to_owned(), bundle.display().to_string(), "--json".into()];
    arguments.extend(trust.iter().flat_map(|key| ["--trust".to_owned(), (*key).to_owned()]));
    let output = article6(&arguments);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Takes a bundle apart.
pub fn files(bundle: &[u8]) -> Files {
    let mut zip = zip::ZipArchive::new(Cursor::new(bundle)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut file = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// The text of the manifest of these files.
pub fn manifest(files: &Files) -> String {
    let mut text = "article6/bundle/1\n".to_owned();
    for (name, bytes) in files.iter().filter(|(name, _)| *name != "MANIFEST") {
        text += &format!("{} {name}\n", STANDARD.encode(Digest::of(bytes).as_bytes()));
    }
    text
}

/// Writes the seal of an archive into its comment.
pub fn seal(mut archive: Vec<u8>) -> Vec<u8> {
    archive.truncate(archive.len() - 2);
    let seal = format!("sha256:{}", Digest::of(&archive));
    [archive.as_slice(), &[71, 0], seal.as_bytes()].concat()
}

/// One message delivered and cosigned on both sides, another that is not delivered; returns the messages' names.
pub async fn played(parties: &Parties) -> [String; 2] {
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let first = office.submit("before", 1).await.unwrap();
    cosigned_on_both_sides(parties, 1, [0, 0]).await;
    let sizes = [status(&parties.us).await.ledger_size, status(&parties.kz).await.ledger_size];
    let second = office.submit("message", 0).await.unwrap();
    cosigned_on_both_sides(parties, 2, sizes).await;
    kz.stop().unwrap();
    let third = office.submit("undelivered", 0).await.unwrap();
    us.stop().unwrap();
    assert_ne!(first.name, second.name);
    [second.name, third.name]
}

/// Waits until the message is receipted and each has cosigned what the other recorded since these sizes. Heads are shown for
/// the sake of messages, not of cosignatures: the last events of a ledger stay uncovered, and what is awaited is rest.
async fn cosigned_on_both_sides(parties: &Parties, message: u64, sizes: [u64; 2]) {
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == message).await;
    let end = Instant::now() + PATIENCE;
    for (home, size) in [&parties.us, &parties.kz].into_iter().zip(sizes) {
        let mut last = (0, 0);
        loop {
            let status = status(home).await;
            let now = (status.ledger_size, status.witness.unwrap().cosigned_size);
            if now == last && now.1 > size {
                break;
            }
            assert!(Instant::now() < end, "{} is not cosigned: {now:?}, {size}", home.party);
            last = now;
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
    }
}
