//! Proofs of contradictions, written and checked by the program.

use article6::commands::homes::Home;
use article6::crypto::digest::Digest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ledger(arguments: &[&std::ffi::OsStr]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_article6")).arg("ledger").args(arguments).output().unwrap()
}

/// The proofs that a stopped daemon's store holds.
pub fn contradictions(home: &Home) -> Vec<PathBuf> {
    let dir = home.folder.join("contradictions");
    let config = home.config();
    let output =
        ledger(&["contradictions".as_ref(), dir.as_os_str(), "--config".as_ref(), config.as_os_str()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = std::fs::read_dir(dir).into_iter().flatten();
    files.map(|entry| entry.unwrap().path()).collect()
}

/// The proof stands alone, in at most 4 KiB, against the one key that signed; nothing can be changed in it.
pub fn assert_proof(file: &Path, fingerprint: &Digest) {
    let check = |file: &Path, trust: &Digest| {
        let trust = format!("sha256:{trust}");
        ledger(&["check".as_ref(), file.as_os_str(), "--trust".as_ref(), trust.as_ref()]).status.code()
    };
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.len() <= 4096, "{} bytes", bytes.len());
    assert_eq!(check(file, fingerprint), Some(0));
    assert_eq!(check(file, &Digest::of(b"somebody else")), Some(1));
    let bent = file.with_extension("bent");
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        // White space, and a letter that is no word of the format, may differ; what is signed may not.
        let mut wrong = bytes.clone();
        wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
        if bytes[at].is_ascii_alphanumeric() {
            std::fs::write(&bent, wrong).unwrap();
            assert_eq!(check(&bent, fingerprint), Some(1), "byte {at}");
        }
    }
}
