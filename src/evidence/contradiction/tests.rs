//! What proves a contradiction, and what is none.

use super::*;
use crate::crypto::{LedgerKey, keyfile};
use crate::ledger::{Cosigner, checkpoint, cosignature};

fn note(key: &LedgerKey, origin: &str, size: u64, root: &[u8]) -> String {
    let checkpoint = Checkpoint { origin: origin.into(), size, root: Digest::of(root) };
    let signature = key.sign(checkpoint.body().as_bytes());
    checkpoint.to_note(&Vkey::new(origin, key.public()).unwrap(), &signature)
}

#[test]
fn two_roots_of_one_size_prove_a_fork_and_nothing_less_does() {
    let key = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
    let other = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
    let origin = "article6/TEST/US-KZ-1997/KZ/1";
    let one = note(&key, origin, 7, b"one");
    let fork = Proof::fork(&key.public(), [one.clone(), note(&key, origin, 7, b"other")]);
    let file = fork.write();
    assert!(file.len() <= 4096, "{} bytes", file.len());
    let proven = Proof::read(&file).unwrap().verify().unwrap();
    assert_eq!(proven.fingerprint, Digest::of(&key.public()));
    assert!(proven.sentence.contains("7 events"));
    for harmless in [
        one.clone(),
        note(&key, origin, 8, b"other"),
        note(&key, "article6/TEST/US-KZ-1997/KZ/2", 7, b"other"),
        note(&other, origin, 7, b"other"),
    ] {
        assert!(Proof::fork(&key.public(), [one.clone(), harmless]).verify().is_err());
    }
    for at in 0..file.len() {
        let mut wrong = file.clone();
        wrong[at] ^= 0x04;
        let same = Proof::read(&wrong).and_then(|proof| proof.verify());
        assert!(same.is_err() || same == Ok(proven.clone()), "byte {at}");
    }
    assert!(Proof::read(&vec![b' '; PROOF_BYTES_MAX + 1]).is_err() && Proof::read(b"{}").is_err());
}

fn cosigned(key: &LedgerKey, name: &str, (origin, size): (&str, u64), time: u64) -> String {
    let ledger = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
    let note = note(&ledger, origin, size, &size.to_be_bytes());
    let text = Note::parse(&note).unwrap().text().to_owned();
    let signature = key.sign(cosignature::message(time, &text).as_bytes());
    let line = Cosigner::of(name, key.public()).signature(time, &signature);
    checkpoint::with_signature(&note, line).unwrap()
}

#[test]
fn a_smaller_checkpoint_of_later_proves_a_retraction_and_nothing_less_does() {
    let key = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
    let other = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
    let (us, kz) = ("article6/TEST/US-KZ-1997/US/1", "article6/TEST/US-KZ-1997/KZ/1");
    let larger = cosigned(&key, kz, (us, 9), 100);
    let proof = |smaller: &str| Proof::retraction(&key.public(), [larger.clone(), smaller.to_owned()]);
    let file = proof(&cosigned(&key, kz, (us, 5), 101)).write();
    assert!(file.len() <= 4096, "{} bytes", file.len());
    let proven = Proof::read(&file).unwrap().verify().unwrap();
    assert_eq!(proven.fingerprint, Digest::of(&key.public()));
    assert!(proven.sentence.contains("9 events") && proven.sentence.contains("5 events"));
    // Of its own ledger as well.
    let own = [cosigned(&key, kz, (kz, 9), 100), cosigned(&key, kz, (kz, 5), 101)];
    assert!(Proof::retraction(&key.public(), own).verify().is_ok());

    let harmless = [
        ("the heartbeat", cosigned(&key, kz, (us, 9), 200), ProofFault::NoContradiction),
        ("a larger one", cosigned(&key, kz, (us, 10), 200), ProofFault::NoContradiction),
        ("a smaller one of the same time", cosigned(&key, kz, (us, 5), 100), ProofFault::NoContradiction),
        ("a smaller one of before", cosigned(&key, kz, (us, 5), 99), ProofFault::NoContradiction),
        (
            "another epoch of the ledger",
            cosigned(&key, kz, ("article6/TEST/US-KZ-1997/US/2", 5), 200),
            ProofFault::NoContradiction,
        ),
        ("another ledger", cosigned(&key, kz, (kz, 5), 200), ProofFault::NoContradiction),
        (
            "another epoch of the cosigner",
            cosigned(&key, "article6/TEST/US-KZ-1997/KZ/2", (us, 5), 200),
            ProofFault::Uncosigned,
        ),
        ("another cosigner", cosigned(&other, kz, (us, 5), 200), ProofFault::Uncosigned),
        ("no cosignature", note(&key, us, 5, b"root"), ProofFault::Uncosigned),
    ];
    for (what, smaller, fault) in harmless {
        assert_eq!(proof(&smaller).verify(), Err(fault), "{what}");
    }
    for at in 0..file.len() {
        let mut wrong = file.clone();
        wrong[at] ^= 0x04;
        let same = Proof::read(&wrong).and_then(|proof| proof.verify());
        assert!(same.is_err() || same == Ok(proven.clone()), "byte {at}");
    }
}
