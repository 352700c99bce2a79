//! The bad certificates of the test support are bad for the reason they claim.
#![allow(clippy::unwrap_used)]

mod support;

use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::sync::Arc;
use support::bad_certificates::{Authority, Leaf, When, self_signed};

fn verdict(authority: &Authority, crl: Option<String>, leaf: &Leaf) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let crls = crl.map(|pem| CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(crls)
        .enforce_revocation_expiration()
        .build()
        .unwrap();
    let der = CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap();
    verifier.verify_client_cert(&der, &[], UnixTime::now()).map(drop)
}

#[test]
fn each_is_refused_for_its_own_reason() {
    let mut authority = Authority::new("tests");
    let mut other = Authority::new("others");
    let good = authority.good("client");
    let renewed = authority.renew("client", &good);
    assert_eq!(verdict(&authority, None, &good), Ok(()));
    assert_eq!(verdict(&authority, None, &renewed), Ok(()));

    use CertificateError::{ExpiredContext, NotValidYetContext, Revoked, UnknownIssuer};
    let refused = |crl, leaf: &Leaf| match verdict(&authority, crl, leaf) {
        Err(Error::InvalidCertificate(reason)) => reason,
        verdict => panic!("{verdict:?}"),
    };
    assert_eq!(refused(None, &other.good("client")), UnknownIssuer);
    assert_eq!(refused(None, &self_signed("client")), UnknownIssuer);
    assert_eq!(refused(Some(authority.crl(&[&good], When::Now)), &good), Revoked);
    assert_eq!(verdict(&authority, Some(authority.crl(&[&good], When::Now)), &renewed), Ok(()));
    let stale = refused(Some(authority.crl(&[], When::Past)), &good);
    assert!(matches!(stale, CertificateError::ExpiredRevocationListContext { .. }), "{stale:?}");

    let mut authority_2 = Authority::new("dates");
    let (expired, early) = (authority_2.expired("client"), authority_2.not_yet_valid("client"));
    let dated = |leaf: &Leaf| verdict(&authority_2, None, leaf);
    assert!(matches!(dated(&expired), Err(Error::InvalidCertificate(ExpiredContext { .. }))));
    assert!(matches!(dated(&early), Err(Error::InvalidCertificate(NotValidYetContext { .. }))));
}
