//! The program as an operator meets it: signals and exit codes.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::homes::{Home, Homes, PROGRAM, succeed};

/// How long a message may take. Nothing is concluded from being faster.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_message_goes_from_one_command_line_to_the_other() {
    let homes = Homes::new();
    let (_us, _kz) = (homes.us.serve(), homes.kz.serve());
    let request = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/02_origin_verification.json");
    client(&homes.us, &["send", request]);
    let taken = homes.path().join("in");
    let out = taken.to_str().unwrap();
    let end = Instant::now() + PATIENCE;
    while std::fs::read_dir(&taken).map_or(0, Iterator::count) < 4 {
        assert!(Instant::now() < end, "nothing arrives");
        client(&homes.kz, &["inbox", "--out", out, "--purpose", "ADMINISTRATIVE_PROCEEDING"]);
    }
    let written = std::fs::read_dir(&taken).unwrap().map(|entry| entry.unwrap().path());
    let document = written.filter(|path| path.extension().is_some_and(|e| e == "json")).last().unwrap();
    assert!(std::fs::read_to_string(document).unwrap().contains("SYN-EVADE-7781"));
    assert!(client(&homes.us, &["list"]).contains("DELIVERED"));
}

/// Every case runs its whole life through both doors, and what the demonstration leaves behind can be verified again.
#[test]
fn the_demonstration_ends_with_every_case_closed() {
    let folder = tempfile::tempdir().unwrap();
    let homes = folder.path().join("homes");
    let told = succeed(Command::new(PROGRAM).arg("demo").arg("--dir").arg(&homes));
    for what in [
        "each case is closed at both Parties",
        "ASSISTANCE_REQUEST_CONFIRMING",
        "CUSTODY_NOTICE_RETURN_RECEIVED",
        "CONDITIONED",
        "CLARIFYING",
    ] {
        assert!(told.contains(what), "{what} is not in:\n{told}");
    }
    assert!(!told.contains("NOT PROVEN") && !told.contains("DAMAGED"), "{told}");
    for party in ["us", "kz"] {
        let said = succeed(Command::new(PROGRAM).arg("verify").arg(homes.join(party)));
        assert!(said.contains("The store is sound"), "{said}");
    }
    let (code, told) = exit(&["demo", "--dir", homes.to_str().unwrap()]);
    assert!(code == 1 && told.contains("article6: "), "{code}: {told}");
}

#[test]
fn signals_reload_and_stop_and_the_index_can_be_lost() {
    let homes = Homes::new();
    let mut daemon = homes.us.serve();
    daemon.signal("HUP");
    daemon.wait_for("certificates are read anew");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.log());

    std::fs::remove_dir_all(homes.us.folder.join("store/index")).unwrap();
    let mut rebuild = Command::new(PROGRAM);
    let told = succeed(rebuild.args(["index", "rebuild", "--config"]).arg(homes.us.configuration()));
    assert!(told.contains("covers"), "{told}");
}

/// The whole way, with the larger curve for what is signed: made, sent, receipted, verified offline.
#[test]
fn messages_may_be_signed_on_p_384() {
    let homes = Homes::with_certificates(&["--curve", "p384"]);
    let (mut us, mut kz) = (homes.us.serve(), homes.kz.serve());
    let request = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/02_origin_verification.json");
    client(&homes.us, &["send", request]);
    let end = Instant::now() + PATIENCE;
    while !client(&homes.us, &["list"]).contains("DELIVERED") {
        assert!(Instant::now() < end, "nothing is delivered");
        std::thread::sleep(Duration::from_millis(50));
    }
    for daemon in [&mut us, &mut kz] {
        daemon.signal("TERM");
        assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.log());
    }
    for home in [&homes.us, &homes.kz] {
        let key = succeed(
            Command::new("openssl")
                .args(["x509", "-noout", "-text", "-in"])
                .arg(home.keys.join("signing.pem")),
        );
        assert!(key.contains("(384 bit)"), "{key}");
        // A home says where its store, its keys and its head file are; so does its store's folder.
        for named in [home.folder.clone(), home.folder.join("store")] {
            let said = succeed(Command::new(PROGRAM).arg("verify").arg(&named));
            assert!(said.contains("article6.toml is used") && said.contains("The store is sound"), "{said}");
        }
    }
    verified_in_part(&homes.us);
}

/// What nobody looked at is not called sound.
fn verified_in_part(home: &Home) {
    let copy = tempfile::tempdir().unwrap();
    succeed(Command::new("cp").arg("-r").arg(home.folder.join("store")).arg(copy.path()));
    let said = succeed(Command::new(PROGRAM).arg("verify").arg(copy.path()));
    assert!(!said.contains("sound"), "{said}");
    for what in ["verified in part", "signatures", "--config", "--head"] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let said = succeed(Command::new(PROGRAM).args(["verify", "--json"]).arg(copy.path()));
    assert!(said.contains("\"sound\": null"), "{said}");
}

#[test]
fn a_founding_that_was_cut_short_is_named_with_its_remedy() {
    let homes = Homes::new();
    let (store, path) = (homes.us.folder.join("store"), homes.us.configuration());
    std::fs::remove_file(store.join("STORE")).unwrap();
    let recovery = homes.path().join("another.key");
    let words = ["init", "--config", path.to_str().unwrap(), "--recovery-key", recovery.to_str().unwrap()];
    let (code, told) = exit(&words);
    assert_eq!(code, 1, "{told}");
    for what in ["store/journal", "store/vault", "head/head", "secret/store.key", "move them away"] {
        assert!(told.contains(what), "{what} is not in: {told}");
    }
    for leftover in ["store", "head", "secret"] {
        std::fs::rename(homes.us.folder.join(leftover), homes.path().join(leftover)).unwrap();
    }
    assert_eq!(exit(&words).0, 0);
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
    std::fs::write(&configuration, text.replace("environment = \"TEST\"", "environment = \"PRODUCTION\""))
        .unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let (code, told) = exit(&[command, &["--config", path]].concat());
        assert!(code == 78 && told.contains("development"), "{code}: {told}");
    }
    std::fs::write(&configuration, &text).unwrap();
    let running = homes.us.serve();
    let (code, told) = exit(&["serve", "--config", path]);
    assert_eq!(code, 1, "a store that another daemon has is no mistake of the configuration: {told}");
    drop(running);
    let list = homes.us.keys.join("backoffice-crl.pem");
    let whole = std::fs::read(&list).unwrap();
    std::fs::write(&list, "nothing").unwrap();
    let (code, told) = exit(&["serve", "--config", path]);
    assert!(code == 78 && told.contains("backoffice.revocation_list"), "{code}: {told}");
    std::fs::write(&list, whole).unwrap();
    let taken = std::net::TcpListener::bind(&homes.us.operations).unwrap();
    let (code, told) = exit(&["serve", "--config", path]);
    assert!(code == 1 && told.contains("operations door"), "{code}: {told}");
    drop(taken);
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

/// Runs a command of the back-office client with the example profile.
fn client(home: &Home, arguments: &[&str]) -> String {
    let example = include_str!("../deploy/client.toml");
    let profile = example.replace("127.0.0.1:7602", &home.backoffice).replace("US-DO-0011", home.official);
    std::fs::write(home.folder.join("client.toml"), profile).unwrap();
    succeed(Command::new(PROGRAM).args(arguments).current_dir(&home.folder))
}

/// Exit code and what was written to stderr.
fn exit(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}
