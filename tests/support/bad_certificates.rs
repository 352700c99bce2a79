//! Certificates a door must refuse, each wrong in one way only, beside a good one of the same authority.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, RevocationReason,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// RFC 5280 serial numbers; all that matters is that no two certificates of one authority share one.
const SERIAL_FIRST: u64 = 0x0a60_0000;

/// A certificate and its key in PEM, and the serial number a revocation list names it by.
pub struct Leaf {
    pub certificate: String,
    pub key: String,
    pub serial: u64,
}

/// When a certificate or a revocation list is valid, seen from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From yesterday until tomorrow.
    Now,
    /// Until yesterday.
    Past,
    /// From tomorrow.
    Future,
}

/// An authority of one test. Its leaves are good for both TLS roles on this machine.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    issued: u64,
    /// Its own certificate in PEM.
    pub certificate: String,
}

impl Authority {
    pub fn new(common_name: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), issued: 0, certificate }
    }

    pub fn good(&mut self, common_name: &str) -> Leaf {
        self.leaf(common_name, When::Now)
    }

    pub fn expired(&mut self, common_name: &str) -> Leaf {
        self.leaf(common_name, When::Past)
    }

    pub fn not_yet_valid(&mut self, common_name: &str) -> Leaf {
        self.leaf(common_name, When::Future)
    }

    /// Another certificate for the key of `leaf`: a renewal, which pins must survive.
    pub fn renew(&mut self, common_name: &str, leaf: &Leaf) -> Leaf {
        self.certify(common_name, When::Now, KeyPair::from_pem(&leaf.key).unwrap())
    }

    /// A revocation list in PEM that names `revoked`; `Past` makes a stale one.
    pub fn crl(&self, revoked: &[&Leaf], when: When) -> String {
        let (this_update, next_update) = bounds(when);
        let epoch = date_time_ymd(1970, 1, 1);
        let entry = |leaf: &&Leaf| RevokedCertParams {
            serial_number: SerialNumber::from(leaf.serial),
            revocation_time: epoch + this_update,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: epoch + this_update,
            next_update: epoch + next_update,
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    fn leaf(&mut self, common_name: &str, when: When) -> Leaf {
        self.certify(common_name, when, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    fn certify(&mut self, common_name: &str, when: When, key: KeyPair) -> Leaf {
        self.issued += 1;
        let serial = SERIAL_FIRST + self.issued;
        let mut params = leaf_params(common_name, when, serial);
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Leaf { certificate, key: key.serialize_pem(), serial }
    }
}

/// A certificate nobody vouches for.
pub fn self_signed(common_name: &str) -> Leaf {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = leaf_params(common_name, When::Now, SERIAL_FIRST).self_signed(&key).unwrap().pem();
    Leaf { certificate, key: key.serialize_pem(), serial: SERIAL_FIRST }
}

fn leaf_params(common_name: &str, when: When, serial: u64) -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    let (not_before, not_after) = bounds(when);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + not_before;
    params.not_after = epoch + not_after;
    params.serial_number = Some(SerialNumber::from(serial));
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// Start and end since 1970.
fn bounds(when: When) -> (Duration, Duration) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    match when {
        When::Now => (now - DAY, now + DAY),
        When::Past => (now - 3 * DAY, now - DAY),
        When::Future => (now + DAY, now + 3 * DAY),
    }
}
