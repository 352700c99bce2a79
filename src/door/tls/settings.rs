//! What a TLS party is made of, and what can be wrong with it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crate::crypto::Digest;
use crate::crypto::certificate::CertificateError;
use crate::crypto::keyfile::KeyFileError;

/// What to do with a certificate revocation list whose `nextUpdate` has passed (RFC 5280 §5.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationPolicy {
    /// Nobody is accepted until a fresh list is loaded.
    #[default]
    Enforce,
    /// The entries still count; that the list is stale is reported by [`super::TlsState::stale_lists`] alone.
    AlarmOnly,
}

/// The files and rules of one TLS party, be it server, client or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Own certificate chain, PEM, leaf first.
    pub chain: PathBuf,
    /// Own private key: PKCS#8, PEM or DER; closed to group and others unless the certificate is marked as made
    /// for development.
    pub key: PathBuf,
    /// Certificates of the authorities that the other side's certificate may chain to, PEM; at least one file.
    pub authorities: Vec<PathBuf>,
    /// Revocation lists, PEM. When given, every certificate of a chain below its authority needs one.
    pub revocation: Option<PathBuf>,
    /// What a stale list means.
    pub revocation_policy: RevocationPolicy,
    /// SHA-256 of the SubjectPublicKeyInfo of the keys accepted from the other side; empty: any certified key.
    pub pins: BTreeSet<Digest>,
    /// Offer X25519MLKEM768 first.
    pub hybrid: bool,
    /// As server, accept HTTP/1.1 beside HTTP/2: for the operations door.
    pub http1: bool,
    /// Refuse everything marked as made for development, on both sides.
    pub production: bool,
}

/// Which of the files an error speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// [`TlsSettings::chain`].
    Chain,
    /// [`TlsSettings::key`].
    Key,
    /// One of [`TlsSettings::authorities`].
    Authority,
    /// [`TlsSettings::revocation`].
    Revocation,
}

/// Why keys, certificates or trust cannot be used. Always the operator's to mend; the old ones stay in force.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("{file:?} file {path}: {kind}")]
    Unreadable {
        /// Which one.
        file: TlsFile,
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The file is larger than [`crate::limits::TLS_FILE_BYTES`] or [`crate::limits::CRL_FILE_BYTES`].
    #[error("{file:?} file {path} is too large")]
    TooLarge {
        /// Which one.
        file: TlsFile,
        /// Where.
        path: PathBuf,
    },
    /// Group or others have a right on the key file.
    #[error("private key file {path} is open to group or others; chmod 600")]
    OpenKey {
        /// Where.
        path: PathBuf,
    },
    /// Not a certificate where one should be.
    #[error("{file:?} file {path}: {error}")]
    Certificate {
        /// Which one.
        file: TlsFile,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// Not a PKCS#8 private key that TLS can use.
    #[error("private key file {path} holds no PKCS#8 key that TLS can use")]
    Key {
        /// Where.
        path: PathBuf,
    },
    /// A private key in the older form of SEC 1.
    #[error("private key file {path}: {error}")]
    KeyForm {
        /// Where.
        path: PathBuf,
        /// What to do.
        error: KeyFileError,
    },
    /// The key is not that of the leaf certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// No authority is named, or one cannot serve as a trust anchor.
    #[error("no usable certificate authority")]
    NoAuthority,
    /// Not a revocation list.
    #[error("revocation file {path} holds no list, or a damaged one")]
    Revocation {
        /// Where.
        path: PathBuf,
    },
    /// A certificate marked as made for development, in production.
    #[error(
        "{file:?} file {path}: the certificate is marked as made for development, which production refuses"
    )]
    Development {
        /// Which one.
        file: TlsFile,
        /// Where.
        path: PathBuf,
    },
    /// The TLS library did not accept what was put together.
    #[error("TLS configuration: {0}")]
    Configuration(rustls::Error),
}
