use super::*;
use crate::crypto::{Certificate, LedgerKey, SigningKey};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

/// Every file of a Party. The names are an interface: configuration examples and scripts use them.
const FILES: [&str; 25] = [
    "backoffice-ca.pem",
    "backoffice-crl.pem",
    "backoffice.key",
    "backoffice.pem",
    "client-backoffice.key",
    "client-backoffice.pem",
    "client-operations.key",
    "client-operations.pem",
    "client-second.key",
    "client-second.pem",
    "counterparty-ledger.pub",
    "counterparty-peer.pem",
    "counterparty-signing.pem",
    "counterparty-tls-ca.pem",
    "ledger.key",
    "ledger.pub",
    "operations-ca.pem",
    "operations.key",
    "operations.pem",
    "peer.key",
    "peer.pem",
    "signing-ca.pem",
    "signing.key",
    "signing.pem",
    "tls-ca.pem",
];
const YEAR: Duration = Duration::from_secs(1461 * 6 * 60 * 60);

struct Pki(tempfile::TempDir);

impl Pki {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_development_pki(dir.path(), ["US", "kz"]).unwrap();
        Self(dir)
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.path().join(file)).unwrap()
    }

    fn certificate(&self, file: &str) -> Certificate {
        Certificate::from_pem(&self.read(file)).unwrap()
    }

    fn roots(&self, file: &str) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.read(file)).unwrap()).unwrap();
        Arc::new(roots)
    }

    /// What a door that trusts `ca` says to a client.
    fn as_client(&self, ca: &str, crl: Option<&str>, certificate: &str) -> Result<(), Error> {
        let crls = crl.map(|file| CertificateRevocationListDer::from_pem_slice(&self.read(file)).unwrap());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(ca), provider())
            .with_crls(crls)
            .enforce_revocation_expiration()
            .build()
            .unwrap();
        let der = CertificateDer::from_pem_slice(&self.read(certificate)).unwrap();
        verifier.verify_client_cert(&der, &[], UnixTime::now()).map(drop)
    }

    /// What a client that trusts `ca` says to a door it dialled as `name`.
    fn as_server(&self, ca: &str, certificate: &str, name: &str) -> Result<(), Error> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(self.roots(ca), provider()).build().unwrap();
        let der = CertificateDer::from_pem_slice(&self.read(certificate)).unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&der, &[], &name, &[], UnixTime::now()).map(drop)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn names(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_layout_is_stable_and_documented() {
    let pki = Pki::new();
    assert_eq!(names(pki.0.path()), BTreeSet::from(["README.md", "kz", "us"].map(str::to_owned)));
    for party in ["us", "kz"] {
        assert_eq!(names(&pki.0.path().join(party)), BTreeSet::from(FILES.map(str::to_owned)));
    }
    let readme = String::from_utf8(pki.read("README.md")).unwrap();
    for file in FILES {
        let client_key = file.starts_with("client-") && file.ends_with(".key");
        assert!(client_key || readme.contains(&format!("`{file}`")), "{file}");
    }
}

#[test]
fn private_keys_are_for_their_owner_alone() {
    let pki = Pki::new();
    for party in ["us", "kz"] {
        for file in FILES {
            let path = pki.0.path().join(party).join(file);
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let private = String::from_utf8(fs::read(&path).unwrap()).unwrap().contains("PRIVATE KEY");
            assert_eq!(private, file.ends_with(".key"), "{file}");
            if private {
                assert_eq!(mode, 0o600, "{file}");
            }
        }
    }
}

#[test]
fn every_certificate_is_marked_and_lasts_twenty_years() {
    let pki = Pki::new();
    let now = SystemTime::now();
    let mut keys = BTreeSet::new();
    for party in ["us", "kz"] {
        for file in FILES.iter().filter(|file| file.ends_with(".pem") && !file.contains("crl")) {
            let certificate = pki.certificate(&format!("{party}/{file}"));
            assert!(certificate.is_development(), "{file}");
            assert!(certificate.is_valid_at(now), "{file}");
            assert!(certificate.is_valid_at(now + 20 * YEAR - Duration::from_secs(60)), "{file}");
            assert!(!certificate.is_valid_at(now + 20 * YEAR + Duration::from_secs(60)), "{file}");
            assert_eq!(certificate.may_sign(), !file.ends_with("-ca.pem"), "{file}");
            keys.insert(certificate.key_id().to_string());
        }
    }
    // Per Party: four authorities and seven others; copies have the keys of their originals.
    assert_eq!(keys.len(), 2 * 11);
}

#[test]
fn key_and_certificate_belong_together() {
    let pki = Pki::new();
    for name in [
        "peer",
        "signing",
        "backoffice",
        "client-backoffice",
        "client-second",
        "operations",
        "client-operations",
    ] {
        let key = pki.read(&format!("us/{name}.key"));
        let certificate = pki.certificate(&format!("us/{name}.pem"));
        SigningKey::from_pkcs8(&key, certificate).unwrap();
        let der = PrivateKeyDer::from_pem_slice(&key).unwrap();
        provider().key_provider.load_private_key(der).unwrap();
    }
    let ledger = LedgerKey::from_pkcs8(&pki.read("us/ledger.key")).unwrap();
    let public = String::from_utf8(pki.read("us/ledger.pub")).unwrap();
    assert_eq!(STANDARD.decode(public.strip_suffix('\n').unwrap()).unwrap(), ledger.public());
}

#[test]
fn each_party_holds_what_the_other_shows() {
    let pki = Pki::new();
    for (own, other) in [("us", "kz"), ("kz", "us")] {
        for name in ["tls-ca.pem", "peer.pem", "signing.pem", "ledger.pub"] {
            let copy = pki.read(&format!("{own}/counterparty-{name}"));
            assert_eq!(copy, pki.read(&format!("{other}/{name}")), "{name}");
            assert_ne!(copy, pki.read(&format!("{own}/{name}")), "{name}");
        }
    }
}

#[test]
fn a_peer_is_trusted_in_both_roles_by_the_other_party_alone() {
    let pki = Pki::new();
    for name in ["peer.us.example", "localhost", "127.0.0.1", "::1"] {
        assert_eq!(pki.as_server("kz/counterparty-tls-ca.pem", "us/peer.pem", name), Ok(()), "{name}");
    }
    assert_eq!(pki.as_client("kz/counterparty-tls-ca.pem", None, "us/peer.pem"), Ok(()));
    assert!(pki.as_server("kz/counterparty-tls-ca.pem", "us/peer.pem", "peer.kz.example").is_err());
    assert!(pki.as_client("kz/tls-ca.pem", None, "us/peer.pem").is_err());
    assert!(pki.as_client("kz/counterparty-tls-ca.pem", None, "us/client-backoffice.pem").is_err());
}

#[test]
fn the_back_office_and_operations_doors_know_their_clients() {
    let pki = Pki::new();
    let (ca, crl) = ("us/backoffice-ca.pem", Some("us/backoffice-crl.pem"));
    for client in ["us/client-backoffice.pem", "us/client-second.pem"] {
        assert_eq!(pki.as_client(ca, crl, client), Ok(()), "{client}");
    }
    assert_eq!(pki.as_client("us/operations-ca.pem", None, "us/client-operations.pem"), Ok(()));
    assert!(pki.as_client(ca, crl, "us/client-operations.pem").is_err());
    assert!(pki.as_client(ca, crl, "kz/client-backoffice.pem").is_err());
    assert!(matches!(
        pki.as_client(ca, crl, "us/backoffice.pem"),
        Err(Error::InvalidCertificate(CertificateError::InvalidPurposeContext { .. }))
    ));
    for door in ["backoffice", "operations"] {
        for name in ["localhost", "127.0.0.1", "::1"] {
            let (ca, server) = (format!("us/{door}-ca.pem"), format!("us/{door}.pem"));
            assert_eq!(pki.as_server(&ca, &server, name), Ok(()), "{door} {name}");
        }
    }
    assert!(pki.certificate("us/client-backoffice.pem").subject().contains("CN=backoffice"));
}

#[test]
fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("a/b");
    write_development_pki(&fresh, ["US", "KZ"]).unwrap();
    let key = fs::read(fresh.join("us/peer.key")).unwrap();
    let again = write_development_pki(&fresh, ["US", "KZ"]);
    assert_eq!(again, Err(CertsError::NotEmpty(fresh.clone())));
    assert_eq!(fs::read(fresh.join("us/peer.key")).unwrap(), key);
    let file = fresh.join("README.md");
    let on_a_file = write_development_pki(&file, ["US", "KZ"]);
    assert_eq!(on_a_file, Err(CertsError::Io { path: file, kind: io::ErrorKind::AlreadyExists }));
}

#[test]
fn parties_are_two_different_country_codes() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent");
    for bad in ["", "U", "USA", "..", "u/", "é", "1A"] {
        assert_eq!(write_development_pki(&absent, [bad, "KZ"]), Err(CertsError::Party), "{bad}");
        assert_eq!(write_development_pki(&absent, ["US", bad]), Err(CertsError::Party), "{bad}");
    }
    assert_eq!(write_development_pki(&absent, ["us", "US"]), Err(CertsError::SameParty));
    assert!(!absent.exists());
}
