//! Checkpoints (C2SP tlog-checkpoint v1.0.0): what a Party signs about its whole ledger after every commit.

use super::note::{Note, NoteError, NoteSignature, Vkey, is_key_name};
use super::{LEAVES_MAX, from_base64, from_decimal, to_base64};
use crate::crypto::Digest;
use std::fmt::Write as _;

/// Origin, number of leaves and root of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger this is: also the name of the key that signs it. See [`origin`].
    pub origin: String,
    /// Number of leaves, at most [`LEAVES_MAX`].
    pub size: u64,
    /// The Merkle tree hash of these leaves.
    pub root: Digest,
}

/// Why a text is not a checkpoint of the expected ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note, or not signed by the expected key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not exactly the three lines origin, size, root. Extension lines, which this ledger never writes, are refused:
    /// nobody audits them.
    #[error("not the three lines of a checkpoint")]
    Lines,
    /// The origin is not a key name.
    #[error("malformed origin")]
    Origin,
    /// The size is not a canonical decimal number up to [`LEAVES_MAX`].
    #[error("malformed tree size")]
    Size,
    /// The root is not the base64 of 32 bytes.
    #[error("malformed root hash")]
    Root,
    /// A sound checkpoint of another ledger.
    #[error("checkpoint of another ledger")]
    OtherLedger,
}

/// The origin of a Party's ledger, `article6/ENVIRONMENT/AGREEMENT/PARTY/EPOCH`. `None` if a part is empty or has
/// anything but ASCII letters, digits, `.`, `_` and `-`: two ledgers must never share an origin.
pub fn origin(environment: &str, agreement: &str, party: &str, epoch: u64) -> Option<String> {
    let sound = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !part.is_empty() && part.bytes().all(allowed)
    };
    let origin = format!("article6/{environment}/{agreement}/{party}/{epoch}");
    ([environment, agreement, party].into_iter().all(sound) && is_key_name(&origin)).then_some(origin)
}

impl Checkpoint {
    /// The text to sign, final newline included.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, to_base64(self.root.as_bytes()))
    }

    /// Reads exactly what [`Self::body`] writes. Nothing is verified.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = body.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n').collect();
        let &[origin, size, root] = lines.as_slice() else { return Err(CheckpointError::Lines) };
        if !is_key_name(origin) {
            return Err(CheckpointError::Origin);
        }
        let size = from_decimal(size).filter(|size| *size <= LEAVES_MAX).ok_or(CheckpointError::Size)?;
        let root = from_base64(root).ok_or(CheckpointError::Root)?;
        let root = Digest::from_slice(&root).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The signed checkpoint, given the Ed25519 signature of `vkey` over [`Self::body`].
    pub fn to_note(&self, vkey: &Vkey, signature: &[u8; 64]) -> String {
        let mut note = self.body();
        // Writing to a `String` cannot fail.
        let _ = write!(note, "\n{}", vkey.signature(signature).line());
        note
    }

    /// Reads a signed checkpoint and checks that the ledger of `vkey` signed it. Signatures of other keys are passed
    /// over; [`Note::parse`] shows them.
    pub fn verify(note: &str, vkey: &Vkey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(vkey)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == vkey.name() { Ok(checkpoint) } else { Err(CheckpointError::OtherLedger) }
    }
}

/// A signed checkpoint with one more signature line, such as a witness's.
pub fn with_signature(note: &str, signature: NoteSignature) -> Result<String, NoteError> {
    let note = Note::parse(note)?;
    let mut signatures = note.signatures().to_vec();
    signatures.push(signature);
    Ok(Note::new(note.text().to_owned(), signatures)?.encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{LedgerKey, keyfile};
    use proptest::prelude::*;

    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    fn key() -> LedgerKey {
        LedgerKey::from_pkcs8(&keyfile::generate_ed25519().unwrap()).unwrap()
    }

    /// The example of the specification.
    #[test]
    fn the_published_body_is_read_and_written() {
        let body = format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n");
        let checkpoint = Checkpoint::parse(&body).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.body(), body);
        let theirs = tlog_tiles::Checkpoint::from_bytes(body.as_bytes()).unwrap();
        assert_eq!((theirs.size(), theirs.hash().0), (checkpoint.size, *checkpoint.root.as_bytes()));
    }

    #[test]
    fn other_spellings_are_refused_each_for_its_reason() {
        let cases = [
            (String::new(), CheckpointError::Lines),
            (format!("o\n1\n{ROOT}"), CheckpointError::Lines),
            ("o\n1\n".to_owned(), CheckpointError::Lines),
            (format!("o\n1\n{ROOT}\nextension\n"), CheckpointError::Lines),
            (format!("o\n1\n{ROOT}\n\n"), CheckpointError::Lines),
            (format!("\n1\n{ROOT}\n"), CheckpointError::Origin),
            (format!("o p\n1\n{ROOT}\n"), CheckpointError::Origin),
            (format!("o\n01\n{ROOT}\n"), CheckpointError::Size),
            (format!("o\n+1\n{ROOT}\n"), CheckpointError::Size),
            (format!("o\n\n{ROOT}\n"), CheckpointError::Size),
            (format!("o\n72057594037927937\n{ROOT}\n"), CheckpointError::Size),
            (format!("o\n18446744073709551616\n{ROOT}\n"), CheckpointError::Size),
            ("o\n1\nAAAA\n".to_owned(), CheckpointError::Root),
            (format!("o\n1\n{}\n", ROOT.replace("2I=", "2J=")), CheckpointError::Root),
            (format!("o\n1\n{ROOT}\r\n"), CheckpointError::Root),
        ];
        for (index, (body, error)) in cases.iter().enumerate() {
            assert_eq!(Checkpoint::parse(body), Err(*error), "case {index}");
        }
    }

    #[test]
    fn origins_are_unambiguous() {
        assert_eq!(origin("TEST", "ab-cd", "AB", 1).as_deref(), Some("article6/TEST/ab-cd/AB/1"));
        for part in ["", "a/b", "a b", "a+b", "ä", "a\n"] {
            assert_eq!(origin("TEST", part, "AB", 1), None);
        }
        assert_eq!(origin("TEST", &"a".repeat(600), "AB", 1), None);
    }

    #[test]
    fn a_signed_checkpoint_verifies_with_its_own_key_alone() {
        let (key, other) = (key(), key());
        let origin = origin("TEST", "agreement", "AB", 1).unwrap();
        let checkpoint = Checkpoint { origin: origin.clone(), size: 3, root: Digest::of(b"root") };
        let vkey = Vkey::new(&origin, key.public()).unwrap();
        let signature = key.sign(checkpoint.body().as_bytes());
        let note = checkpoint.to_note(&vkey, &signature);
        assert_eq!(Checkpoint::verify(&note, &vkey), Ok(checkpoint.clone()));

        let stranger = Vkey::new(&origin, other.public()).unwrap();
        assert_eq!(Checkpoint::verify(&note, &stranger), Err(NoteError::Unsigned.into()));
        let misnamed = Vkey::new("article6/TEST/agreement/CD/1", key.public()).unwrap();
        let of_other = checkpoint.to_note(&misnamed, &signature);
        assert_eq!(Checkpoint::verify(&of_other, &misnamed), Err(CheckpointError::OtherLedger));
        let moved = note.replace("\n3\n", "\n4\n");
        assert_eq!(Checkpoint::verify(&moved, &vkey), Err(NoteError::Signature.into()));

        let cosigned = with_signature(&note, stranger.signature(&[7; 64])).unwrap();
        assert_eq!(Checkpoint::verify(&cosigned, &vkey), Ok(checkpoint));
        assert!(cosigned.starts_with(&note));
        assert_eq!(Note::parse(&cosigned).unwrap().signatures().len(), 2);
    }

    proptest! {
        #[test]
        fn bodies_round_trip(origin in "[a-zA-Z0-9./_-]{1,60}", size in 0..=LEAVES_MAX, root: [u8; 32]) {
            let checkpoint = Checkpoint { origin, size, root: Digest::from(root) };
            prop_assert_eq!(Checkpoint::parse(&checkpoint.body()), Ok(checkpoint));
        }

        #[test]
        fn what_parses_is_written_again(text in "[a+ \n]{0,3}\n[0-9]{0,3}\n([A-Za-z0-9+/]{42}[A-Z]=)?\n?|\\PC*") {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                prop_assert_eq!(checkpoint.body(), text);
            }
        }
    }
}
