//! Private keys as files hold them: unencrypted PKCS#8 (RFC 5958) in PEM or DER.

use super::random;
use der::pem::LineEnding;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    KeyPair as _,
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::Zeroizing;

/// PKCS#8 version 1 for Ed25519 (RFC 8410 §7) up to the 32 bytes of the seed. Version 2, which `ring` would write,
/// is not read by OpenSSL 3.0.
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2) up to the 65 bytes of the uncompressed point.
pub(super) const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why a private key cannot be read or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// PEM without a section labelled PRIVATE KEY, or with damaged base64. An encrypted key has another label.
    #[error("no PEM section PRIVATE KEY found")]
    Pem,
    /// The older form of SEC 1 (RFC 5915), which many tools still write.
    #[error(
        "the key is in the older SEC 1 form; convert it: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW-KEY"
    )]
    Sec1,
    /// Not a PKCS#8 key of the kind that is needed.
    #[error("not a PKCS#8 private key of the needed kind")]
    Key,
    /// The operating system gave no randomness to make a key with.
    #[error("the operating system gave no randomness")]
    Random,
}

/// The PKCS#8 DER in a file's bytes, which are PEM if they show a PEM boundary and DER otherwise. It is not yet known
/// to be a key.
pub fn pkcs8(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    const BOUNDARY: &[u8] = b"-----BEGIN";
    const SEC1: &[u8] = b"-----BEGIN EC PRIVATE KEY-----";
    let holds = |label: &[u8]| file.windows(label.len()).any(|window| window == label);
    if !holds(BOUNDARY) {
        return Ok(Zeroizing::new(file.to_vec()));
    }
    match PrivatePkcs8KeyDer::from_pem_slice(file) {
        Ok(key) => Ok(Zeroizing::new(key.secret_pkcs8_der().to_vec())),
        Err(_) if holds(SEC1) => Err(KeyFileError::Sec1),
        Err(_) => Err(KeyFileError::Pem),
    }
}

/// PEM text (RFC 7468) of a PKCS#8 DER key.
pub fn to_pem(pkcs8: &[u8]) -> Result<Zeroizing<String>, KeyFileError> {
    der::pem::encode_string("PRIVATE KEY", LineEnding::LF, pkcs8)
        .map(Zeroizing::new)
        .map_err(|_| KeyFileError::Pem)
}

/// A fresh P-256 key.
pub fn generate_p256() -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
}

/// A fresh P-384 key.
pub fn generate_p384() -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    generate(&ECDSA_P384_SHA384_ASN1_SIGNING)
}

/// A fresh Ed25519 key.
pub fn generate_ed25519() -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    random::fill(&mut *seed).map_err(|_| KeyFileError::Random)?;
    Ok(ed25519_pkcs8(&seed))
}

/// SubjectPublicKeyInfo (DER, RFC 5480) of a P-256 key.
pub fn p256_spki(pkcs8: &[u8]) -> Result<Vec<u8>, KeyFileError> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random);
    Ok([P256_SPKI.as_slice(), pair.map_err(|_| KeyFileError::Key)?.public_key().as_ref()].concat())
}

pub(super) fn ed25519_pkcs8(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([ED25519_PKCS8.as_slice(), seed].concat())
}

fn generate(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())
        .map(|document| Zeroizing::new(document.as_ref().to_vec()))
        .map_err(|_| KeyFileError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn pem_and_der_hold_the_same_key() {
        for key in [generate_p256(), generate_p384(), generate_ed25519()] {
            let key = key.unwrap();
            let pem = to_pem(&key).unwrap();
            assert_eq!(*pkcs8(pem.as_bytes()).unwrap(), *key);
            assert_eq!(*pkcs8(&key).unwrap(), *key);
        }
        assert_eq!(pkcs8(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n").err(), Some(KeyFileError::Pem));
    }

    #[test]
    fn the_older_form_is_refused_with_its_remedy() {
        let made =
            Command::new("openssl").args(["ecparam", "-name", "prime256v1", "-genkey"]).output().unwrap();
        assert!(made.status.success());
        let error = pkcs8(&made.stdout).unwrap_err();
        assert_eq!(error, KeyFileError::Sec1);
        assert!(error.to_string().contains("openssl pkcs8 -topk8 -nocrypt"), "{error}");
    }

    #[test]
    fn openssl_reads_what_is_generated() {
        for key in [generate_p256(), generate_p384(), generate_ed25519()] {
            let mut openssl = Command::new("openssl")
                .args(["pkey", "-noout", "-check"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let pem = to_pem(&key.unwrap()).unwrap();
            openssl.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
            assert!(openssl.wait().unwrap().success());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_files_never_panic(bytes: Vec<u8>) {
            let _ = pkcs8(&bytes);
            let _ = crate::crypto::LedgerKey::from_pkcs8(&bytes);
        }
    }
}
