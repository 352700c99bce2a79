//! Signed notes (C2SP signed-note v1.0.0): a text, a blank line, signature lines; and the keys that verify them.

use super::{from_base64, to_base64};
use crate::crypto::{Digest, ed25519};
use std::fmt::{self, Write as _};

/// Greatest accepted size of a note, in bytes: room for all signatures even if they are post-quantum ones.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// Most signature lines accepted; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 32;
/// Greatest accepted length of a key name, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 512;

/// Signature type of Ed25519 over the note text.
const ED25519: u8 = 0x01;
/// How every signature line begins.
const DASH: &str = "\u{2014} ";

/// Why a text is no note, a key no key, or a signature none of that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`] or more than [`SIGNATURES_MAX`] signatures.
    #[error("note too large")]
    TooLarge,
    /// A control character other than newline.
    #[error("control character in note")]
    Control,
    /// No text ending in newline, blank line and at least one signature line.
    #[error("not a signed note")]
    Format,
    /// A line after the last blank line is no signature line.
    #[error("malformed signature line")]
    SignatureLine,
    /// Not NAME+KEYID+BASE64, or the key id is not the one that name and key give.
    #[error("malformed verifier key")]
    Vkey,
    /// A sound verifier key for an algorithm other than Ed25519.
    #[error("verifier key for another algorithm than Ed25519")]
    Algorithm,
    /// A name that is empty, too long, or has spaces, plus signs or control characters.
    #[error("not a key name")]
    KeyName,
    /// The key did not sign this note.
    #[error("not signed by the expected key")]
    Unsigned,
    /// The key signed more than once: one of the signatures is idle, and which is undefined.
    #[error("signed more than once by the expected key")]
    Repeated,
    /// A signature line of the key does not verify.
    #[error("signature of the note does not verify")]
    Signature,
}

/// A note that parses; nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line. Those of unknown keys and algorithms are kept: cosignatures of witnesses are such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key: a hint, not a proof.
    pub key_id: u32,
    /// The signature's bytes, in the form of its algorithm.
    pub signature: Vec<u8>,
}

/// A verifier key of a note: a name and an Ed25519 public key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Vkey {
    name: String,
    key_id: u32,
    public: [u8; 32],
}

impl Note {
    /// Joins a text and its signatures, if they make a note that parses.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        let note = Self { text, signatures };
        if Self::parse(&note.encode())? == note { Ok(note) } else { Err(NoteError::Format) }
    }

    /// Splits a note at its last blank line. Whatever is accepted is written again, byte for byte, by
    /// [`Self::encode`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge);
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Control);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Format)?;
        let (text, lines) = note.split_at_checked(blank + 1).ok_or(NoteError::Format)?;
        let lines =
            lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Format)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::TooLarge);
            }
            signatures.push(NoteSignature::parse(line).ok_or(NoteError::SignatureLine)?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The note as text.
    pub fn encode(&self) -> String {
        let lines = self.signatures.iter().map(NoteSignature::line);
        lines.fold(format!("{}\n", self.text), |note, line| note + &line)
    }

    /// What is signed, final newline included. Not to be used before [`Self::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in order, verified or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Checks that `vkey` signed the text, once. Lines of other keys are passed over, as the specification demands.
    pub fn verify(&self, vkey: &Vkey) -> Result<(), NoteError> {
        let mut own = self
            .signatures
            .iter()
            .filter(|signature| signature.key_id == vkey.key_id && signature.name == vkey.name);
        let signature = own.next().ok_or(NoteError::Unsigned)?;
        if own.next().is_some() {
            return Err(NoteError::Repeated);
        }
        if ed25519::verify(&vkey.public, self.text.as_bytes(), &signature.signature) {
            Ok(())
        } else {
            Err(NoteError::Signature)
        }
    }
}

impl NoteSignature {
    /// The line with its newline: dash, space, name, space, base64(key id ‖ signature).
    pub fn line(&self) -> String {
        let bytes = [self.key_id.to_be_bytes().as_slice(), &self.signature].concat();
        format!("{DASH}{} {}\n", self.name, to_base64(&bytes))
    }

    /// Reads exactly what [`Self::line`] writes.
    pub fn read(line: &str) -> Option<Self> {
        Self::parse(line.strip_suffix('\n')?)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = from_base64(base64)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        if !is_key_name(name) || signature.is_empty() {
            return None;
        }
        let key_id = u32::from_be_bytes(*key_id);
        Some(Self { name: name.to_owned(), key_id, signature: signature.to_vec() })
    }
}

impl Vkey {
    /// The verifier key of this name and public key.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::KeyName);
        }
        Ok(Self { name: name.to_owned(), key_id: key_id(name, ED25519, &public), public })
    }

    /// The verifier key under a name the caller composed of checked parts.
    pub fn of(name: &str, public: [u8; 32]) -> Self {
        debug_assert!(is_key_name(name), "names of keys are made of checked parts");
        Self { name: name.to_owned(), key_id: key_id(name, ED25519, &public), public }
    }

    /// Reads NAME+KEYID+BASE64(0x01 ‖ public key), the key id in eight lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, rest) = text.split_once('+').ok_or(NoteError::Vkey)?;
        let (_, base64) = rest.split_once('+').ok_or(NoteError::Vkey)?;
        let key = from_base64(base64).ok_or(NoteError::Vkey)?;
        let (algorithm, public) = key.split_first().ok_or(NoteError::Vkey)?;
        if *algorithm != ED25519 {
            return Err(NoteError::Algorithm);
        }
        let vkey = Self::new(name, public.try_into().map_err(|_| NoteError::Vkey)?)?;
        if vkey.to_string() == text { Ok(vkey) } else { Err(NoteError::Vkey) }
    }

    /// The name: for a ledger its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key), big-endian.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The Ed25519 public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The signature line for a signature by this key.
    pub fn signature(&self, signature: &[u8; 64]) -> NoteSignature {
        NoteSignature { name: self.name.clone(), key_id: self.key_id, signature: signature.to_vec() }
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[ED25519].as_slice(), &self.public].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.key_id, to_base64(&key))
    }
}

impl fmt::Debug for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vkey(")?;
        fmt::Display::fmt(self, f)?;
        f.write_char(')')
    }
}

/// Whether `name` may name a key: not empty, no Unicode spaces, no plus, no control characters.
pub fn is_key_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_ascii_control() || c == '+';
    !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX && !name.contains(forbidden)
}

pub(super) fn key_id(name: &str, algorithm: u8, public: &[u8]) -> u32 {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[algorithm], public]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests;
