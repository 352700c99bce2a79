//! The keys, certificates and identifiers that the configuration names, read from their files.

use super::AppError;
use crate::backoffice::caller::Callers;
use crate::backoffice::evidence::Keyrings;
use crate::config::files::{self, FileMistake};
use crate::config::{Client, Settings};
use crate::crypto::digest::Digest;
use crate::evidence::bundle::Keyring;
use crate::exchange::start::Keeper;
use crate::index;
use crate::peer::{Link, Trust};
use crate::wire;
use std::sync::Arc;

/// Whether development certificates are refused.
pub(super) fn is_production(settings: &Settings) -> bool {
    settings.terms.environment == wire::channel::v1::Environment::Production
}

/// Reads the keys that a ledger is kept with.
pub fn keeper(settings: &Settings) -> Result<Keeper, AppError> {
    let certificate = files::signing_certificate(&settings.signing.certificate, is_production(settings))?;
    let development = certificate.is_development();
    let signing_key = files::signing_key(&settings.signing.key, certificate)?;
    let ledger_key = files::ledger_key(&settings.ledger_key, development)?;
    Ok(Keeper { terms: settings.terms.clone(), signing_key, ledger_key })
}

/// Reads what is trusted of the other Party.
pub fn trust(settings: &Settings) -> Result<Trust, AppError> {
    Ok(trusted(settings)?)
}

pub(super) fn trusted(settings: &Settings) -> Result<Trust, FileMistake> {
    let production = is_production(settings);
    let paths = settings.peer.signing_certificates.iter();
    let signing = paths.map(|path| files::peer_signing_certificate(path, production));
    Ok(Trust {
        signing: signing.collect::<Result<_, _>>()?,
        ledger_key: files::peer_ledger_key(&settings.peer.ledger_key)?,
    })
}

/// The key of each client, as its certificate file has it now.
pub(super) fn client_keys(settings: &Settings) -> Result<Vec<Digest>, FileMistake> {
    let production = is_production(settings);
    settings.clients.iter().map(|client| files::client_key(&client.certificate, production)).collect()
}

/// The callers of the back-office door, with these keys. Feeds that are open in `before` go on counting.
pub(super) fn callers(settings: &Settings, keys: &[Digest], before: Option<&Callers>) -> Callers {
    let mut callers = Callers::of(settings.officials.clone());
    for (Client { name, officials, .. }, key) in settings.clients.iter().zip(keys) {
        let all = officials.iter().any(|official| official == "*");
        let officials: Vec<String> = match all {
            true => settings.officials.keys().cloned().collect(),
            false => officials.clone(),
        };
        callers.add(*key, name, officials, before);
    }
    callers
}

/// The keys that the store's signatures are of: this Party's, and what is trusted of the other now.
pub(super) fn keyrings(settings: &Settings, link: &Link) -> Keyrings {
    let (link, revocation) = (link.clone(), settings.peer.door.tls.revocation.clone());
    Keyrings(Arc::new(move || {
        let (core, trust) = (link.engine.core(), link.trust.load());
        Keyring {
            terms: core.terms.clone(),
            own_certificates: vec![core.signing_key.certificate().clone()],
            peer_certificates: trust.signing.clone(),
            own_ledger_keys: vec![core.ledger_key.public()],
            peer_ledger_keys: vec![trust.ledger_key],
            revocation: revocation.as_deref().and_then(|path| std::fs::read(path).ok()),
        }
    }))
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
