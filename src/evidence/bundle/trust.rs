//! Whose keys the reader knows, and what follows for the keys of a bundle.

use super::check::Proven;
use crate::crypto::digest::Digest;
use std::collections::BTreeMap;

/// A key whose holder the reader knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Whose it is; `None` believes the bundle about that.
    pub party: Option<String>,
    /// Its fingerprint.
    pub key: Digest,
}

/// Why a key is trusted as a key of its Party; the best reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The reader said whose it is.
    Named,
    /// The reader named the key, and the bundle says whose it is.
    Listed,
    /// A trusted key of the same Party introduced it.
    Introduced,
}

/// Each trusted key with the Party it is trusted as a key of.
pub type Trusted = BTreeMap<(String, Digest), Because>;

impl Named {
    /// Why a key that is said to be of a Party is trusted as that; `None` where it is not.
    pub fn vouches(&self, party: &str, key: &Digest) -> Option<Because> {
        match &self.party {
            _ if self.key != *key => None,
            None => Some(Because::Listed),
            Some(named) => (named == party).then_some(Because::Named),
        }
    }
}

impl Proven {
    /// The trusted keys: those that are named, and those that one of these introduced, again and again.
    pub fn trusted(&self, named: &[Named]) -> Trusted {
        let mut trusted = Trusted::new();
        for (party, key) in &self.keys {
            if let Some(because) = named.iter().filter_map(|it| it.vouches(party, key)).min() {
                trusted.insert((party.clone(), *key), because);
            }
        }
        self.follow(&mut trusted);
        trusted
    }

    /// Adds the keys that a trusted key of the same Party introduced.
    pub fn follow(&self, trusted: &mut Trusted) {
        loop {
            let before = trusted.len();
            for (key, by) in &self.introductions {
                let party = self.keys.iter().find(|(_, listed)| listed == key).map(|(party, _)| party);
                if let Some(party) = party.filter(|party| trusted.contains_key(&((*party).clone(), *by))) {
                    trusted.entry((party.clone(), *key)).or_insert(Because::Introduced);
                }
            }
            if trusted.len() == before {
                return;
            }
        }
    }
}
