//! What somebody could make who holds keys: introductions that were never sent, signatures in other forms, cosignatures.

use super::bundles::Files;
use super::impostor::SALT;
use super::mutations::{Mutation, facts, with, with_facts};
use article6::commands::homes::Home;
use article6::crypto::digest::commitment;
use article6::crypto::{Certificate, LedgerKey, SigningKey, cms};
use article6::ledger::cosignature::message;
use article6::ledger::{Cosigner, Note};
use article6::wire::channel::v1::{Envelope, KeyIntroduction, KeyUse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use prost::Message as _;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// The signing key in a folder of keys.
pub fn signing_key(folder: &Path) -> SigningKey {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let certificate = Certificate::from_pem(&read("signing.pem")).unwrap();
    SigningKey::from_pkcs8(&read("signing.key"), certificate).unwrap()
}

fn bytes(value: &Value) -> Bytes {
    STANDARD.decode(value.as_str().unwrap()).unwrap().into()
}

/// Where a signing key stands in the list.
fn place(files: &Files, key: &SigningKey) -> usize {
    let spki = STANDARD.encode(key.certificate().spki_der());
    facts(files)["keys"].as_array().unwrap().iter().position(|it| it["key"] == spki).unwrap()
}

/// An introduction of the listed key `at` by `by`, in the likeness of one that was sent.
fn introduced(
    files: &Files,
    like: usize,
    at: usize,
    by: &SigningKey,
    change: &dyn Fn(&mut Envelope),
) -> Files {
    with_facts(files, |facts| {
        let key = bytes(&facts["keys"][at]["key"]);
        let used_for = if facts["keys"][at]["use"] == "signing" { KeyUse::Signing } else { KeyUse::Ledger };
        let body = KeyIntroduction { r#use: used_for.into(), key, certificate: Bytes::new() }.encode_to_vec();
        let mut envelope = Envelope::decode(bytes(&facts["keys"][like]["introduced"]["envelope"])).unwrap();
        envelope.signing_key_id = by.certificate().key_id().to_bytes();
        envelope.body_commitment = commitment(&SALT, &body).to_bytes();
        change(&mut envelope);
        let envelope = envelope.encode_to_vec();
        let signature = cms::sign(by, &envelope, SystemTime::now()).unwrap();
        facts["keys"][at]["introduced"] = json!({
            "envelope": STANDARD.encode(&envelope),
            "signature": STANDARD.encode(signature),
            "certificate": STANDARD.encode(by.certificate().der()),
            "body": STANDARD.encode(body),
            "salt": STANDARD.encode(SALT),
        });
    })
}

/// Introductions in a bundle that the key `new` signed, which `old` introduced.
pub fn introductions(files: &Files, old: &SigningKey, new: &SigningKey) -> Vec<Mutation> {
    let (first, at) = (place(files, old), place(files, new));
    let listed = facts(files)["keys"].as_array().unwrap().clone();
    let own = Envelope::decode(bytes(&facts(files)["keys"][at]["introduced"]["envelope"])).unwrap();
    let last = Envelope::decode(files["envelope.bin"].as_slice()).unwrap().sequence;
    let mut found: Vec<Mutation> = Vec::new();
    let mut say = |what: &str, sound: bool, change: &dyn Fn(&mut Envelope)| {
        found.push((what.to_owned(), introduced(files, at, at, old, change), Some(sound)));
    };
    say("made anew", true, &|_| ());
    // The new key may have introduced the next ledger key meanwhile: then this is too late.
    let certificate = json!(STANDARD.encode(new.certificate().der()));
    let is_early = !listed.iter().any(|key| key["introduced"]["certificate"] == certificate);
    say("just before the message", is_early, &|it| it.sequence = last - 1);
    say("in the message's place", false, &|it| it.sequence = last);
    say("after the message", false, &|it| it.sequence = last + 1);
    say("another statement", false, &|it| it.statement = "article6/envelope/2".into());
    say("another environment", false, &|it| it.environment = 1);
    say("another agreement", false, &|it| it.agreement_id = "US-KZ-1998".into());
    say("to itself", false, &|it| it.recipient = it.sender.clone());
    say("to a third Party", false, &|it| it.recipient = "FR".into());
    say("from the other Party", false, &|it| std::mem::swap(&mut it.sender, &mut it.recipient));
    say("of another kind", false, &|it| it.kind = 2);
    say("of another type", false, &|it| it.statement_type = 1);
    say("of another body", false, &|it| it.body_commitment = Bytes::from_static(&[1; 32]));
    say("by a key that is not named", false, &|it| it.signing_key_id = Bytes::from_static(&[1; 32]));
    for (what, by, to, sequence) in [
        ("the first by the second, before it", new, first, own.sequence - 1),
        ("the first by the second, after it", new, first, own.sequence + 1),
        ("the first by itself", old, first, 1),
        ("the second by itself", new, at, 1),
    ] {
        let files = introduced(files, at, to, by, &|it| it.sequence = sequence);
        found.push((what.into(), files, Some(false)));
    }
    found
}

/// The introduction of a key, signed in forms that OpenSSL makes.
pub fn forms(files: &Files, folder: &Path, home: &Home, old: &SigningKey, new: &SigningKey) -> Vec<Mutation> {
    let (at, certs) = (place(files, new), home.certs());
    let envelope = bytes(&facts(files)["keys"][at]["introduced"]["envelope"]);
    std::fs::write(folder.join("content"), &envelope).unwrap();
    let cases = [
        ("as it must be", "-cades -nocerts -nosmimecap -md sha256", true),
        ("no attributes", "-noattr -nocerts -md sha256", false),
        ("no certificate named", "-nocerts -nosmimecap -md sha256", false),
        ("an attribute more", "-cades -nocerts -md sha256", false),
        ("a certificate inside", "-cades -nosmimecap -md sha256", false),
        ("another hash", "-cades -nocerts -nosmimecap -md sha384", false),
        ("by key identifier", "-cades -nocerts -nosmimecap -md sha256 -keyid", false),
        ("content inside", "-cades -nocerts -nosmimecap -md sha256 -nodetach", false),
    ];
    assert_eq!(bytes(&facts(files)["keys"][at]["introduced"]["certificate"]), old.certificate().der());
    let mut found: Vec<Mutation> = Vec::new();
    for (what, words, sound) in cases {
        let output = Command::new("openssl")
            .args("cms -sign -binary -outform DER -in content -out signature".split(' '))
            .args(words.split(' '))
            .arg("-signer")
            .arg(certs.join("signing.pem"))
            .arg("-inkey")
            .arg(certs.join("signing.key"))
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        let signature = STANDARD.encode(std::fs::read(folder.join("signature")).unwrap());
        let files =
            with_facts(files, |facts| facts["keys"][at]["introduced"]["signature"] = json!(signature));
        found.push((format!("signature: {what}"), files, Some(sound)));
    }
    found
}

/// Further cosignatures by a key that cosigned already.
pub fn cosigned_again(files: &Files, key: &LedgerKey) -> Vec<Mutation> {
    let note_of = |file: &str| {
        let raw = String::from_utf8(files[file].clone()).unwrap();
        let note =
            if file == "before.checkpoint" { raw } else { raw.split_once("\n\n").unwrap().1.to_owned() };
        Note::parse(&note).unwrap()
    };
    let (record, before) = (note_of("record.tlog-proof"), note_of("before.checkpoint"));
    let line = |note: &Note| {
        note.signatures().iter().find(|line| line.signature.len() == 72).expect("a cosignature").clone()
    };
    let time = |note: &Note| u64::from_be_bytes(line(note).signature[..8].try_into().unwrap());
    let again = |note: &Note, at: u64, first: bool| {
        let line = Cosigner::of(&line(note).name, key.public())
            .signature(at, &key.sign(message(at, note.text()).as_bytes()));
        let mut lines = note.signatures().to_vec();
        lines.insert(if first { 0 } else { lines.len() }, line);
        Note::new(note.text().to_owned(), lines).unwrap().encode()
    };
    let (earliest, latest) = (time(&before), time(&record));
    let mut found: Vec<Mutation> = Vec::new();
    for (what, at, sound) in [
        ("later", latest + 9, true),
        ("at the earliest", earliest, true),
        ("before the earliest", earliest - 1, false),
    ] {
        for first in [true, false] {
            let mut more = files.clone();
            for file in ["record.tlog-proof", "before.tlog-proof"] {
                let raw = String::from_utf8(files[file].clone()).unwrap();
                let head = raw.split_once("\n\n").unwrap().0.to_owned();
                more.insert(file.into(), format!("{head}\n\n{}", again(&record, at, first)).into_bytes());
            }
            found.push((format!("record cosigned again {what}, {first}"), more, Some(sound)));
            let more = with(files, "before.checkpoint", again(&before, at, first));
            found.push((format!("checkpoint cosigned again {what}, {first}"), more, Some(true)));
        }
    }
    found
}
