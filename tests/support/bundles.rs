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

use super::parties::{Office, Parties, serve, until};

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
    let cosigned = |status: &article6::operations::v1::GetStatusResponse, acknowledged: u64| {
        let witness = status.witness.as_ref().unwrap();
        status.acknowledged_sequence == acknowledged && witness.cosigned_size + 4 >= status.ledger_size
    };
    until(&parties.us, "US is cosigned", |status| cosigned(status, 1)).await;
    until(&parties.kz, "KZ is cosigned", |status| cosigned(status, 0)).await;
    let second = office.submit("message", 0).await.unwrap();
    until(&parties.us, "US is cosigned again", |status| cosigned(status, 2)).await;
    until(&parties.kz, "KZ is cosigned again", |status| cosigned(status, 0)).await;
    kz.stop().unwrap();
    let third = office.submit("undelivered", 0).await.unwrap();
    us.stop().unwrap();
    assert_ne!(first.name, second.name);
    [second.name, third.name]
}
