//! Sealing at rest: one AES-256-GCM key per sealed object, derived by HKDF from a longer-lived key and a seed.

use super::random::{self, RandomError};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that sealing adds: the GCM tag (NIST SP 800-38D, 128 bits).
pub const TAG_BYTES: usize = 16;

/// A 256-bit key-derivation key. Its bytes are overwritten with zeros when it is dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    /// The same key, ready to derive from: the two hashes that begin an HMAC are computed once.
    prk: Prk,
}

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AeadError {
    /// The ciphertext, its seed, label, additional data or key is not the one it was sealed with. Which one is
    /// deliberately not told, and cannot be known.
    #[error("sealed data does not open with this key")]
    Open,
    /// The plaintext is beyond what one GCM key may seal (64 GiB).
    #[error("too much data to seal at once")]
    TooLong,
}

impl Key {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random::fill(&mut *bytes)?;
        Ok(Self::ready(bytes))
    }

    /// A key from stored bytes. The caller overwrites its own copy.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::ready(Zeroizing::new(bytes))
    }

    fn ready(bytes: Zeroizing<[u8; 32]>) -> Self {
        let prk = Prk::new_less_safe(HKDF_SHA256, bytes.as_slice());
        Self { bytes, prk }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Seals `plaintext`; the result is ciphertext ‖ 16-byte tag, in the same buffer. With [`TAG_BYTES`] to spare it need
/// not grow.
///
/// `seed` must be 32 fresh random bytes for every call and is stored beside the result in clear. `label` separates
/// the uses of one key, `aad` binds the result to its place; both must be given again to open it.
pub fn seal(
    key: &Key,
    seed: &[u8; 32],
    label: &'static str,
    aad: &[u8],
    mut plaintext: Vec<u8>,
) -> Result<Vec<u8>, AeadError> {
    one_time_key(key, seed, label)
        .and_then(|key| key.seal_in_place_append_tag(only_nonce(), Aad::from(aad), &mut plaintext).ok())
        .ok_or(AeadError::TooLong)?;
    Ok(plaintext)
}

/// Seals a key under another, as [`seal`] does. No copy of it stays behind in memory.
pub fn wrap(
    key: &Key,
    seed: &[u8; 32],
    label: &'static str,
    aad: &[u8],
    wrapped: &Key,
) -> Result<Vec<u8>, AeadError> {
    let mut bytes = Vec::with_capacity(wrapped.bytes.len() + TAG_BYTES);
    bytes.extend_from_slice(wrapped.bytes.as_slice());
    seal(key, seed, label, aad, bytes)
}

/// Opens what [`seal`] made with the same key, seed, label and additional data. No byte of plaintext leaves before
/// the tag has been checked.
pub fn open(
    key: &Key,
    seed: &[u8; 32],
    label: &'static str,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, AeadError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = one_time_key(key, seed, label)
        .and_then(|key| {
            key.open_in_place(only_nonce(), Aad::from(aad), &mut buffer).ok().map(|plain| plain.len())
        })
        .ok_or(AeadError::Open)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// HKDF-Expand (RFC 5869 §2.3) with info = label ‖ seed. Extraction is skipped, as §3.3 allows: the key is uniformly
/// random already. The seed's fixed length keeps label and seed apart.
fn one_time_key(key: &Key, seed: &[u8; 32], label: &'static str) -> Option<LessSafeKey> {
    let key = key.prk.expand(&[label.as_bytes(), seed], &AES_256_GCM).map(UnboundKey::from).ok()?;
    Some(LessSafeKey::new(key))
}

/// The nonce may be constant because every derived key seals once: its seed is 256 bits of fresh randomness. A
/// counter in its place would repeat after a restored backup, and a random 96-bit nonce under one long-lived key
/// would run into its collision bound.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: [u8; 32] = [5; 32];

    fn key() -> Key {
        Key::from_bytes([9; 32])
    }

    #[test]
    fn every_input_is_bound() {
        let sealed = seal(&key(), &SEED, "a", b"place", b"text".to_vec()).unwrap();
        assert_eq!(sealed.len(), 4 + TAG_BYTES);
        assert_eq!(open(&key(), &SEED, "a", b"place", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(open(&key(), &SEED, "b", b"place", &sealed).err(), Some(AeadError::Open));
        assert_eq!(open(&key(), &SEED, "a", b"other", &sealed).err(), Some(AeadError::Open));
        assert_eq!(open(&key(), &[6; 32], "a", b"place", &sealed).err(), Some(AeadError::Open));
        let other = Key::from_bytes([8; 32]);
        assert_eq!(open(&other, &SEED, "a", b"place", &sealed).err(), Some(AeadError::Open));
        assert_eq!(open(&key(), &SEED, "a", b"place", &sealed[..3]).err(), Some(AeadError::Open));
    }

    #[test]
    fn debug_hides_the_key_and_generated_keys_differ() {
        assert_eq!(format!("{:?}", key()), "Key(..)");
        assert_ne!(*Key::generate().unwrap().bytes, *Key::generate().unwrap().bytes);
    }

    /// The format on disk depends on this derivation: the same result for ever. The expected bytes were computed
    /// with another implementation of HKDF-SHA-256 and AES-256-GCM.
    #[test]
    fn the_sealed_format_is_frozen() {
        let sealed = seal(&key(), &SEED, "article6/test/1", b"aad", b"plaintext".to_vec()).unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "69b116f38ff7739e7285b36284675ff4c3c74c7ee1f907b0b5");
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(plain in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, bit in 0..8u8) {
            let mut sealed = seal(&key(), &SEED, "a", b"", plain.clone()).unwrap();
            let reopened = open(&key(), &SEED, "a", b"", &sealed).unwrap();
            prop_assert_eq!(reopened.as_slice(), plain.as_slice());
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(open(&key(), &SEED, "a", b"", &sealed).err(), Some(AeadError::Open));
        }
    }
}
