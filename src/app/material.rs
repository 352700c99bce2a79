//! The keys, certificates and identifiers that the configuration names, read from their files.

use super::AppError;
use crate::config::Settings;
use crate::crypto::certificate::Certificate;
use crate::crypto::ed25519::LedgerKey;
use crate::crypto::signing::SigningKey;
use crate::exchange::start::Keeper;
use crate::index;
use crate::peer::Trust;
use crate::wire;
use base64::Engine as _;
use std::path::Path;

/// Reads the keys that a ledger is kept with.
pub fn keeper(settings: &Settings) -> Result<Keeper, AppError> {
    let certificate_path = &settings.signing.certificate;
    let certificate = one_certificate(certificate_path)?;
    let production = settings.terms.environment == wire::channel::v1::Environment::Production;
    if production && certificate.is_development() {
        return Err(unusable(
            certificate_path,
            "the certificate is marked as made for development; use one of your authority in production",
        ));
    }
    if !certificate.may_sign() {
        return Err(unusable(
            certificate_path,
            "the certificate is not for signatures: its key usage lacks digitalSignature",
        ));
    }
    let development = certificate.is_development();
    let key = read_key(&settings.signing.key, development)?;
    let signing_key =
        SigningKey::from_pkcs8(&key, certificate).map_err(|error| unusable(&settings.signing.key, error))?;
    let key = read_key(&settings.ledger_key, development)?;
    let ledger_key = LedgerKey::from_pkcs8(&key).map_err(|error| unusable(&settings.ledger_key, error))?;
    Ok(Keeper { terms: settings.terms.clone(), signing_key, ledger_key })
}

/// Reads what is trusted of the other Party.
pub fn trust(settings: &Settings) -> Result<Trust, AppError> {
    let production = settings.terms.environment == wire::channel::v1::Environment::Production;
    let mut signing = Vec::new();
    for path in &settings.peer.signing_certificates {
        let certificate = one_certificate(path)?;
        if production && certificate.is_development() {
            return Err(unusable(path, "the certificate is marked as made for development"));
        }
        signing.push(certificate);
    }
    let path = &settings.peer.ledger_key;
    let text = std::fs::read_to_string(path).map_err(|error| unusable(path, error))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim());
    let ledger_key = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    let ledger_key =
        ledger_key.ok_or_else(|| unusable(path, "the base64 of a 32-byte Ed25519 public key is expected"))?;
    Ok(Trust { signing, ledger_key })
}

/// What the query index belongs to.
pub fn index_settings(settings: &Settings) -> Result<index::Settings, AppError> {
    let identity = crate::journal::identity::Identity::read(&crate::disk::SystemDisk, &settings.store.paths);
    let identity = identity.map_err(|error| AppError::Store(error.into()))?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok(index::Settings {
        store: identity.store.0,
        boot: boot.trim().to_owned(),
        cache_bytes: settings.index_cache_bytes,
    })
}

fn one_certificate(path: &Path) -> Result<Certificate, AppError> {
    let pem = std::fs::read(path).map_err(|error| unusable(path, error))?;
    let mut all = Certificate::all_from_pem(&pem).map_err(|error| unusable(path, error))?;
    if all.is_empty() { Err(unusable(path, "no certificate in this file")) } else { Ok(all.swap_remove(0)) }
}

/// Keys made for development lie in public; others must be their owner's alone.
fn read_key(path: &Path, development: bool) -> Result<zeroize::Zeroizing<Vec<u8>>, AppError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|error| unusable(path, error))?.permissions().mode();
    if mode & 0o077 != 0 && !development {
        return Err(unusable(path, "the key is open to group or others: chmod 600"));
    }
    std::fs::read(path).map(zeroize::Zeroizing::new).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, what: impl std::fmt::Display) -> AppError {
    AppError::File { path: path.to_owned(), what: what.to_string() }
}
