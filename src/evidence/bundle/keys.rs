//! The keys that a bundle lists, and which of them introduced which.

use super::facts::{Facts, Introduced, KeyFact, KeyUse};
use super::{BundleFault, broken, facts};
use crate::crypto::certificate::Certificate;
use crate::crypto::cms;
use crate::crypto::digest::{Digest, commitment};
use crate::wire::channel::v1 as wire;
use prost::Message as _;

/// Keys of both Parties.
#[derive(Debug)]
pub(super) struct Keys {
    list: Vec<(String, KeyUse, Digest, bytes::Bytes)>,
    /// Each key with the one that introduced it.
    pub introductions: Vec<(Digest, Digest)>,
}

impl Keys {
    /// Reads the list and verifies every introduction in it.
    pub fn read(facts: &Facts) -> Result<Self, BundleFault> {
        let digest = |fact: &KeyFact| Digest::of(&fact.key.0);
        let list: Vec<_> = facts
            .keys
            .iter()
            .map(|fact| (fact.party.clone(), fact.used_for, digest(fact), fact.key.0.clone()))
            .collect();
        let mut keys = Self { list, introductions: Vec::new() };
        for fact in &facts.keys {
            if let Some(introduced) = &fact.introduced {
                let by = keys.introduced(facts, fact, introduced)?;
                keys.introductions.push((digest(fact), by));
            }
        }
        Ok(keys)
    }

    /// Every key, with the Party it is said to be of.
    pub fn listed(&self) -> Vec<(String, Digest)> {
        self.list.iter().map(|(party, _, digest, _)| (party.clone(), *digest)).collect()
    }

    /// The ledger keys of a Party.
    pub fn ledger(&self, party: &str) -> impl Iterator<Item = [u8; 32]> {
        let of = move |(whose, used_for, ..): &&(String, KeyUse, _, _)| {
            whose == party && *used_for == KeyUse::Ledger
        };
        self.list.iter().filter(of).filter_map(|(.., key)| key.as_ref().try_into().ok())
    }

    /// Whether this is a signing key of the Party.
    pub fn is_signing(&self, party: &str, key: &Digest) -> bool {
        self.list.iter().any(|(whose, used_for, digest, _)| {
            whose == party && *used_for == KeyUse::Signing && digest == key
        })
    }

    /// The key that introduced another.
    fn introduced(&self, facts: &Facts, fact: &KeyFact, it: &Introduced) -> Result<Digest, BundleFault> {
        let wrong = |what: &str| broken(facts::FACTS, format!("a key's introduction {what}"));
        let certificate =
            Certificate::from_der(&it.certificate.0).map_err(|_| wrong("has no readable certificate"))?;
        cms::verify(&it.signature.0, &certificate, &it.envelope.0)
            .map_err(|error| wrong(&error.to_string()))?;
        let by = certificate.key_id();
        let envelope =
            wire::Envelope::decode(it.envelope.0.clone()).map_err(|_| wrong("has no readable envelope"))?;
        let service = wire::StatementType::try_from(envelope.statement_type)
            == Ok(wire::StatementType::Service)
            && envelope.kind == wire::ServiceKind::KeyIntroduction as u32;
        if !service
            || envelope.sender != fact.party
            || envelope.agreement_id != facts.agreement
            || !self.is_signing(&fact.party, &by)
            || envelope.signing_key_id != by.as_bytes().as_slice()
        {
            return Err(wrong("is not a statement of the Party's own listed key"));
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
        Ok(by)
    }
}
