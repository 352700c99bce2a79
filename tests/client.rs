//! The client as people and scripts use it: processes on two Parties' homes, over the doors.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use article6::commands::homes::{self, Home};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_article6");
const PURPOSE: [&str; 2] = ["--purpose", "ADMINISTRATIVE_PROCEEDING"];

/// Runs a command of the back-office client with a home's profile and `--json`.
fn client(home: &Home, arguments: &[&str]) -> Output {
    let profile = home.profile();
    Command::new(PROGRAM).args(arguments).arg("--json").arg("--profile").arg(profile).output().unwrap()
}

/// The objects it wrote, where it must succeed.
fn results(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let output = client(home, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Exit code and error, where it must fail.
fn refusal(home: &Home, arguments: &[&str]) -> (i32, Value) {
    let output = client(home, arguments);
    let last = String::from_utf8(output.stderr).unwrap().lines().last().unwrap_or_default().to_owned();
    (output.status.code().unwrap(), serde_json::from_str::<Value>(&last).unwrap()["error"].take())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_message_travels_from_file_to_file() {
    let folder = tempfile::tempdir().unwrap();
    let [us, kz] = homes::make(&folder.path().join("homes")).unwrap();
    let (_us, _kz) = (us.serve(Path::new(PROGRAM)).unwrap(), kz.serve(Path::new(PROGRAM)).unwrap());
    for home in [&us, &kz] {
        until("the daemon answers", || client(home, &["list"]).status.success());
    }
    let request = fixture("01_undervaluation.json");

    assert_eq!(results(&kz, &["send", "--validate", &request])[0]["is_valid"], true);
    assert!(results(&kz, &["list"]).is_empty());
    let sent = results(&kz, &["send", &request]);
    assert_eq!(results(&kz, &["send", &request]), sent, "the same file is the same message");
    let name = sent[0]["message"]["name"].as_str().unwrap();
    assert_eq!(sent[0]["message"]["acting_official"], "KZ-DO-0007");
    until("delivery", || results(&kz, &["status", name])[0]["delivery"]["state"] == "DELIVERED");

    refusals(&us, &kz, &request, folder.path());
    taken_over(&us, name, &folder.path().join("in"), &request);
}

/// Whoever watches does not wait for what cannot come.
#[tokio::test]
async fn a_daemon_that_dies_at_its_start_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let [us, _] = homes::make(folder.path()).unwrap();
    std::fs::write(us.folder.join("store/STORE"), "nothing").unwrap();
    let mut running = us.serve(Path::new(PROGRAM)).unwrap();
    let began = Instant::now();
    let error = us.up(&mut running, Duration::from_secs(600)).await.unwrap_err().to_string();
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(error.contains("ended instead of starting") && error.contains("store/STORE"), "{error}");
}

fn refusals(us: &Home, kz: &Home, request: &str, folder: &Path) {
    let mut lacking: Value = serde_json::from_slice(&std::fs::read(request).unwrap()).unwrap();
    lacking.as_object_mut().unwrap().remove("ground").unwrap();
    let file = folder.join("lacking.json");
    std::fs::write(&file, lacking.to_string()).unwrap();
    let (code, error) = refusal(kz, &["send", file.to_str().unwrap()]);
    assert_eq!((code, error["reason"].as_str()), (1, Some("BODY_INVALID")), "{error}");
    assert_eq!(error["violations"][0]["field"], "submission.body.assistance_request.ground");
    assert!(error["next"].as_str().unwrap().contains("--validate"));

    let (_, error) = refusal(us, &["send", "--official", "US-DO-0011", request]);
    assert_eq!(error["reason"], "WRONG_SENDER", "the file is for the other direction");
    let (_, error) = refusal(kz, &["send", "--official", "KZ-DO-9999", request]);
    assert_eq!(error["reason"], "OFFICIAL_NOT_ALLOWED");
    let (_, error) = refusal(kz, &["show", "00000000-0000-7000-8000-000000000000"]);
    assert_eq!(error["reason"], "MESSAGE_NOT_FOUND");
    let (_, error) = refusal(kz, &["watch", "--from", "00000000-1"]);
    assert_eq!(error["reason"], "CURSOR_UNKNOWN");
}

fn taken_over(us: &Home, name: &str, into: &Path, request: &str) {
    let shown = results(us, &["inbox"]);
    assert_eq!(shown[0]["message"]["name"], name);
    assert!(shown[0]["message"].get("content").is_none(), "no content without a purpose");
    let take = [&["inbox", "--out", into.to_str().unwrap()][..], &PURPOSE].concat();
    let unacknowledged = [&take[..], &["--no-acknowledge"]].concat();
    assert_eq!(results(us, &unacknowledged).len(), 1);
    let profile = std::fs::read_to_string(us.profile()).unwrap();
    let aimless = profile.lines().filter(|line| !line.starts_with("purpose")).collect::<Vec<_>>().join("\n");
    std::fs::write(us.profile(), aimless).unwrap();
    let without = &["inbox", "--out", into.to_str().unwrap()];
    let (code, error) = refusal(us, without);
    assert!(code == 2 && error["message"].as_str().unwrap().contains("--purpose"), "{error}");
    std::fs::write(us.profile(), profile).unwrap();
    assert_eq!(
        results(us, without).len(),
        1,
        "what was not acknowledged is shown again, for the profile's purpose"
    );
    assert_eq!(results(us, &[&take[..], &["--wait", "0.5"]].concat()), [] as [Value; 0]);
    assert_eq!(results(us, &["status", name])[0]["delivery"]["state"], "RETRIEVED");
    assert_eq!(results(us, &["list", "--direction", "received", "--state", "retrieved"]).len(), 1);

    let id = name.strip_prefix("messages/").unwrap();
    let kept = |ending: &str| std::fs::read(into.join(format!("{id}.{ending}"))).unwrap();
    assert!(!kept("p7s").is_empty());
    let full = results(us, &[&["show", name][..], &PURPOSE].concat());
    let digest = article6::crypto::Digest::of(&kept("envelope")).to_string();
    assert_eq!(full[0]["envelope_digest"], digest);
    let read = |bytes: &[u8]| {
        article6::commands::json::message_from_json(&serde_json::from_slice(bytes).unwrap()).unwrap().1
    };
    let sent = read(&std::fs::read(request).unwrap());
    assert_eq!(read(&kept("json")), sent);
    assert_eq!(prost::Message::encode_to_vec(&sent), kept("body"));
}
