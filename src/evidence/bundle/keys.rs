//! The keys that a bundle lists, and which of them introduced which.

use super::facts::{FACTS, Facts, Introduced, KeyFact, KeyUse};
use super::{BundleFault, broken, envelopes};
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::wire::channel::v1 as wire;
use bytes::Bytes;
use prost::Message as _;

/// Keys of both Parties.
#[derive(Debug)]
pub(super) struct Keys {
    list: Vec<Key>,
    introductions: Vec<Introduction>,
}

#[derive(Debug)]
struct Key {
    party: String,
    used_for: KeyUse,
    digest: Digest,
    bytes: Bytes,
}

#[derive(Debug)]
struct Introduction {
    key: Digest,
    by: Digest,
    /// In the Party's chain.
    sequence: u64,
}

impl Keys {
    /// Reads the list and verifies every introduction in it.
    pub fn read(terms: &Terms, facts: &Facts) -> Result<Self, BundleFault> {
        let mut keys = Self { list: Vec::new(), introductions: Vec::new() };
        for fact in &facts.keys {
            keys.add(terms, fact)?;
        }
        for fact in &facts.keys {
            if let Some(introduced) = &fact.introduced {
                let introduction = keys.introduced(terms, fact, introduced)?;
                keys.introductions.push(introduction);
            }
        }
        // An order that nothing can go round in: no key introduces itself, over others neither.
        for introduction in &keys.introductions {
            if keys
                .introductions
                .iter()
                .any(|it| it.by == introduction.key && it.sequence <= introduction.sequence)
            {
                return Err(broken(FACTS, "a key introduced another before it was introduced itself"));
            }
        }
        Ok(keys)
    }

    fn add(&mut self, terms: &Terms, fact: &KeyFact) -> Result<(), BundleFault> {
        let KeyFact { party, used_for, key, .. } = fact;
        let wrong = |what: &str| Err(broken(FACTS, what));
        if ![&terms.party, &terms.counterparty].contains(&party) {
            return wrong("it lists a key of a third Party");
        }
        if *used_for == KeyUse::Ledger && key.0.len() != 32 {
            return wrong("a ledger key has not 32 bytes");
        }
        match self.list.iter().find(|other| other.bytes == key.0) {
            Some(other) if other.party != *party => return wrong("one key cannot be both Parties'"),
            Some(_) => return wrong("it lists a key twice"),
            None => {}
        }
        let (party, digest, bytes) = (party.clone(), Digest::of(&key.0), key.0.clone());
        self.list.push(Key { party, used_for: *used_for, digest, bytes });
        Ok(())
    }

    /// Every key, with the Party it is said to be of.
    pub fn listed(&self) -> Vec<(String, Digest)> {
        self.list.iter().map(|key| (key.party.clone(), key.digest)).collect()
    }

    /// Each introduced key with the one that introduced it.
    pub fn introductions(&self) -> Vec<(Digest, Digest)> {
        self.introductions.iter().map(|it| (it.key, it.by)).collect()
    }

    /// The ledger keys in the order they are listed in, each with its Party.
    pub fn ledgers(&self) -> impl Iterator<Item = (&str, [u8; 32])> {
        let ledger = self.list.iter().filter(|key| key.used_for == KeyUse::Ledger);
        ledger.filter_map(|key| Some((key.party.as_str(), key.bytes.as_ref().try_into().ok()?)))
    }

    /// Whether this is a signing key of the Party.
    pub fn is_signing(&self, party: &str, key: &Digest) -> bool {
        self.list.iter().any(|it| it.party == party && it.used_for == KeyUse::Signing && it.digest == *key)
    }

    /// Whether the key was in use at a place in its Party's chain, as far as the list tells.
    pub fn is_introduced_before(&self, key: &Digest, sequence: u64) -> bool {
        self.introductions.iter().filter(|it| it.key == *key).all(|it| it.sequence < sequence)
    }

    /// The key that introduced another.
    fn introduced(
        &self,
        terms: &Terms,
        fact: &KeyFact,
        it: &Introduced,
    ) -> Result<Introduction, BundleFault> {
        let wrong = |what: &str| broken(FACTS, format!("a key's introduction {what}"));
        let certificate =
            Certificate::from_der(&it.certificate.0).map_err(|_| wrong("has no readable certificate"))?;
        let (envelope, by) = envelopes::signed(terms, self, &it.envelope.0, &it.signature.0, &certificate)
            .map_err(|fault| wrong(&format!("does not hold: {fault}")))?;
        let is_service = wire::StatementType::try_from(envelope.statement_type)
            == Ok(wire::StatementType::Service)
            && envelope.kind == wire::ServiceKind::KeyIntroduction as u32;
        if !is_service || envelope.sender != fact.party {
            return Err(wrong("is not the Party's own statement about a key"));
        }
        let salt: &[u8; 32] = it.salt.0.as_ref().try_into().map_err(|_| wrong("has no salt"))?;
        if commitment(salt, &it.body.0).as_bytes().as_slice() != envelope.body_commitment {
            return Err(wrong("has another body than was signed"));
        }
        let body =
            wire::KeyIntroduction::decode(it.body.0.clone()).map_err(|_| wrong("has no readable body"))?;
        let used_for = match body.r#use() {
            wire::KeyUse::Signing => Some(KeyUse::Signing),
            wire::KeyUse::Ledger => Some(KeyUse::Ledger),
            _ => None,
        };
        if used_for != Some(fact.used_for) || body.key != fact.key.0 {
            return Err(wrong("is of another key"));
        }
        Ok(Introduction { key: Digest::of(&fact.key.0), by, sequence: envelope.sequence })
    }
}
