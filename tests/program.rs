//! The program as an operator meets it: signals and exit codes.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use std::process::{Command, Stdio};
use support::homes::{Homes, PROGRAM};

#[test]
fn signals_reload_and_stop() {
    let homes = Homes::new();
    let mut daemon = homes.us.serve();
    daemon.signal("HUP");
    daemon.wait_for("certificates are read anew");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.log());
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let homes = Homes::new();
    let configuration = homes.us.configuration();
    let path = configuration.to_str().unwrap();
    let recovery = homes.path().join("another.key");

    assert_eq!(exit(&["--version"]), (0, String::new()));
    let (code, told) = exit(&["init", "--config", path, "--recovery-key", recovery.to_str().unwrap()]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("already holds a store"), "{told}");
    assert!(!recovery.exists());
    assert_eq!(exit(&["serve", "--no-such-option"]).0, 2);

    let text = std::fs::read_to_string(&configuration).unwrap();
    let text =
        text.replace("counterparty = \"KZ\"", "counterparty = \"Kazakhstan\"").replace("[store]", "[stores]");
    std::fs::write(&configuration, text).unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let (code, told) = exit(&[command, &["--config", path]].concat());
        assert_eq!(code, 78, "{told}");
        for key in ["channel.counterparty", "store.dir", "stores"] {
            assert!(told.contains(key), "{key} is not among the mistakes:\n{told}");
        }
    }
}

/// Exit code and what was written to stderr.
fn exit(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}
