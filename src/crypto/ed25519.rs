//! Ed25519 (RFC 8032) for log notes alone; envelopes are signed with ECDSA.

use super::keyfile::{self, KeyFileError};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;

/// The key that signs checkpoints of this Party's ledger.
pub struct LedgerKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl LedgerKey {
    /// Reads an unencrypted PKCS#8 key (RFC 8410), PEM or DER, with or without its public key inside.
    pub fn from_pkcs8(key: &[u8]) -> Result<Self, KeyFileError> {
        let der = keyfile::pkcs8(key)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| KeyFileError::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyFileError::Key)?;
        Ok(Self { pair, public })
    }

    /// The public key, as RFC 8032 §5.1.5 encodes it.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The signature over `message`: deterministic, 64 bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(message);
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        bytes
    }
}

/// Whether `signature` is `public`'s over `message`.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn known_answer_of_rfc_8032() {
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key =
            LedgerKey::from_pkcs8(&keyfile::ed25519_pkcs8(seed.as_slice().try_into().unwrap())).unwrap();
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.public().as_slice(), public);
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]).as_slice(), signature);
        assert!(verify(&key.public(), &[0x72], &signature));
        assert!(!verify(&key.public(), &[0x73], &signature));
        assert!(!verify(&key.public(), &[0x72], &signature[1..]));
        assert_eq!(format!("{key:?}"), "LedgerKey(..)");
    }

    #[test]
    fn other_keys_are_refused() {
        let p256 = keyfile::generate_p256().unwrap();
        assert_eq!(LedgerKey::from_pkcs8(&p256).err(), Some(KeyFileError::Key));
        assert_eq!(LedgerKey::from_pkcs8(b"").err(), Some(KeyFileError::Key));
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    }
}
