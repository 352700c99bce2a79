//! All that is wrong with the files of a TLS party, for those who look before it starts.
//!
//! [`super::TlsState::load`] stops at the first mistake. An operator who mends files wants to hear of each.

use std::path::Path;

use rustls::RootCertStore;

use super::files::{certificates, read};
use super::material::{Material, anchors, fit, key, lists, pair};
use super::provider::provider;
use super::settings::{TlsError, TlsFile, TlsSettings};
use crate::crypto::Certificate;

/// What is wrong with each file that is named; a path that is empty names none. Blocks on the file system.
#[must_use]
pub fn problems(settings: &TlsSettings) -> Vec<TlsError> {
    let mut found = Vec::new();
    let provider = provider(settings.hybrid);
    let chain = own_chain(settings, &mut found);
    let leaf = chain.as_ref().and_then(|chain| chain.first());
    let own_key = named(&settings.key).and_then(|path| {
        // Whose key it is decides about its mode; of an unreadable certificate nothing is known.
        let development = leaf.is_none_or(Certificate::is_development);
        note(&mut found, read(TlsFile::Key, path).and_then(|read| key(&read, development, &provider)))
    });
    if let (Some(chain), Some(own_key)) = (&chain, own_key) {
        note(&mut found, pair(chain, own_key));
    }
    for path in &settings.authorities {
        let anchored = read(TlsFile::Authority, path)
            .and_then(|read| anchors(settings, &read, &mut RootCertStore::empty()));
        note(&mut found, anchored);
    }
    if let Some(path) = &settings.revocation {
        note(&mut found, read(TlsFile::Revocation, path).and_then(|read| lists(&read)));
    }
    // Each part is sound on its own; whether they make a whole is for the loader to say.
    let complete = chain.is_some() && named(&settings.key).is_some() && !settings.authorities.is_empty();
    if found.is_empty() && complete {
        note(&mut found, Material::load(settings.clone()));
    }
    found
}

fn own_chain(settings: &TlsSettings, found: &mut Vec<TlsError>) -> Option<Vec<Certificate>> {
    let read = note(found, read(TlsFile::Chain, named(&settings.chain)?))?;
    let chain = note(found, certificates(TlsFile::Chain, &read))?;
    if let Some(leaf) = chain.first() {
        note(found, fit(settings, TlsFile::Chain, &read, leaf));
    }
    Some(chain)
}

fn named(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}

fn note<T>(found: &mut Vec<TlsError>, outcome: Result<T, TlsError>) -> Option<T> {
    outcome.map_err(|error| found.push(error)).ok()
}
