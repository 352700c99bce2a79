//! Authorities and certificates made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tempfile::TempDir;

use crate::crypto::certificate::DEVELOPMENT_UNIT;
use crate::crypto::{Certificate, Digest};
use crate::door::tls::TlsSettings;

/// One authority and a folder for what it makes.
pub struct Pki {
    pub dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
    pub authority: PathBuf,
}

/// What is unusual about a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    Good,
    Expired,
    /// Valid for another second or two.
    Brief,
    NotYetValid,
    ServerOnly,
    Development,
}

/// A certificate and its key, in files.
#[derive(Clone)]
pub struct Identity {
    pub chain: PathBuf,
    pub key: PathBuf,
    pub certificate: Certificate,
}

impl Identity {
    pub fn key_id(&self) -> Digest {
        self.certificate.key_id()
    }
}

impl Pki {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = dir.path().join("ca.pem");
        fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key), authority }
    }

    /// A leaf for `localhost`, usable as client and server unless told otherwise.
    pub fn leaf(&self, name: &str, kind: Leaf) -> Identity {
        let key = KeyPair::generate().unwrap();
        let pem = params(name, kind).signed_by(&key, &self.issuer).unwrap().pem();
        self.write(name, &pem, &key)
    }

    /// Another certificate for the same key.
    pub fn renew(&self, old: &Identity, name: &str) -> Identity {
        let key = KeyPair::from_pem(&fs::read_to_string(&old.key).unwrap()).unwrap();
        let pem = params(name, Leaf::Good).signed_by(&key, &self.issuer).unwrap().pem();
        self.write(name, &pem, &key)
    }

    pub fn self_signed(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let pem = params(name, Leaf::Good).self_signed(&key).unwrap().pem();
        self.write(name, &pem, &key)
    }

    /// A list that revokes these; its `nextUpdate` lies in the past when `stale`.
    pub fn revocation(&self, revoked: &[&Identity], stale: bool) -> PathBuf {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(if stale { 2021 } else { 2090 }, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(|identity| revoke(&identity.certificate)).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let path = self.dir.path().join("crl.pem");
        fs::write(&path, list.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
        path
    }

    /// Settings of a party with this identity that trusts this authority.
    pub fn settings(&self, identity: &Identity) -> TlsSettings {
        TlsSettings {
            chain: identity.chain.clone(),
            key: identity.key.clone(),
            authorities: vec![self.authority.clone()],
            ..TlsSettings::default()
        }
    }

    fn write(&self, name: &str, pem: &str, key: &KeyPair) -> Identity {
        let path = |ending| self.dir.path().join(format!("{name}.{ending}"));
        fs::write(path("pem"), pem).unwrap();
        fs::write(path("key"), key.serialize_pem()).unwrap();
        fs::set_permissions(path("key"), fs::Permissions::from_mode(0o600)).unwrap();
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        Identity { chain: path("pem"), key: path("key"), certificate }
    }
}

fn params(name: &str, kind: Leaf) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    match kind {
        Leaf::ServerOnly => return params,
        Leaf::Expired => params.not_after = date_time_ymd(2020, 1, 1),
        Leaf::Brief => params.not_after = (SystemTime::now() + Duration::from_secs(2)).into(),
        Leaf::NotYetValid => params.not_before = date_time_ymd(2090, 1, 1),
        Leaf::Development => params.distinguished_name.push(DnType::OrganizationalUnitName, DEVELOPMENT_UNIT),
        Leaf::Good => {}
    }
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    params
}

fn revoke(certificate: &Certificate) -> RevokedCertParams {
    let serial = certificate.serial();
    let bytes: Vec<u8> =
        (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap()).collect();
    RevokedCertParams {
        serial_number: SerialNumber::from(bytes),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    }
}
