//! Bundles of evidence, exported and verified by the program.

use article6::commands::homes::Home;
use article6::crypto::certificate::Certificate;
use article6::crypto::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
