//! A bundle proves a message to somebody who has nothing else: neither store nor daemon nor network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::crypto::digest::Digest;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::bundles::{Files, article6, export, files, fingerprints, manifest, played, seal, verify};
use support::parties::{Office, Parties, serve, until};

fn codes(report: &serde_json::Value, trusted: bool) -> Vec<String> {
    let claims = report["claims"].as_array().unwrap().iter();
    claims
        .filter(|claim| claim["trusted"] == trusted)
        .map(|claim| claim["code"].as_str().unwrap().to_owned())
        .collect()
}

/// An archive of these files whose seal and manifest are as they must be, but for the manifest's signature.
fn packed(mut files: Files) -> Vec<u8> {
    let old = String::from_utf8(files.remove("MANIFEST").unwrap()).unwrap();
    let note = manifest(&files) + &old[old.find("\n\n").unwrap() + 1..];
    files.insert("MANIFEST".into(), note.into_bytes());
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    seal(zip.finish().unwrap().into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_gives_the_same_bundle_for_a_purpose() {
    let parties = Parties::new();
    let (us, kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let name = office.submit("message", 0).await.unwrap().name;
    until(&parties.us, "delivered", |status| status.acknowledged_sequence == 1).await;
    let (profile, out) = (parties.us.folder.join("client.toml"), parties.dir.path().join("fetched"));
    let prove = |more: &[&str]| {
        let mut arguments =
            vec!["prove", "--profile", profile.to_str().unwrap(), "--out", out.to_str().unwrap()];
        arguments.extend(more);
        article6(&arguments)
    };
    let before = support::parties::status(&parties.us).await.ledger_size;
    let fetched = prove(&[&name, "--purpose", "JUDICIAL_PROCEEDING"]);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(support::parties::status(&parties.us).await.ledger_size > before, "the reading is recorded");
    let fetched = PathBuf::from(String::from_utf8(fetched.stdout).unwrap().trim());
    let [signing, _] = fingerprints(&parties.us);
    let (code, report) = verify(&fetched, &[&signing]);
    assert_eq!(code, Some(0), "{report}");
    assert!(codes(&report, false).contains(&"RECEIVED".to_owned()), "{report}");
    let of_nothing = prove(&["0198f000-0000-7000-8000-0000000000ff", "--purpose", "JUDICIAL_PROCEEDING"]);
    assert!(String::from_utf8_lossy(&of_nothing.stderr).contains("MESSAGE_NOT_FOUND"));
    let case = office.get(&name).await.case;
    assert!(prove(&["--case", &case, "--purpose", "JUDICIAL_PROCEEDING"]).status.success());
    us.stop().unwrap();
    kz.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_stands_alone_and_nothing_in_it_can_be_changed() {
    let parties = Parties::new();
    let [message, undelivered] = played(&parties).await;
    let ([us_signing, us_ledger], [kz_signing, kz_ledger]) =
        (fingerprints(&parties.us), fingerprints(&parties.kz));
    let sent = export(&parties.us, &["--message", &message]).remove(0);
    let received = export(&parties.kz, &["--message", &message]).remove(0);
    let all = [us_signing.as_str(), &us_ledger, &kz_signing, &kz_ledger];
    for (bundle, record) in [(&sent, Some("SEALED")), (&received, None)] {
        let (code, report) = verify(bundle, &all);
        assert_eq!((code, &report["sound"]), (Some(0), &true.into()), "{report}");
        let mut expected = vec!["SIGNED", "CONTENT"];
        expected.extend(record);
        expected.extend(["RECEIVED", "RECORDED_AFTER", "RECORDED_BEFORE"]);
        assert_eq!(codes(&report, true), expected, "{report}");
        let span = [&report["earliest"], &report["latest"]].map(|at| at.as_u64().unwrap());
        assert!(span[0] <= span[1] && span[1] - span[0] < 3600, "{span:?}");
        // Against some of the keys only what rests on them is proven; against none, nothing.
        let (code, report) = verify(bundle, &[&kz_ledger]);
        assert_eq!(code, Some(0), "{report}");
        assert!(codes(&report, true).contains(&"RECEIVED".to_owned()));
        assert!(codes(&report, false).contains(&"SIGNED".to_owned()));
        assert_eq!(verify(bundle, &[]).0, Some(1));
        assert_eq!(verify(bundle, &[&format!("sha256:{}", Digest::of(b"somebody else"))]).0, Some(1));
    }
    whose_key_it_is_must_be_said(&sent, &us_ledger, &kz_ledger);
    is_small_and_openssl_agrees(&sent, parties.dir.path());
    is_small_and_openssl_agrees(&received, parties.dir.path());

    // What is not proven is told.
    let open = export(&parties.us, &["--message", &undelivered]).remove(0);
    let (code, report) = verify(&open, &all);
    assert_eq!(code, Some(0), "{report}");
    assert!(!codes(&report, true).contains(&"RECEIVED".to_owned()));
    assert!(report["notProven"][0].as_str().unwrap().contains("no receipt"), "{report}");
    // The same by place in the chain, and every message of the case.
    assert_eq!(
        std::fs::read(&export(&parties.us, &["--message", "sent/2"])[0]).unwrap(),
        std::fs::read(&sent).unwrap()
    );
    let case = support::parties::case_of("US-DO-0011", "undelivered");
    assert_eq!(export(&parties.us, &["--case", case.trim_start_matches("cases/")]).len(), 1);

    nothing_can_be_changed(&sent, &all, parties.dir.path());
    nothing_can_be_exchanged(&sent, &received, &open, &all, parties.dir.path());
}

/// A key is trusted as its Party's alone; where the reader did not say whose it is, the bundle is believed, with a warning.
fn whose_key_it_is_must_be_said(bundle: &Path, us_ledger: &str, kz_ledger: &str) {
    let plain = |trust: &str| {
        let output = article6(&["verify", bundle.to_str().unwrap(), "--trust", trust]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = plain(us_ledger);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(&format!("{us_ledger} is a key of US (WARNING: so the bundle says")), "{told}");
    let (code, told) = plain(&format!("US={us_ledger}"));
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("is a key of US (as you said)") && !told.contains("WARNING"), "{told}");
    let (code, told) = plain(&format!("KZ={us_ledger}"));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the bundle says it is US's and cannot be right"), "{told}");
    let (_, report) = verify(bundle, &[us_ledger, &format!("KZ={kz_ledger}")]);
    let because: Vec<_> = report["trustedKeys"].as_array().unwrap().iter().collect();
    assert_eq!(because.iter().map(|key| &key["party"]).collect::<Vec<_>>(), ["KZ", "US"], "{report}");
    assert_eq!(
        because.iter().map(|key| &key["because"]).collect::<Vec<_>>(),
        ["NAMED", "LISTED"],
        "{report}"
    );
    for wrong in ["us=", "USA=", "=", "US:"] {
        assert_eq!(plain(&format!("{wrong}{us_ledger}")).0, Some(2), "{wrong}");
    }
}

fn is_small_and_openssl_agrees(bundle: &Path, folder: &Path) {
    let bytes = std::fs::read(bundle).unwrap();
    let files = files(&bytes);
    let beyond = bytes.len() - files["body.bin"].len() - files["envelope.bin"].len();
    assert!(beyond < 8192, "{beyond} bytes beyond the message");
    let folder = folder.join("unpacked");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in &files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let words = "cms -verify -binary -cades -inform DER -in signature.p7s -content envelope.bin -certfile signer.pem \
                 -CAfile signer.pem -partial_chain -purpose any -out out";
    assert!(String::from_utf8_lossy(&files["SUMMARY"]).contains("openssl cms -verify"));
    let verdict = || Command::new("openssl").args(words.split(' ')).current_dir(&folder).output().unwrap();
    let agreed = verdict();
    assert!(agreed.status.success(), "{}", String::from_utf8_lossy(&agreed.stderr));
    let mut other = files["envelope.bin"].clone();
    other[9] ^= 1;
    std::fs::write(folder.join("envelope.bin"), other).unwrap();
    assert!(!verdict().status.success(), "a control: other bytes");
}

/// Each byte of the archive, flipped; and each file of it, changed and packed again as it should be.
fn nothing_can_be_changed(bundle: &Path, trust: &[&str], folder: &Path) {
    let bytes = std::fs::read(bundle).unwrap();
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1 << (at % 8);
        assert!(article6::evidence::bundle::check(&wrong).is_err(), "byte {at}");
    }
    for cut in [0, 1, 71, 93, bytes.len() / 2] {
        assert!(article6::evidence::bundle::check(&bytes[..bytes.len() - 1 - cut]).is_err());
    }
    let sound = files(&bytes);
    let repacked = folder.join("repacked.zip");
    std::fs::write(&repacked, packed(sound.clone())).unwrap();
    assert_eq!(verify(&repacked, trust).0, Some(0), "a control: packed again unchanged");
    for name in sound.keys().filter(|name| *name != "MANIFEST") {
        for at in (0..sound[name].len()).step_by(sound[name].len().div_ceil(12)) {
            let mut wrong = sound.clone();
            wrong.get_mut(name).unwrap()[at] ^= 1;
            assert!(article6::evidence::bundle::check(&packed(wrong)).is_err(), "byte {at} of {name}");
        }
        let mut wrong = sound.clone();
        wrong.remove(name);
        assert!(article6::evidence::bundle::check(&packed(wrong)).is_err(), "without {name}");
    }
}

/// A file of another sound bundle in the place of this one's.
fn nothing_can_be_exchanged(sent: &Path, received: &Path, open: &Path, trust: &[&str], folder: &Path) {
    let read = |path: &Path| files(&std::fs::read(path).unwrap());
    let (sound, mixed) = (read(sent), folder.join("mixed.zip"));
    for other in [received, open] {
        for (name, bytes) in read(other) {
            if name == "MANIFEST" || sound.get(&name) == Some(&bytes) {
                continue;
            }
            let mut wrong = sound.clone();
            wrong.insert(name.clone(), bytes);
            std::fs::write(&mixed, packed(wrong)).unwrap();
            assert_eq!(verify(&mixed, trust).0, Some(1), "{name} of {}", other.display());
        }
    }
}
