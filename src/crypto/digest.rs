//! SHA-256 digests as a type, and the commitment built on them.

use ring::digest::{Context, SHA256, digest};
use std::fmt;

/// A SHA-256 digest (FIPS 180-4): 32 bytes, written as lower-case hexadecimal.
///
/// Digests are public values in every place they are compared, so ordinary equality is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; Self::LENGTH]);

/// SHA-256(salt ‖ content): discloses nothing about `content` while the 32-byte salt is unknown, and binds to
/// it once the salt is shown. The salt has a fixed length, so salt and content cannot be shifted.
pub fn commitment(salt: &[u8; 32], content: &[u8]) -> Digest {
    Digest::of_parts(&[salt, content])
}

impl Digest {
    /// Length in bytes.
    pub const LENGTH: usize = 32;
    /// All bytes zero: stands for "nothing before this" where a format says so; never a real digest.
    pub const ZERO: Self = Self([0; Self::LENGTH]);

    /// The digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        Self::from_ring(&digest(&SHA256, content))
    }

    /// The digest of the concatenation of `parts`. Parts are not delimited: callers fix their lengths.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        Self::from_ring(&context.finish())
    }

    /// A digest from exactly 32 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A digest from exactly 64 lower-case hexadecimal digits: one text per digest.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::LENGTH];
        if text.len() != 2 * Self::LENGTH {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *byte = (nibble(high)? << 4) | nibble(low)?;
        }
        Some(Self(bytes))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The 32 bytes as a protobuf field wants them.
    pub fn to_bytes(&self) -> bytes::Bytes {
        bytes::Bytes::copy_from_slice(&self.0)
    }

    fn from_ring(digest: &ring::digest::Digest) -> Self {
        let mut bytes = [0; Self::LENGTH];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers_of_fips_180_4() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(format!("{:?}", Digest::of_parts(&[b"a", b"", b"bc"])), abc);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
    }

    #[test]
    fn a_commitment_is_the_digest_of_salt_then_content() {
        let mut joined = vec![7; 32];
        joined.extend_from_slice(b"content");
        assert_eq!(commitment(&[7; 32], b"content"), Digest::of(&joined));
        assert_ne!(commitment(&[8; 32], b"content"), Digest::of(&joined));
    }

    #[test]
    fn other_lengths_and_spellings_are_refused() {
        assert_eq!(Digest::from_slice(&[0; 31]), None);
        assert_eq!(Digest::from_slice(&[0; 33]), None);
        let hex = Digest::of(b"abc").to_string();
        assert_eq!(Digest::from_hex(&hex.to_uppercase()), None);
        assert_eq!(Digest::from_hex(&hex[1..]), None);
        assert_eq!(Digest::from_hex(&format!("{}é", &hex[2..])), None);
    }

    proptest! {
        #[test]
        fn hex_and_bytes_round_trip(bytes: [u8; 32]) {
            let digest = Digest::from(bytes);
            prop_assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
            prop_assert_eq!(Digest::from_slice(&digest.to_bytes()), Some(digest));
            prop_assert_eq!(digest.as_bytes(), &bytes);
        }
    }
}
