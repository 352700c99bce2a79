//! The offline recovery key: it signs one kind of statement, once in a while, and is known to the other Party by its digest.

use super::keyfile::{KeyFileError, p256_spki};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};

/// What stands before the 65 bytes of the point in the SubjectPublicKeyInfo (DER) of a P-256 key.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Signs with the recovery key (PKCS#8, PEM or DER); also returns its SubjectPublicKeyInfo (DER). The signature is ECDSA over
/// SHA-256, in DER: `openssl dgst -sha256 -verify` accepts it.
///
/// # Errors
/// [`KeyFileError`] where the file holds no P-256 key.
pub fn sign(file: &[u8], content: &[u8]) -> Result<(Vec<u8>, Vec<u8>), KeyFileError> {
    let pkcs8 = super::keyfile::pkcs8(file)?;
    let (random, spki) = (SystemRandom::new(), p256_spki(&pkcs8)?);
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &random);
    let key = key.map_err(|_| KeyFileError::Pem)?;
    let signature = key.sign(&random, content).map_err(|_| KeyFileError::Random)?;
    Ok((signature.as_ref().to_vec(), spki))
}

/// Whether the key of this SubjectPublicKeyInfo (DER) made the signature.
pub fn verify(spki: &[u8], content: &[u8], signature: &[u8]) -> bool {
    let Some(point) = spki.strip_prefix(&SPKI_PREFIX).filter(|point| point.len() == 65) else { return false };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(content, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::{generate_p256, to_pem};

    #[test]
    fn only_the_key_itself_over_these_bytes() {
        let key = generate_p256().unwrap();
        let pem = to_pem(&key).unwrap();
        let (signature, spki) = sign(pem.as_bytes(), b"statement").unwrap();
        assert!(verify(&spki, b"statement", &signature));
        assert!(!verify(&spki, b"Statement", &signature));
        let (_, other) = sign(&generate_p256().unwrap(), b"statement").unwrap();
        assert!(!verify(&other, b"statement", &signature));
        for at in 0..spki.len() {
            let mut wrong = spki.clone();
            wrong[at] ^= 1;
            assert!(!verify(&wrong, b"statement", &signature), "byte {at}");
        }
    }
}
