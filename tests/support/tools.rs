//! What `tests/run` prepares. A test that lacks it fails: one that was skipped would look passed.

use std::path::PathBuf;

/// A Python that has what `tests/requirements.txt` names.
pub fn python() -> PathBuf {
    prepared("ARTICLE6_TEST_PYTHON")
}

/// The linter of the protos.
pub fn buf() -> PathBuf {
    prepared("ARTICLE6_TEST_BUF")
}

fn prepared(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("run tests/run: this test needs what it prepares ({variable} is not set)"),
    }
}
