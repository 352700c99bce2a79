//! The key that signs envelopes: ECDSA with P-256/SHA-256 or P-384/SHA-384, together with its certificate.

use super::certificate::Certificate;
use super::digest::Digest;
use super::keyfile;
use super::scheme::{Curve, Scheme};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use std::fmt;

/// A signing key and the certificate that names it. Both are known to belong together.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    certificate: Certificate,
    scheme: Scheme,
}

/// Why a key cannot sign with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// The certificate's key is not on P-256 or P-384.
    #[error("the certificate's key is neither P-256 nor P-384")]
    Curve,
    /// The certificate does not allow digitalSignature (RFC 5280 §4.2.1.3).
    #[error("the certificate's key usage does not allow digital signatures")]
    KeyUsage,
    /// The key in the older form of SEC 1.
    #[error(transparent)]
    Form(keyfile::KeyFileError),
    /// Not an unencrypted PKCS#8 key on the certificate's curve.
    #[error("not a PKCS#8 private key on the certificate's curve")]
    Key,
    /// A sound key, but another one than the certificate names.
    #[error("private key and certificate do not belong together")]
    Mismatch,
}

impl SigningKey {
    /// Joins a PKCS#8 key (RFC 5958, PEM or DER, unencrypted, with its public key inside) and its certificate.
    pub fn from_pkcs8(key: &[u8], certificate: Certificate) -> Result<Self, SigningKeyError> {
        let (curve, point) = certificate.elliptic_key().ok_or(SigningKeyError::Curve)?;
        if !certificate.may_sign() {
            return Err(SigningKeyError::KeyUsage);
        }
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        };
        let der = keyfile::pkcs8(key).map_err(|error| match error {
            keyfile::KeyFileError::Sec1 => SigningKeyError::Form(error),
            _ => SigningKeyError::Key,
        })?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new())
            .map_err(|_| SigningKeyError::Key)?;
        if pair.public_key().as_ref() != point {
            return Err(SigningKeyError::Mismatch);
        }
        Ok(Self { pair, scheme: curve.scheme(), certificate })
    }

    /// The certificate of this key.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the `signing_key_id` of an envelope.
    pub fn key_id(&self) -> Digest {
        self.certificate.key_id()
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The DER `Ecdsa-Sig-Value` over `message`; `None` only if the operating system gives no randomness.
    pub(super) fn sign(&self, message: &[u8]) -> Option<ring::signature::Signature> {
        self.pair.sign(&SystemRandom::new(), message).ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::Authority;

    #[test]
    fn key_and_certificate_must_belong_together() {
        let authority = Authority::new();
        let one = authority.identity(Curve::P256);
        let other = authority.identity(Curve::P256);
        let wide = authority.identity(Curve::P384);
        let certificate = one.key.certificate().clone();
        let join = |key: &[u8]| SigningKey::from_pkcs8(key, certificate.clone()).map(|key| key.key_id());
        assert_eq!(join(&one.pkcs8), Ok(certificate.key_id()));
        let pem = keyfile::to_pem(&one.pkcs8).unwrap();
        assert_eq!(join(pem.as_bytes()), Ok(certificate.key_id()));
        assert_eq!(join(&other.pkcs8), Err(SigningKeyError::Mismatch));
        assert_eq!(join(&wide.pkcs8), Err(SigningKeyError::Key));
        assert_eq!(join(b"-----BEGIN PRIVATE KEY-----"), Err(SigningKeyError::Key));
    }

    #[test]
    fn a_certificate_that_may_not_sign_is_refused() {
        let authority = Authority::new();
        let root = Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        assert_eq!(SigningKey::from_pkcs8(b"", root).err(), Some(SigningKeyError::KeyUsage));
    }
}
