//! Detached CMS signatures (RFC 5652) with CAdES-BES attributes (ETSI EN 319 122-1), over exact bytes.
//!
//! A signature made here holds one SignerInfo with exactly four signed attributes (content-type, signing-time,
//! message-digest, signing-certificate-v2) and no certificates: the recipient has them by channel. Any tool that
//! reads CMS can check it; `openssl cms -verify -cades` does.
//!
//! Invariant: a signature's bytes are no identity. ECDSA itself has two signatures for one statement (r, s and
//! r, n-s), and hash identifiers may carry NULL parameters or none. Everything else is pinned by [`verify`], so
//! that no other byte can change and still verify.

mod attributes;
mod layout;

use super::certificate::Certificate;
use super::scheme::Scheme;
use super::signing::SigningKey;
use layout::Layout;
use ring::digest;
use ring::signature::UnparsedPublicKey;
use std::time::SystemTime;

/// Greatest accepted size of a signature, in bytes. One made here takes about 407 (P-256) or 456 (P-384), of which
/// the issuer's name is the part that varies.
pub const CMS_BYTES_MAX: usize = 4096;

/// Why no signature could be made: nobody's message is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The clock is outside the years 1970 to 9999, which is all that a signing time can say.
    #[error("the time cannot be written as a signing time")]
    Time,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Random,
}

/// Why a signature is refused: the sender is at fault, or someone between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// Longer than [`CMS_BYTES_MAX`].
    #[error("signature longer than 4096 bytes")]
    TooLong,
    /// Not DER, bytes after the end, or fields other than RFC 5652 has them for this form.
    #[error("not a CMS signature in DER")]
    Malformed,
    /// The content type is not id-signedData (RFC 5652 §5.1).
    #[error("not signed-data")]
    NotSignedData,
    /// A version other than 1 (RFC 5652 §5.1, §5.3).
    #[error("version is not 1")]
    Version,
    /// The signature carries content, or speaks of another content type than id-data.
    #[error("not detached from plain data")]
    NotDetached,
    /// Certificates or revocation lists are embedded: unsigned bytes that anyone may change.
    #[error("certificates or revocation lists are embedded")]
    Embedded,
    /// No signer, or more than one.
    #[error("not exactly one signer")]
    SignerCount,
    /// Issuer and serial number are not the expected certificate's.
    #[error("signed by another certificate")]
    OtherSigner,
    /// The certificate's key is none that may sign.
    #[error("the certificate's key may not sign")]
    KeyNotUsable,
    /// The algorithms are not allowed, disagree with each other, or do not fit the key.
    #[error("algorithm is not accepted for this key")]
    Algorithm,
    /// A signed attribute is missing, repeated, not in DER order, or none of the four.
    #[error("signed attributes are not exactly the four that are needed")]
    Attributes,
    /// Unsigned attributes are present: bytes that anyone may change.
    #[error("unsigned attributes are present")]
    UnsignedAttributes,
    /// The signing time is not spelt as RFC 5652 §11.3 requires.
    #[error("signing time is not canonical")]
    SigningTime,
    /// signing-certificate-v2 (RFC 5035 §5) names another certificate than the expected one.
    #[error("signing-certificate attribute names another certificate")]
    SigningCertificate,
    /// The signature is about other content.
    #[error("message digest is of other content")]
    Content,
    /// The signature value does not verify.
    #[error("signature does not verify")]
    Signature,
}

/// Signs `content`; `at` becomes the signing time, cut to whole seconds.
pub fn sign(key: &SigningKey, content: &[u8], at: SystemTime) -> Result<Vec<u8>, SignError> {
    let content_digest = digest::digest(key.scheme().hash(), content);
    let time = attributes::time(at).ok_or(SignError::Time)?;
    let attributes = attributes::encode(content_digest.as_ref(), &time, key.certificate().fingerprint());
    let signature = key.sign(&layout::signed_bytes(&attributes)).ok_or(SignError::Random)?;
    Ok(layout::encode(&key.certificate().issuer_and_serial(), key.scheme(), &attributes, signature.as_ref()))
}

/// Checks that `cms` is `certificate`'s signature over exactly `content`, and returns the signing time it claims.
///
/// The certificate must already be trusted: neither its chain nor its dates are looked at. The time is the signer's
/// word and no more.
pub fn verify(cms: &[u8], certificate: &Certificate, content: &[u8]) -> Result<SystemTime, CmsError> {
    if cms.len() > CMS_BYTES_MAX {
        return Err(CmsError::TooLong);
    }
    let layout = Layout::parse(cms)?;
    if layout.signer != certificate.issuer_and_serial() {
        return Err(CmsError::OtherSigner);
    }
    let (curve, point) = certificate.elliptic_key().ok_or(CmsError::KeyNotUsable)?;
    let scheme =
        Scheme::of(curve, layout.digest_algorithm, layout.signature_algorithm).ok_or(CmsError::Algorithm)?;
    let attributes = attributes::Attributes::parse(layout.attributes)?;
    attributes.check_certificate(certificate)?;
    let at = attributes.signing_time()?;
    if attributes.message_digest()? != digest::digest(scheme.hash(), content).as_ref() {
        return Err(CmsError::Content);
    }
    UnparsedPublicKey::new(scheme.verification(), point)
        .verify(&layout::signed_bytes(layout.attributes), layout.signature)
        .map_err(|_| CmsError::Signature)?;
    Ok(at)
}

#[cfg(test)]
mod tests;
