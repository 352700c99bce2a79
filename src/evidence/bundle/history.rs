//! How the keys that a bundle rests on came into use: out of the store, into the list of keys.

use super::check::Proven;
use super::compose::ComposeError;
use super::facts::{Base64, Introduced, KeyFact, KeyUse, Parts};
use crate::channel::lookup::Lookup;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::store::{OpenedEvent, Store, StoreError};
use crate::wire::ledger::v1::{KeyIntroduced, event::Fact};
use std::collections::BTreeSet;

/// Generations of keys that are told; who trusts none of them must know the newest.
const GENERATIONS_MAX: usize = 8;

/// Certificates of a key that the channel tells of.
pub(super) fn certificates(store: &Store, key_id: &[u8]) -> Result<Vec<Certificate>, StoreError> {
    let Some(id) = Digest::from_slice(key_id) else { return Ok(Vec::new()) };
    let event = told(store, &id)?;
    let both = event.iter().flat_map(|event| [&event.certificate, &event.introducer]);
    let read = both.filter_map(|der| Certificate::from_der(der).ok());
    Ok(read.filter(|certificate| certificate.key_id() == id).collect())
}

/// Lists the keys that something rests on, each with the message that introduced it and the key that signed that; drops
/// every other.
pub(super) fn complete(
    store: &Store,
    parts: &mut Parts,
    proven: &Proven,
    manifest_key: Digest,
) -> Result<(), ComposeError> {
    let mut wanted: Vec<Digest> = vec![proven.signing_key, proven.record.key, manifest_key];
    wanted.extend(proven.receipt.iter().map(|receipt| receipt.key));
    wanted.extend(proven.earliest.iter().chain(&proven.latest).map(|cosigned| cosigned.key));
    let listed = std::mem::take(&mut parts.facts.keys);
    let mut done = BTreeSet::new();
    for _ in 0..GENERATIONS_MAX {
        let mut introducers = Vec::new();
        for id in wanted.into_iter().filter(|id| done.insert(*id)) {
            let event = told(store, &id)?.filter(|event| Digest::of(&event.key) == id);
            let fact = listed.iter().find(|fact| Digest::of(&fact.key.0) == id).cloned();
            let mut fact = match (fact, introducers_fact(&listed, &parts.facts.keys, store, &id)?) {
                (Some(fact), _) | (None, Some(fact)) => fact,
                (None, None) => continue,
            };
            if let Some(event) = event {
                let introducer = Certificate::from_der(&event.introducer).map(|it| it.key_id());
                fact.introduced = introduced(store, &event)?;
                introducers.extend(introducer.ok().filter(|_| fact.introduced.is_some()));
            }
            parts.facts.keys.push(fact);
        }
        wanted = introducers;
        if wanted.is_empty() {
            return Ok(());
        }
    }
    // The eldest that is told stands for itself.
    let known: BTreeSet<Digest> = parts.facts.keys.iter().map(|fact| Digest::of(&fact.key.0)).collect();
    for fact in &mut parts.facts.keys {
        let by = fact.introduced.as_ref().and_then(|it| Certificate::from_der(&it.certificate.0).ok());
        if by.is_some_and(|by| !known.contains(&by.key_id())) {
            fact.introduced = None;
        }
    }
    Ok(())
}

/// A signing key that is known from what it introduced.
fn introducers_fact(
    listed: &[KeyFact],
    done: &[KeyFact],
    store: &Store,
    id: &Digest,
) -> Result<Option<KeyFact>, StoreError> {
    let of = |fact: &&KeyFact| {
        let by = fact.introduced.as_ref().and_then(|it| Certificate::from_der(&it.certificate.0).ok());
        by.is_some_and(|by| by.key_id() == *id)
    };
    let Some(introduced) = done.iter().chain(listed).find(of) else { return Ok(None) };
    let mut certificates = certificates(store, id.as_bytes())?;
    Ok(certificates.pop().map(|certificate| KeyFact {
        party: introduced.party.clone(),
        used_for: KeyUse::Signing,
        key: Base64(certificate.spki_der().to_vec().into()),
        introduced: None,
    }))
}

fn told(store: &Store, id: &Digest) -> Result<Option<KeyIntroduced>, StoreError> {
    let mut found = None;
    // The newest that tells of it may be one that it signed the introduction of.
    for leaf in store.named(&Lookup::Key(*id.as_bytes()))? {
        if let Some(Fact::KeyIntroduced(event)) = &store.event(leaf)?.event.fact {
            let itself = Digest::of(&event.key) == *id;
            found = Some(event.clone());
            if itself {
                break;
            }
        }
    }
    Ok(found)
}

/// The message that introduced a key, from this Party's chain or the other's.
fn introduced(store: &Store, event: &KeyIntroduced) -> Result<Option<Introduced>, StoreError> {
    let lookup = match event.of_counterparty {
        true => Lookup::Consumed(event.sequence),
        false => Lookup::Sealed(event.sequence),
    };
    let Some(message) = store.find(&lookup)? else { return Ok(None) };
    let Some(item) = store.item(&message)? else { return Ok(None) };
    let OpenedEvent { record, .. } = message.as_ref();
    Ok(Some(Introduced {
        envelope: Base64(record.envelope.clone()),
        signature: Base64(record.signature.clone()),
        certificate: Base64(event.introducer.clone()),
        body: Base64(item.body),
        salt: Base64(item.salt),
    }))
}
