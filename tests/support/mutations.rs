//! Bundles with other contents, in which everything else fits: what their exporter could make, who holds a key.

use super::bundles::Files;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What was changed, the files, and whether they must be sound; `None` where the verifiers need only agree.
pub type Mutation = (String, Files, Option<bool>);

const FACTS: &str = "bundle.json";
/// Each optional part: members of the facts, and files.
const PARTS: [(&[&str], &[&str]); 4] = [
    (&["body_salt"], &["body.bin"]),
    (&["receipt"], &["receipt.tlog-proof"]),
    (&["before"], &["before.tlog-proof", "before.checkpoint"]),
    (&[], &["revocation.crl"]),
];

pub fn facts(files: &Files) -> Value {
    serde_json::from_slice(&files[FACTS]).unwrap()
}

/// The files with other facts.
pub fn with_facts(files: &Files, change: impl FnOnce(&mut Value)) -> Files {
    let mut facts = facts(files);
    change(&mut facts);
    with(files, FACTS, facts.to_string())
}

pub fn with(files: &Files, name: &str, content: impl Into<Vec<u8>>) -> Files {
    let mut files = files.clone();
    files.insert(name.to_owned(), content.into());
    files
}

pub fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

/// Optional parts left out in every combination, with and without what belongs to them.
pub fn less(files: &Files) -> Vec<Mutation> {
    let mut found = Vec::new();
    for mask in 1_u32..16 {
        let (mut fewer, mut facts) = (files.clone(), facts(files));
        let parts = PARTS.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
        for (members, names) in parts.map(|(_, part)| part) {
            names.iter().for_each(|name| drop(fewer.remove(*name)));
            members.iter().for_each(|member| drop(facts.as_object_mut().unwrap().remove(*member)));
        }
        found.push((
            format!("parts {mask:04b} left out"),
            with(&fewer, FACTS, facts.to_string()),
            Some(true),
        ));
    }
    for (member, names) in [("body_salt", PARTS[0].1), ("receipt", PARTS[1].1), ("before", PARTS[2].1)] {
        for name in names.iter().filter(|name| files.contains_key(**name)) {
            let mut fewer = files.clone();
            fewer.remove(*name);
            found.push((format!("{name} left out alone"), fewer, Some(false)));
        }
        if facts(files).get(member).is_some() {
            let fewer = with_facts(files, |facts| drop(facts.as_object_mut().unwrap().remove(member)));
            found.push((format!("{member} left out alone"), fewer, Some(false)));
        }
    }
    found
}

/// Files, and files with their facts, of other bundles in the place of these.
pub fn exchanged(files: &Files, other: &Files) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (name, content) in other.iter().filter(|(name, _)| !["MANIFEST", "SUMMARY"].contains(&name.as_str()))
    {
        if files.get(name) != Some(content) {
            found.push((format!("{name} of another"), with(files, name, content.clone()), None));
        }
    }
    let theirs = facts(other);
    for (members, names) in PARTS.iter().copied().chain([(&["record"][..], &["record.tlog-proof"][..])]) {
        let mut mixed = with_facts(files, |facts| {
            members.iter().filter(|member| theirs.get(**member).is_some()).for_each(|member| {
                facts[*member] = theirs[*member].clone();
            });
        });
        mixed.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), other.get(*name)?.clone()))));
        found.push((format!("{members:?} {names:?} of another"), mixed, None));
    }
    let mut message = files.clone();
    for name in ["envelope.bin", "signature.p7s", "signer.pem"] {
        message.insert(name.into(), other[name].clone());
    }
    found.push(("the message of another".into(), message, None));
    found
}

/// Facts that say what they may not, or say it in another way.
pub fn misstated(files: &Files) -> Vec<Mutation> {
    let mut found: Vec<Mutation> = Vec::new();
    let mut say = |what: &str, sound: bool, change: &dyn Fn(&mut Value)| {
        found.push((what.to_owned(), with_facts(files, change), Some(sound)));
    };
    say("an unknown member", false, &|facts| facts["more"] = json!("x"));
    say("null for a member", false, &|facts| facts["keys"][0]["introduced"] = Value::Null);
    say("null for what is missing", false, &|facts| facts["body_salt"] = Value::Null);
    say("another format", false, &|facts| facts["format"] = json!("article6/bundle/2"));
    say("another environment", false, &|facts| facts["environment"] = json!("PRODUCTION"));
    say("no environment", false, &|facts| facts["environment"] = json!("test"));
    say("another agreement", false, &|facts| facts["agreement"] = json!("US-KZ-1998"));
    say("small letters", false, &|facts| facts["exporter"] = json!("us"));
    say("both Parties the same", false, &|facts| facts["counterparty"] = facts["exporter"].clone());
    say("the Parties exchanged", false, &|facts| {
        let (exporter, counterparty) = (facts["exporter"].take(), facts["counterparty"].take());
        (facts["exporter"], facts["counterparty"]) = (counterparty, exporter);
    });
    say("a number for a text", false, &|facts| facts["agreement"] = json!(7));
    say("a list for an object", false, &|facts| {
        facts["record"] = json!([facts["record"]["event"], facts["record"]["salt"]]);
    });
    say("a list for a key", false, &|facts| {
        facts["keys"][0] =
            json!([facts["keys"][0]["party"], facts["keys"][0]["use"], facts["keys"][0]["key"]]);
    });
    say("a short salt", false, &|facts| facts["record"]["salt"] = json!("AAAA"));
    say("base64 without padding", false, &|facts| {
        let salt = facts["record"]["salt"].as_str().unwrap().trim_end_matches('=').to_owned();
        facts["record"]["salt"] = json!(salt);
    });
    say("base64 with a newline", false, &|facts| {
        facts["record"]["salt"] = json!(format!("{}\n", facts["record"]["salt"].as_str().unwrap()));
    });
    say("a key twice", false, &|facts| {
        let key = facts["keys"][1].clone();
        facts["keys"].as_array_mut().unwrap().push(key);
    });
    say("a key of both Parties", false, &|facts| {
        let mut key = facts["keys"][1].clone();
        key["party"] =
            facts[if key["party"] == facts["exporter"] { "counterparty" } else { "exporter" }].clone();
        facts["keys"].as_array_mut().unwrap().push(key);
    });
    let stranger = |facts: &mut Value, party: &str, used_for: &str, key: &[u8]| {
        let key = json!({ "party": party, "use": used_for, "key": STANDARD.encode(key) });
        facts["keys"].as_array_mut().unwrap().push(key);
    };
    say("a key of a third Party", false, &|facts| stranger(facts, "FR", "ledger", &[7; 32]));
    say("a ledger key of 31 bytes", false, &|facts| stranger(facts, "US", "ledger", &[7; 31]));
    say("a key of unknown use", false, &|facts| stranger(facts, "US", "transport", &[7; 32]));
    say("an idle key", true, &|facts| stranger(facts, "US", "ledger", &[7; 32]));
    say("the keys in another order", true, &|facts| facts["keys"].as_array_mut().unwrap().reverse());
    for at in 0..facts(files)["keys"].as_array().unwrap().len() {
        let fewer = with_facts(files, |facts| drop(facts["keys"].as_array_mut().unwrap().remove(at)));
        found.push((format!("key {at} left out"), fewer, None));
        let moved = with_facts(files, |facts| {
            let other = if facts["keys"][at]["party"] == "US" { "KZ" } else { "US" };
            facts["keys"][at]["party"] = json!(other);
        });
        found.push((format!("key {at} given to the other Party"), moved, None));
    }
    found.extend(misspelt(files));
    found
}

/// JSON that is not as the facts must be written, whatever it says.
fn misspelt(files: &Files) -> Vec<Mutation> {
    let raw = text(files, FACTS);
    let cases = [
        ("spaces", raw.replace(":", " : ").replace("sha256 : ", "sha256:"), true),
        ("a member twice", raw.replacen('{', "{\"format\":\"article6/bundle/1\",", 1), false),
        ("a member twice inside", raw.replacen("{\"event\":", "{\"salt\":\"\",\"event\":", 1), false),
        ("a byte order mark", format!("\u{feff}{raw}"), false),
        ("more behind", format!("{raw}{{}}"), false),
        ("a newline behind", format!("{raw}\n"), true),
        ("a comment", format!("{raw}// yes"), false),
        ("a comma too many", raw.replacen("}]", "},]", 1), false),
        ("a list around", format!("[{raw}]"), false),
        ("an escape", raw.replacen("article6/bundle", "article6\\/bundle", 1), true),
        ("a lone surrogate", raw.replacen("US-KZ", "US-KZ\\ud800", 1), false),
        ("nothing", String::new(), false),
    ];
    cases
        .into_iter()
        .map(|(what, raw, sound)| (format!("JSON: {what}"), with(files, FACTS, raw), Some(sound)))
        .collect()
}

/// Certificates and texts that are written otherwise.
pub fn rewritten(files: &Files) -> Vec<Mutation> {
    let pem = text(files, "signer.pem");
    let cases = [
        ("signer.pem", "CRLF", pem.replace('\n', "\r\n")),
        ("signer.pem", "a word before", format!("subject\n{pem}")),
        ("signer.pem", "no last newline", pem.trim_end().to_owned()),
        ("signer.pem", "twice", pem.repeat(2)),
        ("signer.pem", "another label", pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
    ];
    let mut found: Vec<Mutation> = cases
        .into_iter()
        .map(|(file, what, content)| (format!("{file}: {what}"), with(files, file, content), Some(false)))
        .collect();
    found.push(("SUMMARY: anything".into(), with(files, "SUMMARY", "anything"), Some(true)));
    found.push(("SUMMARY: no text".into(), with(files, "SUMMARY", [0xff]), Some(false)));
    found.push(("revocation.crl: anything".into(), with(files, "revocation.crl", "anything"), Some(true)));
    found.push(("a file more".into(), with(files, "more", "x"), Some(false)));
    let longer = |name: &str| with(files, name, [files[name].as_slice(), b"\0"].concat());
    for name in
        ["envelope.bin", "body.bin", "signature.p7s"].into_iter().filter(|name| files.contains_key(*name))
    {
        found.push((format!("{name}: a byte more"), longer(name), Some(false)));
    }
    found
}

/// What can be wrong with how a key came into use.
pub fn misintroduced(files: &Files) -> Vec<Mutation> {
    let listed = facts(files)["keys"].as_array().unwrap().clone();
    let introduced = |key: &&Value| key.get("introduced").is_some();
    assert_eq!(listed.iter().filter(introduced).count(), 2, "the signing key and the ledger key: {listed:?}");
    let mut found = vec![("a control".to_owned(), files.clone(), Some(true))];
    for (at, key) in listed.iter().enumerate().filter(|(_, key)| introduced(key)) {
        let mut say = |what: &str, sound: bool, change: &dyn Fn(&mut Value)| {
            let files = with_facts(files, |facts| change(&mut facts["keys"][at]));
            found.push((format!("key {at}: {what}"), files, Some(sound)));
        };
        say("not told how", true, &|key| drop(key.as_object_mut().unwrap().remove("introduced")));
        say("of the other Party", false, &|key| key["party"] = json!("KZ"));
        say("nothing said", false, &|key| key["introduced"] = Value::Null);
        say("more said", false, &|key| key["introduced"]["more"] = json!(""));
        for member in ["envelope", "signature", "certificate", "body", "salt"] {
            say(&format!("no {member}"), false, &|key| {
                drop(key["introduced"].as_object_mut().unwrap().remove(member))
            });
            say(&format!("empty {member}"), false, &|key| key["introduced"][member] = json!(""));
        }
        for other in listed.iter().filter(|other| introduced(other) && *other != key) {
            say("as another was", false, &|key| key["introduced"] = other["introduced"].clone());
            for member in ["envelope", "signature", "body", "salt"] {
                let value = &other["introduced"][member];
                say(&format!("{member} of another"), value == &key["introduced"][member], &|key| {
                    key["introduced"][member] = value.clone();
                });
            }
        }
    }
    // The key that introduced the others is one of the list.
    let first =
        listed.iter().position(|key| key["use"] == "signing" && key.get("introduced").is_none()).unwrap();
    let fewer = with_facts(files, |facts| drop(facts["keys"].as_array_mut().unwrap().remove(first)));
    found.push(("without who introduced them".into(), fewer, Some(false)));
    found
}
