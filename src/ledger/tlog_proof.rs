//! Proofs for offline use (C2SP tlog-proof): index, inclusion proof and signed checkpoint in one text. A receipt is
//! such a text beside the event and its salt.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::{NOTE_BYTES_MAX, Note, Vkey};
use super::proof::{PROOF_HASHES_MAX, ProofError, verify_inclusion};
use super::{LEAVES_MAX, from_base64, from_decimal, to_base64};
use crate::crypto::Digest;

/// Greatest accepted amount of extra data, in bytes before base64.
pub const EXTRA_BYTES_MAX: usize = 64 * 1024;
/// Greatest accepted size of the text, in bytes.
pub const TLOG_PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Base64 of a hash.
const HASH_CHARS: usize = 44;

/// A proof as its text tells it; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque and authenticated by nothing; empty stands for none.
    pub extra: Vec<u8>,
    /// Position of the leaf, from zero.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Digest>,
    /// The signed checkpoint, verbatim, with all its signature lines.
    pub checkpoint: String,
}

/// Why a text proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Longer than [`TLOG_PROOF_BYTES_MAX`] or [`EXTRA_BYTES_MAX`].
    #[error("proof text too large")]
    TooLarge,
    /// The first line is not that of version 1.
    #[error("not a tlog-proof of version 1")]
    Header,
    /// The extra data is empty or not base64.
    #[error("malformed extra line")]
    Extra,
    /// No index line, or not a canonical decimal number below [`LEAVES_MAX`].
    #[error("malformed index line")]
    Index,
    /// A line is not the base64 of 32 bytes, or there are more than [`PROOF_HASHES_MAX`].
    #[error("malformed inclusion proof line")]
    Hash,
    /// The checkpoint is missing, malformed, or not of the expected ledger.
    #[error("checkpoint: {0}")]
    Checkpoint(CheckpointError),
    /// The inclusion proof does not hold.
    #[error("inclusion: {0}")]
    Inclusion(#[from] ProofError),
}

impl TlogProof {
    /// The proof as text.
    pub fn encode(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if !self.extra.is_empty() {
            text += &format!("extra {}\n", to_base64(&self.extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.hashes {
            text += &to_base64(hash.as_bytes());
            text.push('\n');
        }
        text.push('\n');
        text + &self.checkpoint
    }

    /// Reads exactly what [`Self::encode`] writes. The checkpoint is checked to be a signed note of a checkpoint; its
    /// signature is not.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > TLOG_PROOF_BYTES_MAX {
            return Err(TlogProofError::TooLarge);
        }
        let (header, rest) = text.split_once('\n').ok_or(TlogProofError::Header)?;
        if header != HEADER {
            return Err(TlogProofError::Header);
        }
        let (extra, rest) = extra_line(rest)?;
        let (index, mut rest) = rest
            .strip_prefix("index ")
            .and_then(|rest| rest.split_once('\n'))
            .ok_or(TlogProofError::Index)?;
        let index = from_decimal(index).filter(|index| *index < LEAVES_MAX).ok_or(TlogProofError::Index)?;
        let mut hashes = Vec::new();
        let checkpoint = loop {
            let (line, after) = rest.split_once('\n').ok_or(TlogProofError::Hash)?;
            if line.is_empty() {
                break after;
            }
            if hashes.len() == PROOF_HASHES_MAX {
                return Err(TlogProofError::Hash);
            }
            hashes.push(hash_line(line).ok_or(TlogProofError::Hash)?);
            rest = after;
        };
        let note = Note::parse(checkpoint).map_err(|error| TlogProofError::Checkpoint(error.into()))?;
        Checkpoint::parse(note.text()).map_err(TlogProofError::Checkpoint)?;
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that the ledger of `vkey` had `leaf_hash` at this index when it signed this checkpoint, which is
    /// returned.
    pub fn verify(&self, leaf_hash: &Digest, vkey: &Vkey) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, vkey).map_err(TlogProofError::Checkpoint)?;
        verify_inclusion(leaf_hash, self.index, checkpoint.size, &self.hashes, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

/// The extra data, if the next line gives any, and the rest after it.
fn extra_line(rest: &str) -> Result<(Vec<u8>, &str), TlogProofError> {
    let Some(line) = rest.strip_prefix("extra ") else { return Ok((Vec::new(), rest)) };
    let (base64, rest) = line.split_once('\n').ok_or(TlogProofError::Extra)?;
    match from_base64(base64) {
        Some(extra) if extra.len() > EXTRA_BYTES_MAX => Err(TlogProofError::TooLarge),
        Some(extra) if !extra.is_empty() => Ok((extra, rest)),
        _ => Err(TlogProofError::Extra),
    }
}

fn hash_line(line: &str) -> Option<Digest> {
    if line.len() != HASH_CHARS {
        return None;
    }
    Digest::from_slice(&from_base64(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{LedgerKey, keyfile};
    use crate::ledger::note::NoteError;
    use crate::ledger::proof::inclusion;
    use crate::ledger::testing::{Memory, leaf};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const ORIGIN: &str = "article6/TEST/agreement/AB/1";
    static KEY: LazyLock<LedgerKey> =
        LazyLock::new(|| LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap());

    fn vkey() -> Vkey {
        Vkey::new(ORIGIN, KEY.public()).unwrap()
    }

    fn proof(index: u64, size: u64, extra: &[u8]) -> TlogProof {
        let memory = Memory::of_size(size);
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: memory.root() };
        let signature = KEY.sign(checkpoint.body().as_bytes());
        TlogProof {
            extra: extra.to_vec(),
            index,
            hashes: inclusion(&memory, index, size).unwrap(),
            checkpoint: checkpoint.to_note(&vkey(), &signature),
        }
    }

    #[test]
    fn the_text_has_the_published_shape() {
        let text = proof(2, 3, b"extra").encode();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines[..3], ["c2sp.org/tlog-proof@v1", "extra ZXh0cmE=", "index 2"]);
        assert_eq!((lines[3].len(), lines[4], lines[5], lines[6]), (HASH_CHARS, "", ORIGIN, "3"));
    }

    #[test]
    fn a_proof_is_bound_to_leaf_index_key_and_checkpoint() {
        let sound = proof(5, 11, b"");
        assert_eq!(sound.verify(&leaf(5), &vkey()).map(|checkpoint| checkpoint.size), Ok(11));
        assert_eq!(sound.verify(&leaf(6), &vkey()), Err(ProofError::Root.into()));
        let elsewhere = TlogProof { index: 11, ..sound.clone() };
        assert_eq!(elsewhere.verify(&leaf(5), &vkey()), Err(ProofError::Range.into()));
        let stranger = Vkey::new(ORIGIN, [1; 32]).unwrap();
        let unsigned = TlogProofError::Checkpoint(NoteError::Unsigned.into());
        assert_eq!(sound.verify(&leaf(5), &stranger), Err(unsigned));
        let later = TlogProof { checkpoint: proof(5, 12, b"").checkpoint, ..sound };
        assert_eq!(later.verify(&leaf(5), &vkey()), Err(ProofError::Root.into()));
    }

    #[test]
    fn other_spellings_are_refused_each_for_its_reason() {
        let text = proof(5, 11, b"extra").encode();
        let refused = |from: &str, to: &str| TlogProof::parse(&text.replacen(from, to, 1)).err();
        assert_eq!(refused("@v1", "@v2"), Some(TlogProofError::Header));
        assert_eq!(refused("@v1\n", "@v1\r\n"), Some(TlogProofError::Header));
        assert_eq!(refused("extra ZXh0cmE=", "extra "), Some(TlogProofError::Extra));
        assert_eq!(refused("extra ZXh0cmE=", "extra ZXh0cmF="), Some(TlogProofError::Extra));
        assert_eq!(refused("extra ZXh0cmE=", "more"), Some(TlogProofError::Index));
        assert_eq!(refused("index 5", "index 05"), Some(TlogProofError::Index));
        assert_eq!(refused("index 5", "index -5"), Some(TlogProofError::Index));
        assert_eq!(refused("index 5", "index 72057594037927936"), Some(TlogProofError::Index));
        assert_eq!(refused("index 5", "index 5\nAAAA"), Some(TlogProofError::Hash));
        assert_eq!(refused("\n\n", "\n"), Some(TlogProofError::Hash));
        let many = format!("index 5\n{}", "A".repeat(43) + "=\n").repeat(1);
        let many = many + &("A".repeat(43) + "=\n").repeat(PROOF_HASHES_MAX);
        assert_eq!(refused("index 5\n", &many), Some(TlogProofError::Hash));
        let no_note = TlogProofError::Checkpoint(NoteError::Format.into());
        assert_eq!(TlogProof::parse("c2sp.org/tlog-proof@v1\nindex 0\n\n"), Err(no_note));
        let extended = format!("{ORIGIN}\n12");
        assert_eq!(
            refused(&format!("{ORIGIN}\n11"), &format!("{extended}\n1")),
            Some(TlogProofError::Checkpoint(CheckpointError::Lines))
        );
        assert_eq!(TlogProof::parse(""), Err(TlogProofError::Header));
        let large = " ".repeat(TLOG_PROOF_BYTES_MAX + 1);
        assert_eq!(TlogProof::parse(&large), Err(TlogProofError::TooLarge));
        let extra = proof(0, 1, &vec![0; EXTRA_BYTES_MAX + 1]).encode();
        assert_eq!(TlogProof::parse(&extra), Err(TlogProofError::TooLarge));
    }

    proptest! {
        #[test]
        fn proofs_round_trip_and_verify(size in 1..200u64, at: prop::sample::Index, extra: Vec<u8>) {
            let index = u64::try_from(at.index(usize::try_from(size).unwrap())).unwrap();
            let proof = proof(index, size, &extra);
            let text = proof.encode();
            let read = TlogProof::parse(&text).unwrap();
            prop_assert_eq!(read.verify(&leaf(index), &vkey()).map(|checkpoint| checkpoint.size), Ok(size));
            prop_assert_eq!(read.encode(), text);
            prop_assert_eq!(read, proof);
        }

        #[test]
        fn a_changed_text_is_written_again_or_refused(
            at: prop::sample::Index, with in "[ \n+=A-C0-9\u{2014}]{0,3}", cut in 0..3usize,
        ) {
            let mut changed: Vec<char> = proof(5, 11, b"extra").encode().chars().collect();
            let at = at.index(changed.len() - cut);
            changed.splice(at..at + cut, with.chars());
            let changed: String = changed.into_iter().collect();
            if let Ok(proof) = TlogProof::parse(&changed) {
                prop_assert_eq!(proof.encode(), changed);
            }
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            prop_assert!(TlogProof::parse(&text).is_err());
        }
    }
}
