//! Published notes, a second implementation, and texts that are almost notes.

use super::*;
use crate::crypto::{LedgerKey, keyfile};
use proptest::prelude::*;
use signed_note::Verifier as _;
use std::sync::LazyLock;

const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNATURE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH: &str = "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

static KEY: LazyLock<LedgerKey> =
    LazyLock::new(|| LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap());

#[test]
fn the_published_note_verifies() {
    let vkey = Vkey::parse(NEUMANN).unwrap();
    assert_eq!((vkey.name(), vkey.key_id()), ("PeterNeumann", 0xc74f_20a3));
    assert_eq!(vkey.to_string(), NEUMANN);
    for lines in [SIGNATURE.to_owned(), format!("{SIGNATURE}{ENOCH}"), format!("{ENOCH}{SIGNATURE}")] {
        let whole = format!("{TEXT}\n{lines}");
        let note = Note::parse(&whole).unwrap();
        assert_eq!(note.text(), TEXT);
        assert_eq!(note.verify(&vkey), Ok(()));
        assert_eq!(note.encode(), whole);
        assert_eq!(Note::new(note.text().to_owned(), note.signatures().to_vec()), Ok(note));
    }
}

#[test]
fn a_note_without_a_sound_signature_of_the_key_is_refused() {
    let vkey = Vkey::parse(NEUMANN).unwrap();
    let verify = |note: &str| Note::parse(note).unwrap().verify(&vkey);
    assert_eq!(verify(&format!("{TEXT}\n{ENOCH}")), Err(NoteError::Unsigned));
    assert_eq!(verify(&format!("{TEXT}\n{SIGNATURE}{SIGNATURE}")), Err(NoteError::Repeated));
    assert_eq!(verify(&format!("{TEXT}more\n\n{SIGNATURE}")), Err(NoteError::Signature));
    let renamed = SIGNATURE.replace("PeterNeumann", "PeterNewman");
    assert_eq!(verify(&format!("{TEXT}\n{renamed}")), Err(NoteError::Unsigned));
    let short = NoteSignature { name: vkey.name().to_owned(), key_id: vkey.key_id(), signature: vec![1] };
    assert_eq!(verify(&format!("{TEXT}\n{}", short.line())), Err(NoteError::Signature));
}

#[test]
fn what_is_not_a_note_is_refused_for_its_reason() {
    let cases = [
        (String::new(), NoteError::Format),
        (TEXT.to_owned(), NoteError::Format),
        (format!("{TEXT}{SIGNATURE}"), NoteError::Format),
        (format!("\n{SIGNATURE}"), NoteError::Format),
        (format!("{TEXT}\n{}", SIGNATURE.trim_end()), NoteError::Format),
        (format!("{TEXT}\n"), NoteError::Format),
        (format!("{TEXT}\n\n"), NoteError::Format),
        (format!("{TEXT}\n{SIGNATURE}\n"), NoteError::Format),
        (format!("{TEXT}\r\n\n{SIGNATURE}"), NoteError::Control),
        (format!("{TEXT}\n{SIGNATURE}garbage\n"), NoteError::SignatureLine),
        (format!("{TEXT}\n{}", SIGNATURE.replace('\u{2014}', "-")), NoteError::SignatureLine),
        (format!("{TEXT}\n{}", SIGNATURE.replace("AM=", "AN=")), NoteError::SignatureLine),
        (format!("{TEXT}\n{}", SIGNATURE.replace("AM=", "AM")), NoteError::SignatureLine),
        (format!("{TEXT}\n\u{2014} name AAAAAA==\n"), NoteError::SignatureLine),
        (format!("{TEXT}\n\u{2014} na+me AAAAAAA=\n"), NoteError::SignatureLine),
        (format!("{TEXT}\n\u{2014} na\u{2003}me AAAAAAA=\n"), NoteError::SignatureLine),
        (format!("{TEXT}\n{}", SIGNATURE.repeat(SIGNATURES_MAX + 1)), NoteError::TooLarge),
        (format!("{}\n\n{SIGNATURE}", "x".repeat(NOTE_BYTES_MAX)), NoteError::TooLarge),
    ];
    for (index, (text, error)) in cases.iter().enumerate() {
        assert_eq!(Note::parse(text), Err(*error), "case {index}");
    }
    assert!(Note::parse(&format!("{TEXT}\n{}", SIGNATURE.repeat(SIGNATURES_MAX))).is_ok());
    let signature = Note::parse(&format!("{TEXT}\n{SIGNATURE}")).unwrap().signatures().to_vec();
    assert_eq!(Note::new("no newline".to_owned(), signature), Err(NoteError::Format));
    assert_eq!(Note::new(TEXT.to_owned(), vec![]), Err(NoteError::Format));
}

#[test]
fn what_is_not_a_verifier_key_is_refused_for_its_reason() {
    let cases = [
        ("", NoteError::Vkey),
        ("PeterNeumann", NoteError::Vkey),
        ("PeterNeumann+c74f20a3", NoteError::Vkey),
        ("PeterNeumann+c74f20a3+", NoteError::Vkey),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteError::Vkey),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteError::Vkey),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=", NoteError::Vkey),
        ("PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteError::Algorithm),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteError::KeyName),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteError::KeyName),
    ];
    for (text, error) in cases {
        assert_eq!(Vkey::parse(text), Err(error), "{text}");
    }
    assert_eq!(Vkey::new("a\nb", [0; 32]), Err(NoteError::KeyName));
    assert_eq!(Vkey::new(&"n".repeat(KEY_NAME_BYTES_MAX + 1), [0; 32]), Err(NoteError::KeyName));
}

proptest! {
    #[test]
    fn another_implementation_accepts_our_notes(text in "[a-zäß€ \n]{0,80}\n", name in "[a-z0-9./-]{1,30}") {
        let vkey = Vkey::new(&name, KEY.public()).unwrap();
        let signature = vkey.signature(&KEY.sign(text.as_bytes()));
        let ours = Note::new(text.clone(), vec![signature]).unwrap();
        prop_assert_eq!(ours.verify(&vkey), Ok(()));

        let verifier = signed_note::StandardVerifier::new(&vkey.to_string()).unwrap();
        prop_assert_eq!(verifier.key_id(), vkey.key_id());
        let theirs = signed_note::Note::from_bytes(ours.encode().as_bytes()).unwrap();
        prop_assert_eq!(theirs.text(), text.as_bytes());
        let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
        prop_assert!(theirs.verify(&known).is_ok());
    }

    #[test]
    fn what_parses_is_written_again(text: String) {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.encode(), text.as_str());
        }
        if let Ok(vkey) = Vkey::parse(&text) {
            prop_assert_eq!(vkey.to_string(), text);
        }
    }

    /// Almost notes: the published one with a few characters replaced.
    #[test]
    fn a_changed_note_is_written_again_or_refused_and_never_verifies_another_text(
        at: prop::sample::Index, with in "[ \n+=A-Ca-c\u{2014}\u{0}]{0,3}", cut in 0..3usize,
    ) {
        let whole: Vec<char> = format!("{TEXT}\n{SIGNATURE}{ENOCH}").chars().collect();
        let at = at.index(whole.len() - cut);
        let mut changed = whole;
        changed.splice(at..at + cut, with.chars());
        let changed: String = changed.into_iter().collect();
        if let Ok(note) = Note::parse(&changed) {
            prop_assert_eq!(note.encode(), changed);
            let verified = note.verify(&Vkey::parse(NEUMANN).unwrap()).is_ok();
            prop_assert!(!verified || note.text() == TEXT);
        }
    }
}
