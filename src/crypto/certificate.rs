//! X.509 certificates (RFC 5280), read once and then only looked at.

use super::asn1::{SEQUENCE, tlv};
use super::digest::Digest;
use super::scheme::Curve;
use const_oid::db::{rfc4519, rfc5912};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Tag, Tagged};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use spki::SubjectPublicKeyInfoOwned;
use std::fmt::{self, Write as _};
use std::time::SystemTime;
use x509_cert::TbsCertificate;
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::name::Name;

/// Greatest accepted size of one certificate, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// The organisational unit that marks a certificate as made for development: production refuses it.
pub const DEVELOPMENT_UNIT: &str = "article6 development";

/// A parsed certificate. Equal when the DER bytes are equal.
///
/// Parsing says nothing about trust: no chain, no revocation, no date is checked here.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    digest: Digest,
    spki: Vec<u8>,
    key_id: Digest,
    issuer_der: Vec<u8>,
    serial_der: Vec<u8>,
    subject: String,
    issuer: String,
    serial: String,
    not_before: SystemTime,
    not_after: SystemTime,
    digital_signature: bool,
    development: bool,
    key: Option<(Curve, Vec<u8>)>,
}

/// Why bytes are not a usable certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Larger than [`CERTIFICATE_BYTES_MAX`].
    #[error("certificate larger than 16 KiB")]
    TooLarge,
    /// No PEM section with the label CERTIFICATE, or its base64 is damaged.
    #[error("no PEM certificate found")]
    Pem,
    /// Not an X.509 certificate in DER.
    #[error("not an X.509 certificate")]
    Malformed,
    /// It parses, but its bytes are not the DER of what they say (X.690): issuer or key could then be spelt in two
    /// ways, and comparisons of bytes would be worthless.
    #[error("certificate is not in canonical DER")]
    NotCanonical,
}

impl Certificate {
    /// Reads one DER certificate, without trailing bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge);
        }
        let parsed = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        if parsed.to_der().map_err(malformed)? != der {
            return Err(CertificateError::NotCanonical);
        }
        let tbs = &parsed.tbs_certificate;
        let spki = tbs.subject_public_key_info.to_der().map_err(malformed)?;
        Ok(Self {
            digest: Digest::of(der),
            key_id: Digest::of(&spki),
            spki,
            issuer_der: tbs.issuer.to_der().map_err(malformed)?,
            serial_der: tbs.serial_number.to_der().map_err(malformed)?,
            subject: written(&tbs.subject)?,
            issuer: written(&tbs.issuer)?,
            serial: hex(tbs.serial_number.as_bytes()),
            not_before: tbs.validity.not_before.to_system_time(),
            not_after: tbs.validity.not_after.to_system_time(),
            digital_signature: may_sign(tbs)?,
            development: has_unit(&tbs.subject, DEVELOPMENT_UNIT),
            key: elliptic_key(&tbs.subject_public_key_info),
            der: der.to_vec(),
        })
    }

    /// Reads the first certificate of a PEM text (RFC 7468); text around it is ignored.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|_| CertificateError::Pem)?;
        Self::from_der(&der)
    }

    /// Reads every certificate of a PEM text, in order; at least one.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificateError> {
        let all = CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::from_der(&der.map_err(|_| CertificateError::Pem)?))
            .collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() { Err(CertificateError::Pem) } else { Ok(all) }
    }

    /// PEM text (RFC 7468).
    pub fn to_pem(&self) -> String {
        der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// The certificate as received.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER bytes: what people and CAdES call the certificate's fingerprint.
    pub fn fingerprint(&self) -> Digest {
        self.digest
    }

    /// The SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of [`Self::spki_der`]: the name of the key, the same when a certificate is renewed.
    pub fn key_id(&self) -> Digest {
        self.key_id
    }

    /// The subject as RFC 4514 text. Names a service or a person: not for logs without need.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The issuer as RFC 4514 text.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The serial number in lower-case hexadecimal, without separators.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Start of validity, whole seconds.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// End of validity, inclusive (RFC 5280 §4.1.2.5), whole seconds.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether `at` lies within the validity.
    pub fn is_valid_at(&self, at: SystemTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether the key usage extension (RFC 5280 §4.2.1.3) is there and allows digitalSignature.
    pub fn may_sign(&self) -> bool {
        self.digital_signature
    }

    /// Whether the subject bears [`DEVELOPMENT_UNIT`].
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// The curve of its key; `None` if it is no key that may sign here (RSA, Ed25519, another curve).
    pub fn curve(&self) -> Option<Curve> {
        self.key.as_ref().map(|(curve, _)| *curve)
    }

    /// Curve and encoded point (SEC 1 §2.3.3), if the key may sign here.
    pub(super) fn elliptic_key(&self) -> Option<(Curve, &[u8])> {
        self.key.as_ref().map(|(curve, point)| (*curve, point.as_slice()))
    }

    /// IssuerAndSerialNumber (RFC 5652 §10.2.4): what a SignerInfo calls its signer by.
    pub(super) fn issuer_and_serial(&self) -> Vec<u8> {
        tlv(SEQUENCE, &[&self.issuer_der, &self.serial_der])
    }

    /// Name and INTEGER in DER.
    pub(super) fn issuer_der(&self) -> (&[u8], &[u8]) {
        (&self.issuer_der, &self.serial_der)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

/// The key alone: names do not belong in logs.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate(key {})", self.key_id)
    }
}

fn malformed(_: der::Error) -> CertificateError {
    CertificateError::Malformed
}

/// Not `to_string`, which panics if a value in the name cannot be written.
fn written(name: &Name) -> Result<String, CertificateError> {
    let mut text = String::new();
    write!(text, "{name}").map_err(|_| CertificateError::Malformed)?;
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| text + &format!("{byte:02x}"))
}

fn may_sign(tbs: &TbsCertificate) -> Result<bool, CertificateError> {
    let usage = tbs.get::<KeyUsage>().map_err(malformed)?;
    Ok(usage.is_some_and(|(_, usage)| usage.digital_signature()))
}

fn has_unit(name: &Name, unit: &str) -> bool {
    name.0.iter().flat_map(|part| part.0.iter()).any(|attribute| {
        attribute.oid == rfc4519::OU
            && matches!(attribute.value.tag(), Tag::Utf8String | Tag::PrintableString)
            && attribute.value.value() == unit.as_bytes()
    })
}

fn elliptic_key(spki: &SubjectPublicKeyInfoOwned) -> Option<(Curve, Vec<u8>)> {
    if spki.algorithm.oid != rfc5912::ID_EC_PUBLIC_KEY {
        return None;
    }
    let curve = match spki.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()? {
        rfc5912::SECP_256_R_1 => Curve::P256,
        rfc5912::SECP_384_R_1 => Curve::P384,
        _ => return None,
    };
    Some((curve, spki.subject_public_key.as_bytes()?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::Authority;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_tells_what_it_was_made_with() {
        let authority = Authority::new();
        let identity = authority.identity(Curve::P256);
        let certificate = identity.key.certificate();
        assert_eq!(certificate, &Certificate::from_pem(identity.certificate_pem.as_bytes()).unwrap());
        assert_eq!(certificate.key_id(), Digest::of(certificate.spki_der()));
        assert_eq!(certificate.fingerprint(), Digest::of(certificate.der()));
        assert!(certificate.subject().contains("CN=article6 test signer"), "{}", certificate.subject());
        assert!(certificate.issuer().contains("CN=article6 test authority"));
        assert!(!certificate.serial().is_empty());
        assert!(certificate.may_sign());
        assert!(certificate.is_development());
        assert_eq!(certificate.curve(), Some(Curve::P256));
        assert!(certificate.is_valid_at(certificate.not_before()));
        assert!(certificate.is_valid_at(certificate.not_after()));
        assert!(!certificate.is_valid_at(certificate.not_after() + std::time::Duration::from_secs(1)));
        let shown = format!("{certificate:?}");
        assert_eq!(shown, format!("Certificate(key {})", certificate.key_id()));
        let root = Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        assert!(!root.is_development() && !root.may_sign());
        assert_eq!(authority.identity(Curve::P384).key.certificate().curve(), Some(Curve::P384));
    }

    #[test]
    fn a_chain_is_read_in_order_and_its_absence_is_an_error() {
        let authority = Authority::new();
        let identity = authority.identity(Curve::P256);
        let chain = format!("leaf:\n{}\nca:\n{}", identity.certificate_pem, authority.pem);
        let read = Certificate::all_from_pem(chain.as_bytes()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(&read[0], identity.key.certificate());
        assert_eq!(Certificate::all_from_pem(b"nothing").err(), Some(CertificateError::Pem));
        assert_eq!(Certificate::from_pem(b"").err(), Some(CertificateError::Pem));
    }

    #[test]
    fn trailing_bytes_and_excess_are_refused() {
        let identity = Authority::new().identity(Curve::P256);
        let mut der = identity.key.certificate().der().to_vec();
        der.push(0);
        assert_eq!(Certificate::from_der(&der).err(), Some(CertificateError::Malformed));
        der.resize(CERTIFICATE_BYTES_MAX + 1, 0);
        assert_eq!(Certificate::from_der(&der).err(), Some(CertificateError::TooLarge));
    }

    #[test]
    fn no_flipped_byte_panics() {
        let der = Authority::new().identity(Curve::P384).key.certificate().der().to_vec();
        for at in 0..der.len() {
            for mask in [0x01, 0x02, 0x20, 0x80, 0xff] {
                let mut flipped = der.clone();
                flipped[at] ^= mask;
                if let Ok(certificate) = Certificate::from_der(&flipped) {
                    assert_ne!(certificate.fingerprint(), Digest::of(&der));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Certificate::from_der(&bytes);
            let _ = Certificate::all_from_pem(&bytes);
        }
    }
}
