//! What only the store's keys can tell: records, chains, digests, bodies; `heads` what both Parties say of their ledgers.

mod heads;

use super::Keys;
use super::report::Fault;
use super::signatures::Job;
use crate::channel::envelope::STATEMENT;
use crate::channel::keys::Side;
use crate::channel::lookup::lookups;
use crate::channel::receipt::SentEnvelope;
use crate::channel::state::{PeerHead, State};
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::journal::footer::Fingerprint;
use crate::journal::frame::SealedEvent;
use crate::journal::reader::Stored;
use crate::ledger::{Checkpoint, Note};
use crate::store::{OpenedEvent, StoreError, name_fingerprint, open};
use crate::treaty;
use crate::vault::{Place, SealError, Vault};
use crate::wire::assistance::v1::Body;
use crate::wire::channel::v1::{Environment, KeyUse, StatementType};
use crate::wire::ledger::v1::{Item, KeyIntroduced, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Opens events and checks what is in them.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    keys: &'a Keys,
    vault: Arc<Vault>,
    /// `None` behind an event that cannot be folded, until a footer's snapshot.
    state: Option<State>,
    /// Sealed envelopes whose receipt has not come yet.
    sent: BTreeMap<u64, SentEnvelope>,
    /// The other Party's ledger as last recorded, and its epoch then.
    peer: (u32, PeerHead),
    /// Look-up keys of the segment.
    names: BTreeSet<(Fingerprint, u32)>,
    segment: u64,
    first_leaf: u64,
    /// The segment's key opens, so that items can be opened.
    opens_items: bool,
    /// Signatures and receipts to be verified.
    pub jobs: Vec<(u64, u64, Job)>,
    /// Messages checked.
    pub messages: u64,
    /// Keys that may sign the ledger: the founding one, and those that came into use since, without the retired.
    pub own_ledger_keys: Vec<[u8; 32]>,
    /// The key that the ledger was founded with.
    pub founded_with: Option<[u8; 32]>,
    /// Certificates of this Party's keys: those at hand, and those of the ledger.
    own_certificates: Arc<Vec<Certificate>>,
    /// Certificates of the other Party's keys.
    peer_certificates: Arc<Vec<Certificate>>,
    /// Keys of the other Party's ledger, the retired included.
    peer_ledger_keys: Arc<Vec<[u8; 32]>>,
    /// The store was founded with another key than is given.
    pub other_key: Option<&'static str>,
    /// Events whose stored effect is not what this software derives from the body.
    pub other_effects: u64,
}

impl<'a> Contents<'a> {
    /// Opens events with these keys.
    pub(super) fn new(keys: &'a Keys, vault: Arc<Vault>) -> Self {
        Self {
            keys,
            vault,
            state: Some(State::default()),
            sent: BTreeMap::new(),
            peer: (0, PeerHead { size: 0, root: Digest::ZERO }),
            names: BTreeSet::new(),
            segment: 0,
            first_leaf: 0,
            opens_items: true,
            jobs: Vec::new(),
            messages: 0,
            own_ledger_keys: Vec::new(),
            founded_with: None,
            own_certificates: Arc::new(keys.own_certificates.clone()),
            peer_certificates: Arc::new(keys.peer_certificates.clone()),
            peer_ledger_keys: Arc::new(keys.peer_ledger_keys.clone()),
            other_key: None,
            other_effects: 0,
        }
    }

    /// Begins a segment. False when its key does not open.
    pub(super) fn begin(&mut self, segment: u64, first_leaf: u64) -> bool {
        self.names.clear();
        (self.segment, self.first_leaf) = (segment, first_leaf);
        self.opens_items = self.vault.segment_key(segment).is_ok();
        self.opens_items
    }

    /// Nothing is known of the events before the next one.
    pub(super) fn lose(&mut self) {
        self.state = None;
    }

    /// Whether these are the look-up keys of the segment's events.
    pub(super) fn keys_are(&self, keys: &[(Fingerprint, u32)]) -> bool {
        self.names.iter().eq(keys)
    }

    /// Whether a sealed snapshot is of the state after the segment's last event.
    pub(super) fn state_is(&self, snapshot: &[u8]) -> bool {
        let Ok(opened) = self.vault.open_snapshot(snapshot) else { return false };
        self.state.as_ref().is_none_or(|state| state.encode() == *opened)
    }

    /// Goes on from a sealed snapshot where the events did not lead to a state.
    pub(super) fn resume(&mut self, snapshot: &[u8]) {
        if self.state.is_none() {
            self.state = self.vault.open_snapshot(snapshot).ok().and_then(|opened| State::decode(&opened));
        }
    }

    /// Checks the next event. What needs a signature verified is put aside as a job.
    pub(super) fn take(&mut self, leaf: u64, offset: u64, sealed: &SealedEvent) -> Result<(), Fault> {
        let stored = Stored { event: sealed.clone(), segment: self.segment };
        let opened = match open(&self.vault, leaf, stored) {
            Ok(opened) => opened,
            Err(error) => {
                self.lose();
                return Err(fault(&error));
            }
        };
        let ordinal = u32::try_from(leaf.saturating_sub(self.first_leaf)).unwrap_or(u32::MAX);
        let names = lookups(&opened.event, opened.envelope.as_deref(), &opened.record.effect);
        self.names.extend(names.iter().map(|name| (name_fingerprint(name), ordinal)));
        self.fold(&opened)?;
        self.check(leaf, offset, &opened, sealed)
    }

    fn fold(&mut self, opened: &OpenedEvent) -> Result<(), Fault> {
        let Some(state) = &mut self.state else { return Ok(()) };
        let folded = state.apply(&opened.event, opened.envelope.as_deref());
        if folded.is_err() {
            self.state = None;
        }
        Ok(folded?)
    }

    fn check(
        &mut self,
        leaf: u64,
        offset: u64,
        opened: &OpenedEvent,
        sealed: &SealedEvent,
    ) -> Result<(), Fault> {
        let (record, fact) = (&opened.record, opened.event.fact.as_ref());
        let speaks = matches!(
            fact,
            Some(Fact::Sealed(_) | Fact::Received(_) | Fact::Rejected(_) | Fact::Equivocation(_))
        );
        let holds = match fact {
            // What came back from the other Party may lack the content that it had turned down.
            Some(Fact::Sealed(sealed_event)) => !sealed_event.recalled || !sealed.item.is_empty(),
            Some(Fact::Received(received)) => !received.content_unavailable,
            Some(Fact::OrderProposed(_) | Fact::OrderDecided(_)) => true,
            _ => false,
        };
        let proves = matches!(fact, Some(Fact::Acknowledged(_) | Fact::PeerRestored(_)));
        let noted = match fact {
            Some(Fact::Witnessed(_) | Fact::Cosigned(_)) => record.notes.len() == 1,
            Some(Fact::Contradiction(_)) => (1..=2).contains(&record.notes.len()),
            Some(Fact::Acknowledged(_)) => record.notes.len() <= 1,
            _ => record.notes.is_empty(),
        };
        let wrong = [
            ("envelope", record.envelope.is_empty() == speaks),
            ("signature", record.signature.is_empty() == speaks),
            ("receipt", record.receipt.is_empty() == proves),
            ("item", sealed.item.is_empty() == holds),
            ("effect", !holds && !record.effect.is_empty()),
            ("note", !noted),
        ];
        if let Some((what, _)) = wrong.into_iter().find(|(_, wrong)| *wrong) {
            return Err(Fault::Stored(what));
        }
        match fact {
            Some(Fact::Founded(founded)) => self.check_founding(founded),
            Some(Fact::KeyIntroduced(event)) => self.take_key(event),
            Some(Fact::KeyRetired(event)) => {
                let retired = |key: &[u8; 32]| Digest::of(key).as_bytes().as_slice() == event.key_id;
                if !event.of_counterparty {
                    self.own_ledger_keys.retain(|key| !retired(key));
                }
                Ok(())
            }
            Some(Fact::Acknowledged(event)) => {
                self.check_receipt(leaf, offset, event, &record.receipt)?;
                // A receipt may be of an earlier epoch than the head that came with it.
                let terms = &self.keys.terms;
                let origin = record
                    .notes
                    .first()
                    .and_then(|note| Some(Checkpoint::parse(Note::parse(note).ok()?.text()).ok()?.origin));
                let epoch = origin.and_then(|origin| terms.epoch_in(&origin, &terms.counterparty));
                let epoch = epoch.unwrap_or(self.peer.0);
                self.check_head(leaf, offset, (event.peer_size, &event.peer_root), epoch, &record.notes)
            }
            Some(Fact::Witnessed(event)) => {
                self.check_head(leaf, offset, (event.size, &event.root), event.epoch, &record.notes)
            }
            Some(Fact::PeerRestored(event)) => {
                let root = Digest::from_slice(&event.common_root).unwrap_or(Digest::ZERO);
                self.peer = (event.epoch, PeerHead { size: event.common_size, root });
                Ok(())
            }
            Some(Fact::Cosigned(event)) => self.check_cosigned(leaf, offset, event, opened),
            Some(Fact::OrderProposed(it)) => self.check_text(leaf, sealed, &it.text_commitment),
            Some(Fact::OrderDecided(it)) => self.check_text(leaf, sealed, &it.text_commitment),
            Some(fact) if speaks => {
                self.check_envelope(leaf, offset, fact, opened)?;
                self.check_item(leaf, opened, sealed)
            }
            _ => Ok(()),
        }
    }

    fn check_founding(&mut self, founded: &crate::wire::ledger::v1::Founded) -> Result<(), Fault> {
        let terms = &self.keys.terms;
        if Environment::try_from(founded.environment) != Ok(terms.environment)
            || founded.agreement_id != terms.agreement
            || founded.party != terms.party
            || founded.counterparty != terms.counterparty
        {
            return Err(Fault::Founding);
        }
        self.founded_with = founded.ledger_key.as_ref().try_into().ok();
        self.own_ledger_keys.extend(self.founded_with);
        Ok(())
    }

    /// A key that came into use: from here on it may have signed.
    fn take_key(&mut self, event: &KeyIntroduced) -> Result<(), Fault> {
        let read = |der: &[u8]| Certificate::from_der(der).map_err(|_| Fault::Undecodable("certificate"));
        match (event.r#use(), event.of_counterparty) {
            (KeyUse::Ledger, own) => {
                let key = event.key.as_ref().try_into().map_err(|_| Fault::Undecodable("key"))?;
                match own {
                    false => self.own_ledger_keys.push(key),
                    true => Arc::make_mut(&mut self.peer_ledger_keys).push(key),
                }
            }
            (KeyUse::Signing, of_counterparty) => {
                let list =
                    if of_counterparty { &mut self.peer_certificates } else { &mut self.own_certificates };
                Arc::make_mut(list).push(read(&event.certificate)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn check_envelope(
        &mut self,
        leaf: u64,
        offset: u64,
        fact: &Fact,
        opened: &OpenedEvent,
    ) -> Result<(), Fault> {
        let record = &opened.record;
        let (envelope, signature) = (Digest::of(&record.envelope), Digest::of(&record.signature));
        let (told_envelope, told_signature, own) = match fact {
            Fact::Sealed(it) => (&it.envelope_digest, Some(&it.signature_digest), true),
            Fact::Received(it) => (&it.envelope_digest, Some(&it.signature_digest), false),
            Fact::Rejected(it) => (&it.envelope_digest, Some(&it.signature_digest), false),
            Fact::Equivocation(it) if it.held_digest != it.other_digest => (&it.other_digest, None, false),
            _ => return Err(Fault::Stored("envelope")),
        };
        if *told_envelope != envelope.as_bytes().as_slice() {
            return Err(Fault::Digest("envelope"));
        }
        if told_signature.is_some_and(|told| *told != signature.as_bytes().as_slice()) {
            return Err(Fault::Digest("signature"));
        }
        self.check_place(leaf, opened, own)?;
        if let Fact::Sealed(it) = fact {
            self.sent
                .insert(it.sequence, SentEnvelope { sequence: it.sequence, digest: envelope, signature });
        }
        if !matches!(fact, Fact::Equivocation(_)) {
            self.messages += 1;
        }
        let (bytes, signature) = (record.envelope.clone(), record.signature.clone());
        let certificates = if own { &self.own_certificates } else { &self.peer_certificates }.clone();
        self.jobs.push((leaf, offset, Job::Envelope { bytes, signature, certificates }));
        Ok(())
    }

    fn check_place(&self, leaf: u64, opened: &OpenedEvent, own: bool) -> Result<(), Fault> {
        let terms = &self.keys.terms;
        let recalled = matches!(&opened.event.fact, Some(Fact::Sealed(sealed)) if sealed.recalled);
        let envelope = opened.envelope.as_ref().ok_or(Fault::Stored("envelope"))?;
        let (from, to) =
            if own { (&terms.party, &terms.counterparty) } else { (&terms.counterparty, &terms.party) };
        let wrong = [
            ("statement", envelope.statement != STATEMENT),
            ("environment", Environment::try_from(envelope.environment) != Ok(terms.environment)),
            ("agreement", envelope.agreement_id != terms.agreement),
            ("sender", envelope.sender != *from),
            ("recipient", envelope.recipient != *to),
            ("ledger index", own && !recalled && envelope.sealed_leaf_index != leaf),
            ("epoch", own && !recalled && envelope.epoch != opened.event.epoch),
            ("signing key", !self.may_sign(&envelope.signing_key_id, own)),
        ];
        wrong.into_iter().find(|(_, wrong)| *wrong).map_or(Ok(()), |(what, _)| Err(Fault::Envelope(what)))
    }

    /// Whether the key was in use at this place of the ledger.
    fn may_sign(&self, key_id: &[u8], own: bool) -> bool {
        let (Some(state), Some(id)) = (&self.state, Digest::from_slice(key_id)) else { return true };
        match own {
            true => state.keys().of(Side::Own, KeyUse::Signing).any(|key| key.id() == id),
            false => !state.keys().is_retired(Side::Peer, &id),
        }
    }

    /// The text of an order is the one that its event commits to.
    fn check_text(&self, leaf: u64, sealed: &SealedEvent, committed: &[u8]) -> Result<(), Fault> {
        let Some(item) = self.open_item(leaf, sealed)? else { return Ok(()) };
        let salt: &[u8; 32] = item.salt.as_ref().try_into().map_err(|_| Fault::Body)?;
        match commitment(salt, &item.body).as_bytes().as_slice() == committed {
            true => Ok(()),
            false => Err(Fault::Body),
        }
    }

    fn open_item(&self, leaf: u64, sealed: &SealedEvent) -> Result<Option<Item>, Fault> {
        if sealed.item.is_empty() || !self.opens_items {
            return Ok(None);
        }
        let place = Place { segment: self.segment, leaf, commitment: sealed.commitment };
        let bytes =
            self.vault.open_item(place, &sealed.seed, &sealed.item).map_err(|_| Fault::Sealed("item"))?;
        Item::decode(bytes.as_slice()).map(Some).map_err(|_| Fault::Undecodable("item"))
    }

    fn check_item(&mut self, leaf: u64, opened: &OpenedEvent, sealed: &SealedEvent) -> Result<(), Fault> {
        let Some(item) = self.open_item(leaf, sealed)? else { return Ok(()) };
        let envelope = opened.envelope.as_ref().ok_or(Fault::Stored("envelope"))?;
        let salt: &[u8; 32] = item.salt.as_ref().try_into().map_err(|_| Fault::Body)?;
        if commitment(salt, &item.body).as_bytes().as_slice() != envelope.body_commitment {
            return Err(Fault::Body);
        }
        let treaty = StatementType::try_from(envelope.statement_type) == Ok(StatementType::Treaty);
        if treaty && effect(&item.body) != opened.record.effect {
            self.other_effects += 1;
        }
        Ok(())
    }
}

fn effect(body: &[u8]) -> Bytes {
    Body::decode(body).map(|body| treaty::effect(&body).encode_to_vec().into()).unwrap_or_default()
}

fn fault(error: &StoreError) -> Fault {
    match error {
        StoreError::Sealed { source: SealError::Unopened, .. } => Fault::Sealed("record"),
        StoreError::Uncommitted(_) => Fault::Uncommitted,
        _ => Fault::Undecodable("record"),
    }
}
