//! The keys of both Parties as the channel itself tells of them: from the founding on, by introduction and retirement.
//!
//! Keys that only the configuration names are not here. A retired key of the other Party is out of use wherever it is
//! named.

use super::state::FoldError;
use crate::crypto::digest::Digest;
use crate::wire::channel::v1::{ChannelState, Envelope, KeyInUse, KeyUse, RetiredKey, StatementType};
use crate::wire::ledger::v1::{Founded, KeyIntroduced, KeyRetired, event::Fact};
use bytes::Bytes;
use prost_types::Timestamp;
use std::collections::BTreeSet;

/// Most keys of one Party and use at a time: the one in use, those that are being retired, and one that comes.
pub const KEYS_MAX: usize = 4;
/// Retired keys of the other Party that are remembered. One that is forgotten here counts again where the configuration
/// still names it.
const RETIRED_MAX: usize = 64;
/// Retired keys of one Party and use that can still verify what they signed before.
const KEPT_MAX: usize = 8;
/// Most service statements of this Party that wait for their receipt at a time.
pub const OPEN_SERVICES_MAX: usize = 16;

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This Party's.
    Own,
    /// The other Party's.
    Peer,
}

/// A key in use.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Whose.
    pub side: Side,
    /// What for.
    pub used_for: KeyUse,
    /// SubjectPublicKeyInfo (DER); for LEDGER the Ed25519 public key.
    pub key: Bytes,
    /// Certificate (DER); empty for LEDGER, and for the key that the ledger was founded with.
    pub certificate: Bytes,
    /// When it came into use here.
    pub since: Timestamp,
    /// Place of its introduction in its Party's chain; 0 for one of the founding or of a revocation.
    pub sequence: u64,
    /// It went out of use: it verifies what came before, and nothing new.
    pub is_retired: bool,
}

impl Key {
    /// SHA-256 of the key.
    pub fn id(&self) -> Digest {
        Digest::of(&self.key)
    }
}

/// The keys of both Parties.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys {
    known: Vec<Key>,
    /// Keys of either Party that only the configuration named and that went out of use.
    retired: Vec<(Side, Digest)>,
    events: u64,
    open_services: BTreeSet<u64>,
}

impl Keys {
    /// Rises with every change.
    pub fn version(&self) -> u64 {
        self.events
    }

    /// The keys in use, in the order they came into use.
    pub fn of(&self, side: Side, used_for: KeyUse) -> impl Iterator<Item = &Key> {
        self.known(side, used_for).filter(|key| !key.is_retired)
    }

    /// The same, and those that went out of use not long ago.
    pub fn known(&self, side: Side, used_for: KeyUse) -> impl Iterator<Item = &Key> {
        self.known.iter().filter(move |key| key.side == side && key.used_for == used_for)
    }

    /// The key that this Party uses: the one that came into use last.
    pub fn own(&self, used_for: KeyUse) -> Option<&Key> {
        self.of(Side::Own, used_for).last()
    }

    /// Whether a key went out of use.
    pub fn is_retired(&self, side: Side, id: &Digest) -> bool {
        let known = self.known.iter().any(|key| key.side == side && key.is_retired && key.id() == *id);
        known || self.retired.contains(&(side, *id))
    }

    /// Whether a service statement of this Party, by its sequence, waits for its receipt.
    pub fn is_open_service(&self, sequence: u64) -> bool {
        self.open_services.contains(&sequence)
    }

    /// Service statements of this Party that wait for their receipts.
    pub fn open_services(&self) -> usize {
        self.open_services.len()
    }

    /// Whether the other Party may introduce this key, as far as the keys in use tell.
    pub fn may_introduce(&self, used_for: KeyUse, id: &Digest) -> bool {
        let of_use: Vec<Digest> = self.of(Side::Peer, used_for).map(Key::id).collect();
        of_use.len() < KEYS_MAX && !of_use.contains(id) && !self.is_retired(Side::Peer, id)
    }

    pub(super) fn apply(
        &mut self,
        fact: &Fact,
        at: Timestamp,
        envelope: Option<&Envelope>,
    ) -> Result<(), FoldError> {
        match fact {
            Fact::Founded(founded) => self.found(founded, at),
            Fact::KeyIntroduced(event) => return self.introduce(event, at),
            Fact::KeyRetired(event) => return self.retire(event),
            Fact::PeerRestored(restored) if restored.revoked => self.set_back(restored.consumed_sequence),
            Fact::Sealed(sealed) if envelope.is_some_and(is_service) => {
                self.open_services.insert(sealed.sequence);
            }
            Fact::Acknowledged(acknowledged) => {
                self.open_services.remove(&acknowledged.sequence);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether these facts about keys can follow, all of them.
    pub fn takes(&self, facts: &[Fact]) -> bool {
        let mut trial = self.clone();
        facts.iter().all(|fact| trial.apply(fact, Timestamp::default(), None).is_ok())
    }

    /// What the other Party's chain is set back behind counts no more: neither do the keys that were introduced there.
    fn set_back(&mut self, sequence: u64) {
        for key in &mut self.known {
            key.is_retired |= key.side == Side::Peer && key.sequence > sequence;
        }
        self.events += 1;
    }

    fn found(&mut self, founded: &Founded, since: Timestamp) {
        let founding = [(KeyUse::Signing, &founded.signing_key), (KeyUse::Ledger, &founded.ledger_key)];
        self.known = founding
            .map(|(used_for, key)| Key {
                side: Side::Own,
                used_for,
                key: key.clone(),
                certificate: Bytes::new(),
                since,
                sequence: 0,
                is_retired: false,
            })
            .to_vec();
    }

    fn introduce(&mut self, event: &KeyIntroduced, since: Timestamp) -> Result<(), FoldError> {
        let side = side(event.of_counterparty);
        let (used_for, id) = (event.r#use(), Digest::of(&event.key));
        // A revocation is its Party's last word: a thief may have introduced or retired the very key that it brings.
        if event.sequence == 0 {
            self.known.retain(|key| key.side != side || key.id() != id);
            self.retired.retain(|retired| *retired != (side, id));
        }
        if self.known(side, used_for).any(|key| key.id() == id)
            || used_for == KeyUse::Unspecified
            || self.of(side, used_for).count() >= KEYS_MAX
        {
            return Err(FoldError::Key);
        }
        let (key, certificate) = (event.key.clone(), event.certificate.clone());
        let sequence = event.sequence;
        self.known.push(Key { side, used_for, key, certificate, since, sequence, is_retired: false });
        self.events += 1;
        Ok(())
    }

    /// A key that only the configuration names can be retired too.
    fn retire(&mut self, event: &KeyRetired) -> Result<(), FoldError> {
        let (side, used_for) = (side(event.of_counterparty), event.r#use());
        let id = Digest::from_slice(&event.key_id).ok_or(FoldError::Key)?;
        let of_use = |key: &Key| key.side == side && key.used_for == used_for;
        match self.known.iter_mut().find(|key| of_use(key) && key.id() == id) {
            Some(key) => key.is_retired = true,
            None => {
                self.retired.push((side, id));
                let surplus = self.retired.len().saturating_sub(RETIRED_MAX);
                self.retired.drain(..surplus);
            }
        }
        let surplus = self.known.iter().filter(|key| of_use(key) && key.is_retired).count();
        if surplus > KEPT_MAX
            && let Some(oldest) = self.known.iter().position(|key| of_use(key) && key.is_retired)
        {
            self.known.remove(oldest);
        }
        self.events += 1;
        Ok(())
    }

    pub(super) fn write(&self, state: &mut ChannelState) {
        let key = |key: &Key| KeyInUse {
            of_counterparty: key.side == Side::Peer,
            r#use: key.used_for.into(),
            key: key.key.clone(),
            certificate: key.certificate.clone(),
            since: Some(key.since),
            retired: key.is_retired,
            sequence: key.sequence,
        };
        state.keys = self.known.iter().map(key).collect();
        let retired = |(side, id): &(Side, Digest)| RetiredKey {
            of_counterparty: *side == Side::Peer,
            key_id: id.to_bytes(),
        };
        state.retired_keys = self.retired.iter().map(retired).collect();
        state.key_events = self.events;
        state.open_services = self.open_services.iter().copied().collect();
    }

    pub(super) fn read(state: &ChannelState) -> Option<Self> {
        let key = |key: &KeyInUse| {
            Some(Key {
                side: side(key.of_counterparty),
                used_for: key.r#use(),
                key: key.key.clone(),
                certificate: key.certificate.clone(),
                since: key.since?,
                sequence: key.sequence,
                is_retired: key.retired,
            })
        };
        let retired = |key: &RetiredKey| Some((side(key.of_counterparty), Digest::from_slice(&key.key_id)?));
        Some(Self {
            known: state.keys.iter().map(key).collect::<Option<_>>()?,
            retired: state.retired_keys.iter().map(retired).collect::<Option<_>>()?,
            events: state.key_events,
            open_services: state.open_services.iter().copied().collect(),
        })
    }
}

fn side(of_counterparty: bool) -> Side {
    if of_counterparty { Side::Peer } else { Side::Own }
}

fn is_service(envelope: &Envelope) -> bool {
    StatementType::try_from(envelope.statement_type) == Ok(StatementType::Service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ledger::v1::PeerRestored;

    fn introduced(of_counterparty: bool, used_for: KeyUse, key: u8) -> Fact {
        Fact::KeyIntroduced(KeyIntroduced {
            of_counterparty,
            r#use: used_for.into(),
            key: Bytes::from(vec![key; 32]),
            sequence: 1,
            ..KeyIntroduced::default()
        })
    }

    fn retired(of_counterparty: bool, used_for: KeyUse, key: u8) -> Fact {
        let key_id = Digest::of(&[key; 32]).to_bytes();
        let r#use = used_for.into();
        Fact::KeyRetired(KeyRetired { of_counterparty, key_id, r#use, ..KeyRetired::default() })
    }

    #[test]
    fn the_last_to_come_into_use_is_used_and_a_retired_one_never_again() {
        let mut keys = Keys::default();
        let apply = |keys: &mut Keys, fact: &Fact| keys.apply(fact, Timestamp::default(), None);
        let founded = Founded {
            signing_key: Bytes::from_static(&[1; 32]),
            ledger_key: Bytes::from_static(&[2; 32]),
            ..Founded::default()
        };
        apply(&mut keys, &Fact::Founded(founded)).unwrap();
        assert_eq!(keys.own(KeyUse::Signing).unwrap().key, [1; 32].as_slice());
        apply(&mut keys, &introduced(false, KeyUse::Signing, 3)).unwrap();
        assert_eq!(keys.own(KeyUse::Signing).unwrap().key, [3; 32].as_slice());
        assert_eq!(keys.own(KeyUse::Ledger).unwrap().key, [2; 32].as_slice());
        assert_eq!(apply(&mut keys, &introduced(false, KeyUse::Signing, 3)), Err(FoldError::Key));
        apply(&mut keys, &retired(false, KeyUse::Signing, 1)).unwrap();
        assert_eq!(keys.of(Side::Own, KeyUse::Signing).count(), 1);
        let id = Digest::of(&[4; 32]);
        assert!(keys.may_introduce(KeyUse::Ledger, &id));
        apply(&mut keys, &introduced(true, KeyUse::Ledger, 4)).unwrap();
        assert!(!keys.may_introduce(KeyUse::Ledger, &id));
        apply(&mut keys, &retired(true, KeyUse::Ledger, 4)).unwrap();
        assert!(keys.is_retired(Side::Peer, &id) && !keys.may_introduce(KeyUse::Ledger, &id));
        let mut state = ChannelState::default();
        keys.write(&mut state);
        assert_eq!(Keys::read(&state), Some(keys));
    }

    #[test]
    fn what_a_thief_introduced_goes_with_what_it_sent() {
        let mut keys = Keys::default();
        let fact = |sequence, key| match introduced(true, KeyUse::Signing, key) {
            Fact::KeyIntroduced(event) => Fact::KeyIntroduced(KeyIntroduced { sequence, ..event }),
            other => other,
        };
        for (sequence, key) in [(4, 1), (9, 2)] {
            keys.apply(&fact(sequence, key), Timestamp::default(), None).unwrap();
        }
        let revoked = PeerRestored { revoked: true, consumed_sequence: 8, ..PeerRestored::default() };
        keys.apply(&Fact::PeerRestored(revoked), Timestamp::default(), None).unwrap();
        let [kept, gone] = [1, 2].map(|key| Digest::of(&[key; 32]));
        assert!(!keys.is_retired(Side::Peer, &kept) && keys.is_retired(Side::Peer, &gone));
        assert!(!keys.takes(&[fact(10, 2)]), "by an introduction a retired key does not come back");
        assert!(keys.takes(&[fact(0, 2)]), "by a revocation it does");
        let many: Vec<Fact> = (3..10).map(|key| fact(0, key)).collect();
        assert!(!keys.takes(&many), "nobody makes room for ever more");
    }

    #[test]
    fn a_party_cannot_make_the_other_remember_without_end() {
        let mut keys = Keys::default();
        for key in 0..200 {
            let facts = [
                introduced(true, KeyUse::Tls, key),
                retired(true, KeyUse::Tls, key),
                retired(true, KeyUse::Signing, key),
            ];
            for fact in facts {
                keys.apply(&fact, Timestamp::default(), None).unwrap();
            }
        }
        assert_eq!(keys.retired.len(), RETIRED_MAX);
        assert_eq!(keys.known(Side::Peer, KeyUse::Tls).count(), KEPT_MAX);
        for key in 0..KEYS_MAX {
            let fact = introduced(true, KeyUse::Tls, u8::try_from(key).unwrap());
            keys.apply(&fact, Timestamp::default(), None).unwrap();
        }
        let one_more = introduced(true, KeyUse::Tls, 99);
        assert_eq!(keys.apply(&one_more, Timestamp::default(), None), Err(FoldError::Key));
    }
}
