//! A certification authority that lives as long as one run of the generator.

use super::CertsError;
use crate::crypto::certificate::DEVELOPMENT_UNIT;
use crate::crypto::keyfile;
use crate::crypto::scheme::Curve;

use rcgen::string::PrintableString;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, SerialNumber, date_time_ymd,
};
use std::time::Duration;
use zeroize::Zeroizing;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before the moment of making a certificate is valid: another machine's clock may be behind.
const BACKDATED: Duration = DAY;
/// Twenty years of 365.25 days, from the moment of making.
const VALIDITY: Duration = Duration::from_secs(20 * 1461 * 6 * 60 * 60);

/// Whose certificates are made, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: &'a str,
    /// Since 1970-01-01T00:00Z.
    pub now: Duration,
    /// The curve of the keys that sign envelopes. All others are on P-256.
    pub seal: Curve,
}

/// What a certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// TLS in both roles: a daemon dials and is dialled with one key.
    Peer,
    /// TLS server.
    Server,
    /// TLS client.
    Client,
    /// Signatures on envelopes; no TLS.
    Seal,
}

/// A certificate and its key, both in PEM.
pub(super) struct Issued {
    pub certificate: String,
    pub key: Zeroizing<String>,
}

/// A self-signed authority on P-256. Its key exists in memory alone.
pub(super) struct Authority<'a> {
    maker: Maker<'a>,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate in PEM.
    pub certificate: String,
}

impl<'a> Authority<'a> {
    /// A fresh authority that may issue end entities only (RFC 5280 §4.2.1.9, path length 0).
    pub fn new(maker: Maker<'a>, common_name: &str) -> Result<Self, CertsError> {
        let (key, _) = fresh_key(Curve::P256)?;
        let mut params = params(maker, common_name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { maker, issuer: Issuer::new(params, key), certificate })
    }

    /// A certificate for a fresh key; `names` are DNS names and IP addresses (RFC 5280 §4.2.1.6).
    pub fn issue(&self, common_name: &str, usage: Usage, names: &[&str]) -> Result<Issued, CertsError> {
        let curve = if usage == Usage::Seal { self.maker.seal } else { Curve::P256 };
        let (pair, key) = fresh_key(curve)?;
        let mut params = params(self.maker, common_name, names)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        match usage {
            Usage::Seal => params.key_usages.push(KeyUsagePurpose::ContentCommitment),
            Usage::Server => params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth),
            Usage::Client => params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth),
            Usage::Peer => params
                .extended_key_usages
                .extend([ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]),
        }
        let certificate = params.signed_by(&pair, &self.issuer)?.pem();
        Ok(Issued { certificate, key })
    }

    /// A revocation list without entries in PEM (RFC 5280 §5), good for as long as the certificates are.
    pub fn empty_crl(&self) -> Result<String, CertsError> {
        let epoch = date_time_ymd(1970, 1, 1);
        let params = CertificateRevocationListParams {
            this_update: epoch + self.maker.now.saturating_sub(BACKDATED),
            next_update: epoch + self.maker.now.saturating_add(VALIDITY),
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }
}

fn params(maker: Maker<'_>, common_name: &str, names: &[&str]) -> Result<CertificateParams, CertsError> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + maker.now.saturating_sub(BACKDATED);
    params.not_after = epoch + maker.now.saturating_add(VALIDITY);
    // countryName is a PrintableString (RFC 5280 appendix A.1).
    let country = PrintableString::try_from(maker.country)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, DnValue::PrintableString(country));
    params.distinguished_name.push(DnType::OrganizationalUnitName, DEVELOPMENT_UNIT);
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn fresh_key(curve: Curve) -> Result<(KeyPair, Zeroizing<String>), CertsError> {
    let (pkcs8, algorithm) = match curve {
        Curve::P256 => (keyfile::generate_p256()?, &PKCS_ECDSA_P256_SHA256),
        Curve::P384 => (keyfile::generate_p384()?, &PKCS_ECDSA_P384_SHA384),
    };
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), algorithm)?;
    Ok((pair, keyfile::to_pem(&pkcs8)?))
}
