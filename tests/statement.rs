//! Two statements about one period agree, or say in what they do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::commands::homes::Home;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::bundles::{article6, fingerprints};
use support::parties::{Office, Parties, serve, until};

const PERIOD: [&str; 4] = ["--from", "2020-01-01T00:00:00Z", "--to", "2200-01-01T00:00:00Z"];

fn statement(home: &Home, period: &[&str], more: &[&str]) -> Output {
    let mut arguments = vec!["statement"];
    arguments.extend(period);
    arguments.extend(more);
    let config = home.config();
    arguments.extend(["--config", config.to_str().unwrap()]);
    article6(&arguments)
}

fn made(home: &Home, period: &[&str], name: &str) -> PathBuf {
    let path = home.folder.join(name);
    let output = statement(home, period, &["--out", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

fn against(home: &Home, period: &[&str], theirs: &Path) -> (Option<i32>, String) {
    let output = statement(home, period, &["--against", theirs.to_str().unwrap()]);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_both_sides_agree_and_lies_show() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let (mut our, mut their) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    for number in 0..3 {
        our.submit(&format!("{number}"), 0).await.unwrap();
    }
    their.submit("one", 1).await.unwrap();
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 3).await;
    until(&parties.kz, "delivered", |status| status.acknowledged_sequence == 1).await;
    kz.stop().unwrap();
    our.submit("open", 0).await.unwrap();
    us.stop().unwrap();
    let (ours, theirs) = (made(&parties.us, &PERIOD, "ours"), made(&parties.kz, &PERIOD, "theirs"));
    let text = std::fs::read_to_string(&ours).unwrap();
    let json: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        json["sent"],
        serde_json::json!({
            "count": 4, "first": 1, "last": 4, "treaty": 4, "receipted": 3, "rejected": 0, "open": 1
        })
    );
    assert_eq!(json["received"]["count"], 1);
    for (home, other) in [(&parties.us, &theirs), (&parties.kz, &ours)] {
        assert_eq!(against(home, &PERIOD, other), (Some(0), "The two statements agree.\n".to_owned()));
    }
    agreed_to(&parties, &ours, &theirs);
    // Another period, another hand, and a ledger that is an older copy.
    let short = ["--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"];
    let empty = made(&parties.kz, &short, "empty");
    assert!(against(&parties.us, &PERIOD, &empty).1.contains("not about the same channel and period"));
    assert_eq!(against(&parties.us, &PERIOD, &ours).0, Some(1), "our own is not theirs");
    let bent = parties.kz.folder.join("bent");
    let lie = std::fs::read_to_string(&theirs).unwrap().replacen("\"count\":3", "\"count\":2", 1);
    std::fs::write(&bent, lie).unwrap();
    let (code, told) = against(&parties.us, &PERIOD, &bent);
    assert!(code == Some(1) && told.contains("not signed"), "{told}");
    let folder = |part: &str| parties.kz.folder.join(part);
    let copy = parties.dir.path().join("copy");
    let made_copy =
        article6(&["backup", copy.to_str().unwrap(), "--config", parties.kz.config().to_str().unwrap()]);
    assert!(made_copy.status.success());
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 4).await;
    us.stop().unwrap();
    kz.stop().unwrap();
    for (part, copied) in [("store", "store"), ("head/head", "head")] {
        std::fs::rename(folder(part), folder(part).with_extension("original")).unwrap();
        std::fs::rename(copy.join(copied), folder(part)).unwrap();
    }
    let old = made(&parties.kz, &PERIOD, "old");
    let (code, told) = against(&parties.us, &PERIOD, &old);
    assert!(
        code == Some(1) && told.contains("holds receipts for 4") && told.contains("an older copy"),
        "{told}"
    );
    let signed = parties.us.folder.join("disagreement");
    let arguments = ["--against", old.to_str().unwrap(), "--countersign", signed.to_str().unwrap()];
    assert_eq!(statement(&parties.us, &PERIOD, &arguments).status.code(), Some(1));
    let text = std::fs::read_to_string(&signed).unwrap();
    assert!(text.starts_with("article6/disagreement/1\n") && text.contains("an older copy"), "{text}");
    let now = made(&parties.us, &PERIOD, "now");
    let keys = [&parties.us, &parties.kz].map(|home| format!("{}={}", home.party, fingerprints(home)[1]));
    assert_eq!(judged(&now, &old, &[&keys[0], &keys[1]])[0], ("STATEMENTS_AGREE".into(), "REFUTED".into()));
}

/// Code and verdict of each claim.
fn judged(one: &Path, other: &Path, trust: &[&str]) -> Vec<(String, String)> {
    let mut arguments = vec!["dispute", one.to_str().unwrap(), other.to_str().unwrap(), "--json"];
    arguments.extend(trust.iter().flat_map(|key| ["--trust", key]));
    let output = article6(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |claim: &serde_json::Value, key: &str| claim[key].as_str().unwrap().to_owned();
    told.iter().map(|claim| (text(claim, "code"), text(claim, "verdict"))).collect()
}

/// The other side's signature beside the first one is what a third party reads; nobody's else is.
fn agreed_to(parties: &Parties, ours: &Path, theirs: &Path) {
    let both = parties.us.folder.join("both");
    let arguments = ["--against", theirs.to_str().unwrap(), "--countersign", both.to_str().unwrap()];
    let output = statement(&parties.us, &PERIOD, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let keys = [&parties.us, &parties.kz].map(|home| format!("{}={}", home.party, fingerprints(home)[1]));
    let (agree, agreed) = ("STATEMENTS_AGREE".to_owned(), "STATEMENT_AGREED".to_owned());
    let (proven, open) = ("PROVEN".to_owned(), "UNDECIDABLE".to_owned());
    let trust = [keys[0].as_str(), keys[1].as_str()];
    assert_eq!(judged(ours, theirs, &trust), [(agree.clone(), proven.clone())]);
    assert_eq!(judged(ours, &both, &trust), [(agree.clone(), proven.clone()), (agreed.clone(), proven)]);
    assert_eq!(judged(ours, &both, &trust[..1]), [(agree, open.clone()), (agreed, open)]);
    // What was stated of a ledger, held against the ledger that is shown.
    let (shown, config) = (parties.us.folder.join("shown"), parties.us.config());
    let arguments = ["ledger", "export", shown.to_str().unwrap(), "--config", config.to_str().unwrap()];
    assert!(article6(&arguments).status.success());
    assert_eq!(judged(ours, &shown, &trust), [("LEDGER_UNCHANGED".to_owned(), "PROVEN".to_owned())]);
    assert!(judged(theirs, &shown, &trust).is_empty(), "of the other Party's ledger it says nothing");
    // One letter of the second signature, and it is nobody's.
    let text = std::fs::read_to_string(&both).unwrap();
    let at = text.trim_end().len() - 10;
    let letter = if &text[at..=at] == "A" { "B" } else { "A" };
    let bent = parties.us.folder.join("bent");
    std::fs::write(&bent, format!("{}{letter}{}", &text[..at], &text[at + 1..])).unwrap();
    assert_eq!(judged(ours, &bent, &trust).len(), 1);
    // Of what was signed by the first one nothing may change.
    std::fs::write(&bent, text.replacen("\"count\":3", "\"count\":2", 1)).unwrap();
    assert_eq!(article6(&["dispute", ours.to_str().unwrap(), bent.to_str().unwrap()]).status.code(), Some(1));
}
