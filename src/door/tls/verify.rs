//! Who is accepted at the other end: chain, dates, key usage, revocation; then pins and the development mark.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use crate::crypto::{Certificate, Digest};

/// Why a certificate that its authority vouches for is not accepted all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unqualified {
    /// Its bytes are not ours to read: too large or not canonical DER.
    #[error("certificate cannot be read")]
    Unreadable,
    /// Its key is not among the pinned ones.
    #[error("key is not pinned")]
    NotPinned,
    /// It is marked as made for development, and this is production.
    #[error("certificate is marked as made for development")]
    Development,
}

impl Unqualified {
    /// The reason inside a TLS error, if it is one of these.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref().copied()
            }
            _ => None,
        }
    }
}

/// What is asked beyond the authority's word.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub pins: BTreeSet<Digest>,
    pub production: bool,
}

impl Rules {
    fn check(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        self.judge(leaf).map_err(|reason| {
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
        })
    }

    fn judge(&self, leaf: &CertificateDer<'_>) -> Result<(), Unqualified> {
        let leaf = Certificate::from_der(leaf).map_err(|_| Unqualified::Unreadable)?;
        if self.production && leaf.is_development() {
            return Err(Unqualified::Development);
        }
        if self.pins.is_empty() || self.pins.contains(&leaf.key_id()) {
            return Ok(());
        }
        Err(Unqualified::NotPinned)
    }
}

/// Judges clients.
#[derive(Debug)]
pub(super) struct Clients {
    pub authority: Arc<dyn ClientCertVerifier>,
    pub rules: Rules,
}

impl ClientCertVerifier for Clients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.authority.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.authority.verify_client_cert(leaf, intermediates, now)?;
        self.rules.check(leaf)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authority.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.supported_verify_schemes()
    }
}

/// Judges the server that was dialled.
#[derive(Debug)]
pub(super) struct Servers {
    pub authority: Arc<dyn ServerCertVerifier>,
    pub rules: Rules,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.authority.verify_server_cert(leaf, intermediates, name, ocsp, now)?;
        self.rules.check(leaf)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authority.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.supported_verify_schemes()
    }
}

/// Unreachable while the provider has TLS 1.3 suites alone; if that ever changes, this still refuses.
fn tls12() -> Error {
    Error::General("TLS 1.2 is not spoken here".into())
}
