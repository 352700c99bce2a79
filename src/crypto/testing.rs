//! A throwaway authority and identities, for tests alone.

use super::certificate::{Certificate, DEVELOPMENT_UNIT};
use super::keyfile;
use super::scheme::Curve;
use super::signing::SigningKey;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
};
use zeroize::Zeroizing;

/// A certification authority made for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub pem: String,
}

/// A signing key and its certificate.
pub(crate) struct Identity {
    pub key: SigningKey,
    pub pkcs8: Zeroizing<Vec<u8>>,
    pub certificate_pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "article6 test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A fresh identity with the key usages of a seal certificate.
    pub fn identity(&self, curve: Curve) -> Identity {
        let (pkcs8, algorithm) = match curve {
            Curve::P256 => (keyfile::generate_p256().unwrap(), &PKCS_ECDSA_P256_SHA256),
            Curve::P384 => (keyfile::generate_p384().unwrap(), &PKCS_ECDSA_P384_SHA384),
        };
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_slice().into(), algorithm).unwrap();
        let signed = seal_params().signed_by(&pair, &self.issuer).unwrap();
        let certificate = Certificate::from_der(signed.der()).unwrap();
        let key = SigningKey::from_pkcs8(&pkcs8, certificate).unwrap();
        Identity { key, pkcs8, certificate_pem: signed.pem() }
    }

    /// A certificate of this authority for a P-256 key that another authority certified; the same serial number.
    pub fn reissue(&self, identity: &Identity) -> Certificate {
        let der = identity.pkcs8.as_slice().into();
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).unwrap();
        let signed = seal_params().signed_by(&pair, &self.issuer).unwrap();
        Certificate::from_der(signed.der()).unwrap()
    }
}

fn seal_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "article6 test signer");
    params.distinguished_name.push(DnType::OrganizationalUnitName, DEVELOPMENT_UNIT);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}
