//! The keys, certificates and identifiers that the configuration names, read from their files.

use super::AppError;
use crate::backoffice::caller::{Callers, Official};
use crate::backoffice::domestic::Domestic;
use crate::backoffice::evidence::Keyrings;
use crate::channel::keys::{Key, Keys, Side};
use crate::channel::terms::Terms;
use crate::config::files::{self, FileMistake};
use crate::config::{self, Client, Settings};
use crate::crypto::digest::Digest;
use crate::door::TlsSettings;
use crate::evidence::bundle::Keyring;
use crate::exchange::agreement::Heads;
use crate::exchange::keys::OwnKeys;
use crate::exchange::start::Keeper;
use crate::index;
use crate::peer::{Link, Trust};
use crate::wire::{self, channel::v1::KeyUse};
use std::path::PathBuf;
use std::sync::Arc;

/// Whether development certificates are refused.
pub(super) fn is_production(settings: &Settings) -> bool {
    settings.terms.environment == wire::channel::v1::Environment::Production
}

/// Reads the keys that a ledger is kept with.
pub fn keeper(settings: &Settings) -> Result<Keeper, AppError> {
    Ok(Keeper { terms: settings.terms.clone(), keys: own_keys(settings)?, heads: heads(settings)? })
}

/// Reads whose signatures are those of the heads of service.
pub(super) fn heads(settings: &Settings) -> Result<Heads, FileMistake> {
    let production = is_production(settings);
    let read = |path: &Option<PathBuf>| match path {
        Some(path) => files::head_certificates(path, production),
        None => Ok(Vec::new()),
    };
    Ok(Heads { own: read(&settings.head_certificate)?, peer: read(&settings.peer_head_certificate)? })
}

/// Reads what this Party signs with and opens connections with: now and, where the files are there, next.
pub(super) fn own_keys(settings: &Settings) -> Result<OwnKeys, FileMistake> {
    let production = is_production(settings);
    let mut keys = OwnKeys::default();
    for pair in
        std::iter::once(&settings.signing).chain(settings.next_signing.iter().filter(|it| it.exists()))
    {
        let certificate = files::signing_certificate(&pair.certificate, production)?;
        keys.signing.push(files::signing_key(&pair.key, certificate)?);
    }
    let development = keys.signing.iter().all(|key| key.certificate().is_development());
    let next = settings.next_ledger_key.iter().filter(|path| path.exists());
    for path in std::iter::once(&settings.ledger_key).chain(next) {
        keys.ledger.push(files::ledger_key(path, development)?);
    }
    let next = settings.peer.next.iter().filter(|it| it.exists()).map(|it| &it.certificate);
    for path in std::iter::once(&settings.peer.door.tls.chain).chain(next) {
        keys.tls.push(files::peer_signing_certificate(path, production)?);
    }
    Ok(keys)
}

/// What the door to the other Party works with: its pins are those of the configuration and what the Party introduced,
/// without what it retired; its own certificate is the one in force.
pub fn peer_tls(settings: &Settings, keys: &Keys) -> Result<TlsSettings, FileMistake> {
    let production = is_production(settings);
    let mut tls = settings.peer.door.tls.clone();
    tls.pins = files::pins(&settings.peer.pins, production)?;
    tls.pins.extend(keys.of(Side::Peer, KeyUse::Tls).map(Key::id));
    tls.pins.retain(|pin| !keys.is_retired(Side::Peer, pin));
    // No pins would mean any certified key: a Party that retires all its keys is let in with none.
    if tls.pins.is_empty() {
        tls.pins.insert(Digest::ZERO);
    }
    if let (Some(next), Some(active)) =
        (settings.peer.next.as_ref().filter(|it| it.exists()), keys.own(KeyUse::Tls))
        && files::peer_signing_certificate(&next.certificate, production)?.key_id() == active.id()
    {
        tls.chain.clone_from(&next.certificate);
        tls.key.clone_from(&next.key);
    }
    Ok(tls)
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
        ledger_keys: vec![files::peer_ledger_key(&settings.peer.ledger_key)?],
    })
}

/// The key of each client, as its certificate file has it now.
pub(super) fn client_keys(settings: &Settings) -> Result<Vec<Digest>, FileMistake> {
    let production = is_production(settings);
    settings.clients.iter().map(|client| files::client_key(&client.certificate, production)).collect()
}

/// Names of services and markings.
pub(super) fn domestic(settings: &Settings) -> Domestic {
    let config::Domestic { names, markings, highest_marking } = settings.domestic.clone();
    let names = names.into_iter().map(|it| (it.party, it.from, it.language, it.name));
    let markings = markings.into_iter().map(|it| (it.kind, it.confidential, it.marking));
    Domestic::new(names, markings, highest_marking)
}

/// The callers of the back-office door, with these keys. Feeds that are open in `before` go on counting.
pub(super) fn callers(settings: &Settings, keys: &[Digest], before: Option<&Callers>) -> Callers {
    // A key that can no longer be read is no key: its official's tokens are refused until it can.
    let official = |official: &config::Official| Official {
        roles: official.roles.clone(),
        token_key: official.token_key.as_deref().and_then(|path| files::token_key(path).ok()),
        cleared: official.cleared,
    };
    let known = settings.officials.iter().map(|(id, it)| (id.clone(), official(it))).collect();
    let audience = format!("article6/{}/{}", settings.terms.agreement, settings.terms.party);
    let mut callers = Callers::of(known, audience);
    for (Client { name, officials, trusted, .. }, key) in settings.clients.iter().zip(keys) {
        let all = officials.iter().any(|official| official == "*");
        let officials: Vec<String> = match all {
            true => settings.officials.keys().cloned().collect(),
            false => officials.clone(),
        };
        callers.add(*key, name, *trusted, officials, before);
    }
    callers
}

/// The keys that a store's signatures are of: those at hand, and those that the channel tells of.
pub fn keyring(
    terms: &Terms,
    own: &OwnKeys,
    trust: &Trust,
    keys: &Keys,
    revocation: Option<Vec<u8>>,
) -> Keyring {
    let mut keyring = Keyring {
        terms: terms.clone(),
        own_certificates: own.signing.iter().map(|key| key.certificate().clone()).collect(),
        peer_certificates: trust.signing.clone(),
        own_ledger_keys: Vec::new(),
        peer_ledger_keys: trust.ledger_keys.clone(),
        revocation,
    };
    let public = |key: &Key| <[u8; 32]>::try_from(key.key.as_ref()).ok();
    keyring.own_ledger_keys.extend(keys.known(Side::Own, KeyUse::Ledger).filter_map(public));
    keyring.peer_ledger_keys.extend(keys.known(Side::Peer, KeyUse::Ledger).filter_map(public));
    keyring
}

/// The keys that the store's signatures are of: this Party's, and what is trusted of the other now.
pub(super) fn keyrings(settings: &Settings, link: &Link) -> Keyrings {
    let (link, revocation) = (link.clone(), settings.peer.door.tls.revocation.clone());
    Keyrings(Arc::new(move || {
        let (keys, trust, state) = (link.engine.core().keys.load(), link.trust.load(), link.engine.state());
        let revocation = revocation.as_deref().and_then(|path| std::fs::read(path).ok());
        keyring(link.terms(), &keys, &trust, state.keys(), revocation)
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
