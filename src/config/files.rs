//! The files that a configuration names, each judged on its own.
//!
//! The daemon reads them here when it starts and when it reloads, and `config check` to tell everything that is wrong
//! with them at once: so both say the same.

use super::Named;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::crypto::ed25519::LedgerKey;
use crate::crypto::signing::SigningKey;
use crate::crypto::token;
use crate::door::tls::{TlsError, TlsFile, problems};
use base64::Engine as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zeroize::Zeroizing;

const DEVELOPMENT: &str =
    "the certificate is marked as made for development; use one of your authority in production";

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", .path.display())]
pub struct FileMistake {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub what: String,
}

/// The certificate of this Party's signing key.
pub fn signing_certificate(path: &Path, production: bool) -> Result<Certificate, FileMistake> {
    let certificate = fit(path, production, first(path)?)?;
    if certificate.may_sign() {
        Ok(certificate)
    } else {
        Err(mistake(path, "the certificate is not for signatures: its key usage lacks digitalSignature"))
    }
}

/// This Party's signing key, which belongs to the certificate.
pub fn signing_key(path: &Path, certificate: Certificate) -> Result<SigningKey, FileMistake> {
    let key = private(path, certificate.is_development())?;
    SigningKey::from_pkcs8(&key, certificate).map_err(|error| mistake(path, error))
}

/// This Party's ledger key. Keys made for development lie in public.
pub fn ledger_key(path: &Path, development: bool) -> Result<LedgerKey, FileMistake> {
    let key = private(path, development)?;
    LedgerKey::from_pkcs8(&key).map_err(|error| mistake(path, error))
}

/// A certificate of a key that signs the other Party's envelopes.
pub fn peer_signing_certificate(path: &Path, production: bool) -> Result<Certificate, FileMistake> {
    fit(path, production, first(path)?)
}

/// Certificates of a head of service and of his delegates: signatures with their keys count as his.
pub fn head_certificates(path: &Path, production: bool) -> Result<Vec<Certificate>, FileMistake> {
    let found = certificates(path)?;
    for certificate in &found {
        fit(path, production, certificate.clone())?;
        if !certificate.may_sign() || certificate.curve().is_none() {
            return Err(mistake(
                path,
                "each certificate here must be for signatures (key usage digitalSignature) with a key on P-256 or P-384",
            ));
        }
    }
    Ok(found)
}

/// The other Party's ledger key.
pub fn peer_ledger_key(path: &Path) -> Result<[u8; 32], FileMistake> {
    let text = std::fs::read_to_string(path).map_err(|error| mistake(path, error))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim());
    let key = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    key.ok_or_else(|| mistake(path, "the base64 of a 32-byte Ed25519 public key is expected"))
}

/// The keys in files of certificates.
pub fn pins(paths: &[PathBuf], production: bool) -> Result<BTreeSet<Digest>, FileMistake> {
    let mut pins = BTreeSet::new();
    for path in paths {
        pins.extend(pins_in(path, production)?);
    }
    Ok(pins)
}

pub(super) fn pins_in(path: &Path, production: bool) -> Result<Vec<Digest>, FileMistake> {
    let found = certificates(path)?;
    found.into_iter().map(|found| Ok(fit(path, production, found)?.key_id())).collect()
}

/// The key of a client's certificate.
pub fn client_key(path: &Path, production: bool) -> Result<Digest, FileMistake> {
    Ok(fit(path, production, first(path)?)?.key_id())
}

/// The public key that an official's tokens are checked with.
pub fn token_key(path: &Path) -> Result<Vec<u8>, FileMistake> {
    let what = "a P-256 public key in PEM (PUBLIC KEY) is expected: openssl pkey -in KEY -pubout";
    let pem = std::fs::read(path).map_err(|error| mistake(path, error))?;
    token::public_key(&pem).ok_or_else(|| mistake(path, what))
}

/// What is wrong with each file, with the key that names it. With `now`, certificates of this Party that are not valid
/// then are mistakes too.
pub(super) fn mistakes(named: &Named, now: Option<SystemTime>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (table, tls) in &named.doors {
        found.extend(
            problems(tls).iter().map(|error| (format!("{table}.{}", key_of(error)), error.to_string())),
        );
        found.extend(dated(&tls.chain, now).map(|what| (format!("{table}.certificate"), what)));
    }
    let mut note = |key: &str, mistake: FileMistake| found.push((key.to_owned(), mistake.to_string()));
    let path = named.signing_certificate.as_deref();
    let certificate = path.and_then(|path| {
        let judged = signing_certificate(path, named.production);
        judged.map_err(|mistake| note("identity.signing_certificate", mistake)).ok()
    });
    // Without the certificate it is not known whose the keys are: only their form is judged.
    let development = certificate.as_ref().is_none_or(Certificate::is_development);
    if let Some(path) = &named.signing_key {
        let judged = match certificate {
            Some(certificate) => signing_key(path, certificate).map(drop),
            None => private(path, development).map(drop),
        };
        let _ = judged.map_err(|mistake| note("identity.signing_key", mistake));
    }
    if let Some(path) = &named.ledger_key {
        let _ = ledger_key(path, development).map_err(|mistake| note("identity.ledger_key", mistake));
    }
    for path in &named.peer_signing_certificates {
        let judged = peer_signing_certificate(path, named.production);
        let _ = judged.map_err(|mistake| note("peer.signing_certificates", mistake));
    }
    if let Some(path) = &named.peer_ledger_key {
        let _ = peer_ledger_key(path).map_err(|mistake| note("peer.ledger_key", mistake));
    }
    for (key, path) in &named.heads {
        let _ = head_certificates(path, named.production).map_err(|mistake| note(key, mistake));
    }
    let dated = path.and_then(|path| dated(path, now));
    found.extend(dated.map(|what| ("identity.signing_certificate".to_owned(), what)));
    found
}

/// What the daemon starts with all the same, but nobody else accepts.
fn dated(path: &Path, now: Option<SystemTime>) -> Option<String> {
    let (now, certificate) = (now?, first(path).ok()?);
    let shown = |time: SystemTime| {
        jiff::Timestamp::try_from(time).map_or_else(|_| String::new(), |at| at.to_string())
    };
    let path = path.display();
    if now > certificate.not_after() {
        let end = shown(certificate.not_after());
        return Some(format!("{path}: the certificate has expired on {end}; put a renewed one in its place"));
    }
    let begin = certificate.not_before();
    (now < begin).then(|| format!("{path}: the certificate is valid only from {}", shown(begin)))
}

/// The key under which a door's table names the file at fault.
fn key_of(error: &TlsError) -> &'static str {
    match error {
        TlsError::Unreadable { file, .. }
        | TlsError::TooLarge { file, .. }
        | TlsError::Certificate { file, .. }
        | TlsError::Development { file, .. } => match file {
            TlsFile::Chain => "certificate",
            TlsFile::Key => "key",
            TlsFile::Authority => "authorities",
            TlsFile::Revocation => "revocation_list",
        },
        TlsError::OpenKey { .. }
        | TlsError::Key { .. }
        | TlsError::KeyForm { .. }
        | TlsError::KeyMismatch => "key",
        TlsError::NoAuthority => "authorities",
        TlsError::Revocation { .. } => "revocation_list",
        TlsError::Configuration(_) => "certificate",
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, FileMistake> {
    let pem = std::fs::read(path).map_err(|error| mistake(path, error))?;
    Certificate::all_from_pem(&pem).map_err(|error| mistake(path, error))
}

fn first(path: &Path) -> Result<Certificate, FileMistake> {
    certificates(path)?.into_iter().next().ok_or_else(|| mistake(path, "no certificate in this file"))
}

fn fit(path: &Path, production: bool, certificate: Certificate) -> Result<Certificate, FileMistake> {
    if production && certificate.is_development() {
        return Err(mistake(path, DEVELOPMENT));
    }
    Ok(certificate)
}

/// Keys made for development lie in public; others must be their owner's alone.
fn private(path: &Path, development: bool) -> Result<Zeroizing<Vec<u8>>, FileMistake> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|error| mistake(path, error))?.permissions().mode();
    if mode & 0o077 != 0 && !development {
        return Err(mistake(path, "the key is open to group or others: chmod 600"));
    }
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(|error| mistake(path, error))?;
    crate::crypto::keyfile::pkcs8(&bytes).map_err(|error| mistake(path, error))?;
    Ok(bytes)
}

fn mistake(path: &Path, what: impl std::fmt::Display) -> FileMistake {
    FileMistake { path: path.to_owned(), what: what.to_string() }
}
