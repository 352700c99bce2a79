//! Cosignatures (C2SP tlog-cosignature, cosignature/v1): a Party says that it accepted a head of the other Party's
//! ledger, and when by its clock; and the rule for when it may.

use super::Checkpoint;
use super::note::{Note, NoteError, NoteSignature, is_key_name, key_id};
use super::proof::{ProofError, verify_consistency};
use super::to_base64;
use crate::crypto::{Digest, ed25519};
use std::fmt;

/// Signature type of a timestamped Ed25519 cosignature.
const COSIGNATURE_V1: u8 = 0x04;

/// Who cosigns: a name and an Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    name: String,
    key_id: u32,
    public: [u8; 32],
}

/// What becomes of a head that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The head accepted last: it may be cosigned again.
    Same,
    /// It extends the head accepted last: it may be cosigned once that is recorded.
    Extends,
    /// Smaller, or proven from another size than the one accepted last: nothing can be said. Heads cross on their way.
    Elsewhere,
    /// Of the same size under another root: two ledgers under one name.
    Forks,
    /// Greater, and the proof does not hold.
    Unproven(ProofError),
}

/// Judges a head whose signature is verified against the head accepted last; `from` is the size that the proof starts at.
/// The empty ledger is a prefix of every other.
pub fn judge(accepted: (u64, &Digest), shown: &Checkpoint, from: u64, proof: &[Digest]) -> Shown {
    let (size, root) = accepted;
    if shown.size == size && size > 0 {
        return if shown.root == *root { Shown::Same } else { Shown::Forks };
    }
    if shown.size < size || from != size {
        return Shown::Elsewhere;
    }
    let old = if size == 0 { super::tree::empty_root() } else { *root };
    match verify_consistency(size, &old, shown.size, &shown.root, proof) {
        Ok(()) => Shown::Extends,
        Err(error) => Shown::Unproven(error),
    }
}

/// The text that is signed: the time in seconds since 1970, then the checkpoint's body.
pub fn message(time: u64, body: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{body}")
}

impl Cosigner {
    /// The cosigner of this name, which the caller composed of checked parts.
    pub fn of(name: &str, public: [u8; 32]) -> Self {
        debug_assert!(is_key_name(name), "names of keys are made of checked parts");
        Self { name: name.to_owned(), key_id: key_id(name, COSIGNATURE_V1, &public), public }
    }

    /// The signature line, given the Ed25519 signature over [`message`].
    pub fn signature(&self, time: u64, signature: &[u8; 64]) -> NoteSignature {
        let bytes = [time.to_be_bytes().as_slice(), signature].concat();
        NoteSignature { name: self.name.clone(), key_id: self.key_id, signature: bytes }
    }

    /// Checks a signature line over a checkpoint's body; returns the time it states.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] for another key's line, [`NoteError::Signature`] for one that does not verify.
    pub fn verify(&self, line: &NoteSignature, body: &str) -> Result<u64, NoteError> {
        if line.key_id != self.key_id || line.name != self.name {
            return Err(NoteError::Unsigned);
        }
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or(NoteError::Signature)?;
        let time = u64::from_be_bytes(*time);
        if ed25519::verify(&self.public, message(time, body).as_bytes(), signature) {
            Ok(time)
        } else {
            Err(NoteError::Signature)
        }
    }

    /// The time at which this cosigner cosigned a note.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`NoteError::Unsigned`] when it did not.
    pub fn cosigned_at(&self, note: &Note) -> Result<u64, NoteError> {
        let own = note.signatures().iter().find(|line| line.key_id == self.key_id && line.name == self.name);
        self.verify(own.ok_or(NoteError::Unsigned)?, note.text())
    }
}

impl fmt::Display for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[COSIGNATURE_V1].as_slice(), &self.public].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.key_id, to_base64(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Memory as Tree;
    use super::super::{checkpoint, proof};
    use super::*;
    use crate::crypto::{LedgerKey, keyfile};
    use proptest::prelude::*;

    fn head(tree: &Tree, size: u64) -> Checkpoint {
        Checkpoint { origin: "article6/TEST/A/KZ/1".into(), size, root: tree.root() }
    }

    #[test]
    fn a_cosignature_states_a_time_over_one_checkpoint() {
        let key = LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap();
        let cosigner = Cosigner::of("article6/TEST/A/KZ/1", key.public());
        let body = head(&Tree::of_size(5), 5).body();
        let line = cosigner.signature(1_800_000_000, &key.sign(message(1_800_000_000, &body).as_bytes()));
        assert_eq!(cosigner.verify(&line, &body), Ok(1_800_000_000));
        assert_eq!(NoteSignature::read(&line.line()).unwrap(), line);
        let other = head(&Tree::of_size(6), 6).body();
        assert_eq!(cosigner.verify(&line, &other), Err(NoteError::Signature));
        for at in 0..line.signature.len() {
            let mut wrong = line.clone();
            wrong.signature[at] ^= 1;
            assert_eq!(cosigner.verify(&wrong, &body), Err(NoteError::Signature), "byte {at}");
        }
        let named = Cosigner::of("article6/TEST/A/US/1", key.public());
        assert_eq!(named.verify(&line, &body), Err(NoteError::Unsigned));
        let vkey = crate::ledger::Vkey::of("article6/TEST/A/KZ/1", key.public());
        assert_ne!(vkey.key_id(), cosigner.key_id, "a ledger's signature is no cosignature");
        let note = head(&Tree::of_size(5), 5).to_note(&vkey, &key.sign(body.as_bytes()));
        let note = checkpoint::with_signature(&note, line).unwrap();
        assert_eq!(cosigner.cosigned_at(&Note::parse(&note).unwrap()), Ok(1_800_000_000));
        assert!(Checkpoint::verify(&note, &vkey).is_ok());
    }

    proptest! {
        #[test]
        fn only_what_extends_the_accepted_head_is_accepted(old in 0u64..70, new in 0u64..70, flip in any::<prop::sample::Index>()) {
            let (before, after) = (Tree::of_size(old), Tree::of_size(new));
            let accepted = (old, &before.root());
            let shown = head(&after, new);
            let hashes = if new > old { proof::consistency(&after, old, new).unwrap() } else { Vec::new() };
            let expected = match new.cmp(&old) {
                std::cmp::Ordering::Equal if new > 0 => Shown::Same,
                std::cmp::Ordering::Less => Shown::Elsewhere,
                _ => Shown::Extends,
            };
            prop_assert_eq!(judge(accepted, &shown, old, &hashes), expected);
            let mut forked = shown.clone();
            forked.root = Digest::of(b"another ledger");
            let judged = judge(accepted, &forked, old, &hashes);
            match new.cmp(&old) {
                std::cmp::Ordering::Equal if new > 0 => prop_assert_eq!(judged, Shown::Forks),
                std::cmp::Ordering::Greater if old > 0 => prop_assert!(matches!(judged, Shown::Unproven(_))),
                _ => {}
            }
            if new > old {
                prop_assert_eq!(judge(accepted, &shown, old + 1, &hashes), Shown::Elsewhere);
                if !hashes.is_empty() {
                    let mut wrong = hashes.clone();
                    let at = flip.index(wrong.len());
                    wrong[at] = Digest::of(wrong[at].as_bytes());
                    prop_assert!(matches!(judge(accepted, &shown, old, &wrong), Shown::Unproven(_)));
                }
            }
        }
    }
}
