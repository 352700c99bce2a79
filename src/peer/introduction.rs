//! Who a daemon is and where its chains stand, said and checked at every opening.

use super::restoring::is_common;
use super::v1::Introduction;
use super::{Link, Trusted};
use crate::channel::envelope::Envelope;
use crate::channel::keys::Side;
use crate::channel::lookup::Lookup;
use crate::channel::revocation;
use crate::channel::state::{PeerHead, State};
use crate::channel::terms::Terms;
use crate::crypto::digest::{Digest, commitment};
use crate::exchange::keys::KeyMissing;
use crate::exchange::receipts::{CheckError, Checker};
use crate::exchange::services::is_usable;
use crate::ledger::TlogProof;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{Note, Vkey};
use crate::ledger::tree::{Frontier, leaf_hash};
use crate::store::StoreError;
use crate::wire::channel::v1::{KeyUse, Revocation, SignedRevocation};
use crate::wire::ledger::v1::{Event, PeerRestored, Receipt, Restored, event::Fact};
use prost::Message as _;

/// The one version of the protocol that is spoken.
pub const VERSION: u32 = 1;

/// Why two daemons do not go on.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// No common version.
    #[error("the other daemon speaks protocol versions {0} to {1}, this one {VERSION}")]
    Version(u32, u32),
    /// Test traffic meets production.
    #[error("the other daemon is configured for another environment")]
    Environment,
    /// Another agreement.
    #[error("the other daemon is configured for another agreement")]
    Agreement,
    /// Other Parties.
    #[error("the other daemon serves or expects another Party")]
    Parties,
    /// A key that is not trusted.
    #[error("the other daemon uses a {0} key that is not configured here")]
    Key(&'static str),
    /// Its checkpoint is not its ledger's.
    #[error("the other daemon's checkpoint is not accepted: {0}")]
    Checkpoint(#[from] CheckError),
    /// It has consumed messages that this daemon has not sealed.
    #[error("the other daemon holds messages of ours that this store does not: this store is an older copy")]
    WeAreBehind,
    /// It has consumed another message at a place of this daemon's chain.
    #[error("the other daemon holds another message at a place of our chain")]
    WeDiffer,
    /// It has sealed fewer messages than this daemon has consumed.
    #[error("the other daemon does not know messages of its own that this store holds: it is an older copy")]
    PeerIsBehind,
    /// Its head has the size of the one accepted here, and another root.
    #[error(
        "the other daemon shows another ledger of the size accepted here: two copies of its store are running"
    )]
    Fork(Box<Checkpoint>),
    /// Its head is smaller than the one accepted here.
    #[error("the other daemon shows a smaller ledger than was accepted here: it is an older copy")]
    PeerHeadBehind(Box<Checkpoint>),
    /// It has accepted a head of this daemon's ledger that the ledger does not contain.
    #[error("the other daemon accepted a head of our ledger that this store does not contain")]
    HeadUnknown,
    /// Its store was put back from a backup.
    #[error("the other daemon's store was put back from a backup; a person must release the channel")]
    Restored(Box<PeerRestored>),
    /// It shows a later epoch, and no restore that goes on from what was accepted here.
    #[error("the other daemon shows a later epoch and no restore that goes on from a head accepted here")]
    Restoration,
    /// A key of this Party is in force and not configured.
    #[error(transparent)]
    OwnKey(#[from] KeyMissing),
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
}

impl Mismatch {
    /// Stable reason code.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Version(..) => "VERSION_UNSUPPORTED",
            Self::Environment => "WRONG_ENVIRONMENT",
            Self::Agreement => "WRONG_AGREEMENT",
            Self::Parties => "WRONG_PARTY",
            Self::Key(_) => "KEY_NOT_TRUSTED",
            Self::Checkpoint(_) => "PEER_CHECKPOINT_INVALID",
            Self::WeAreBehind => "OWN_CHAIN_BEHIND",
            Self::WeDiffer => "OWN_CHAIN_DIFFERS",
            Self::PeerIsBehind => "PEER_CHAIN_BEHIND",
            Self::Fork(_) => "PEER_LEDGER_FORKED",
            Self::PeerHeadBehind(_) => "PEER_LEDGER_BEHIND",
            Self::HeadUnknown => "OWN_HEAD_UNKNOWN",
            Self::Restored(_) => "CHANNEL_HELD",
            Self::Restoration => "RESTORE_UNPROVEN",
            Self::OwnKey(_) => "OWN_KEY_MISSING",
            Self::Store(_) => "STORE_UNREADABLE",
        }
    }
}

/// Introduces this daemon; also returns the size of the checkpoint it shows.
pub fn introduce(link: &Link, state: &State) -> Result<(Introduction, u64), Mismatch> {
    let core = link.engine.core();
    let (head, checkpoint) = core.store.reader().checkpoint();
    let unless_none =
        |number: u64, digest: Digest| if number == 0 { bytes::Bytes::new() } else { digest.to_bytes() };
    let (sealed, consumed, accepted) = (state.sealed(), state.consumed(), state.peer_head());
    let keys = core.keys.load();
    let restored = core.store.find(&Lookup::Restored)?;
    let last = match consumed.sequence {
        0 => None,
        sequence => core.store.find(&Lookup::Consumed(sequence))?,
    };
    let last = last.map(|opened| opened.record.clone()).unwrap_or_default();
    let introduction = Introduction {
        version_min: VERSION,
        version_max: VERSION,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        environment: core.terms.environment.into(),
        agreement_id: core.terms.agreement.clone(),
        party: core.terms.party.clone(),
        counterparty: core.terms.counterparty.clone(),
        epoch: state.epoch(),
        signing_key_id: keys.signing(state.keys())?.key_id().to_bytes(),
        ledger_key: bytes::Bytes::copy_from_slice(&keys.ledger(state.keys())?.public()),
        sealed_sequence: sealed.sequence,
        sealed_digest: unless_none(sealed.sequence, sealed.digest),
        consumed_sequence: consumed.sequence,
        consumed_digest: unless_none(consumed.sequence, consumed.digest),
        checkpoint: checkpoint.to_string(),
        accepted_size: accepted.size,
        accepted_root: unless_none(accepted.size, accepted.root),
        now: Some(core.clock.now()),
        accepted_checkpoint: core.store.accepted_note(accepted.size).unwrap_or_default(),
        known_epoch: state.peer_epoch(),
        restoration: match &restored {
            Some(restored) => Some(core.store.disclose(restored.leaf)?.0),
            None => None,
        },
        revocation: match restored.as_ref().map(|restored| &restored.event.fact) {
            Some(Some(Fact::Restored(restored))) => restored.revocation.clone(),
            _ => bytes::Bytes::new(),
        },
        founding: Some(core.store.disclose(0)?.0),
        consumed_envelope: last.envelope,
        consumed_signature: last.signature,
    };
    Ok((introduction, head.size))
}

/// Checks how the other daemon introduces itself, and returns its verified checkpoint.
pub fn check(link: &Link, state: &State, peer: &Introduction) -> Result<Checkpoint, Mismatch> {
    let trusted = link.trusted();
    check_identity(link.terms(), peer)?;
    if peer.epoch > state.peer_epoch().max(1) {
        return Err(match peer.revocation.is_empty() {
            true => check_restored(link, state, peer)?,
            false => check_revoked(link, state, peer)?,
        });
    }
    check_keys(&trusted, peer)?;
    check_chains(link, state, peer)?;
    let mut checker = Checker::new(trusted.vkeys(link.terms(), peer.epoch), Vec::new());
    let shown = checker.checkpoint(&peer.checkpoint)?;
    let PeerHead { size, root } = state.peer_head();
    if shown.size == size && size > 0 && shown.root != root {
        return Err(Mismatch::Fork(Box::new(shown)));
    }
    if shown.size < size {
        return Err(Mismatch::PeerHeadBehind(Box::new(shown)));
    }
    Ok(shown)
}

fn check_identity(terms: &Terms, peer: &Introduction) -> Result<(), Mismatch> {
    if peer.version_min > VERSION || peer.version_max < VERSION {
        return Err(Mismatch::Version(peer.version_min, peer.version_max));
    }
    if peer.environment() != terms.environment {
        return Err(Mismatch::Environment);
    }
    if peer.agreement_id != terms.agreement {
        return Err(Mismatch::Agreement);
    }
    if peer.party != terms.counterparty || peer.counterparty != terms.party {
        return Err(Mismatch::Parties);
    }
    Ok(())
}

fn check_keys(trusted: &Trusted, peer: &Introduction) -> Result<(), Mismatch> {
    if !trusted.signs_now(&peer.signing_key_id) {
        return Err(Mismatch::Key("signing"));
    }
    if !trusted.ledger.iter().any(|key| key.as_slice() == peer.ledger_key) {
        return Err(Mismatch::Key("ledger"));
    }
    Ok(())
}

fn check_chains(link: &Link, state: &State, peer: &Introduction) -> Result<(), Mismatch> {
    let store = link.engine.store();
    if peer.consumed_sequence > state.sealed().sequence {
        return Err(Mismatch::WeAreBehind);
    }
    if peer.consumed_sequence > 0 {
        let ours = store.find(&Lookup::Sealed(peer.consumed_sequence))?;
        if ours.is_none_or(|ours| {
            Digest::of(&ours.record.envelope).as_bytes().as_slice() != peer.consumed_digest
        }) {
            return Err(Mismatch::WeDiffer);
        }
    }
    check_peer_chain(state, peer)?;
    let head = store.reader().head();
    // A head of an epoch before the last restore may be one that was lost; the restore named it.
    if peer.known_epoch.max(1) < state.epoch() {
        return Ok(());
    }
    if peer.known_epoch > state.epoch() || peer.accepted_size > head.size {
        return Err(Mismatch::HeadUnknown);
    }
    if peer.accepted_size > 0 {
        let root = Frontier::from_nodes(peer.accepted_size, store.reader()).map_err(StoreError::from)?.root();
        if root.as_bytes().as_slice() != peer.accepted_root {
            return Err(Mismatch::HeadUnknown);
        }
    }
    Ok(())
}

/// The other Party's chain holds everything that was consumed here.
fn check_peer_chain(state: &State, peer: &Introduction) -> Result<(), Mismatch> {
    let consumed = state.consumed();
    let same = peer.sealed_sequence > consumed.sequence
        || (peer.sealed_sequence == consumed.sequence
            && (consumed.sequence == 0 || peer.sealed_digest == consumed.digest.as_bytes().as_slice()));
    if same { Ok(()) } else { Err(Mismatch::PeerIsBehind) }
}

/// The other Party's store was put back from a backup: its ledger must go on from a head that was accepted here, and its
/// chain from everything that crossed.
fn check_restored(link: &Link, state: &State, peer: &Introduction) -> Result<Mismatch, Mismatch> {
    let unproven = || Mismatch::Restoration;
    check_peer_chain(state, peer)?;
    // What it gave receipts for is not delivered again: it must have recalled it.
    if peer.consumed_sequence < state.acknowledged() {
        return Err(Mismatch::PeerIsBehind);
    }
    let disclosed = peer.restoration.as_ref().ok_or_else(unproven)?;
    let event = Event::decode(disclosed.event.clone()).map_err(|_| unproven())?;
    let Some(Fact::Restored(restored)) = event.fact else { return Err(unproven()) };
    let salt: &[u8; 32] = disclosed.salt.as_ref().try_into().map_err(|_| unproven())?;
    let leaf = leaf_hash(&commitment(salt, &disclosed.event));
    let proof = TlogProof::parse(&disclosed.tlog_proof).map_err(|_| unproven())?;
    let vkeys = link.trusted().vkeys(link.terms(), event.epoch);
    let proven = vkeys.iter().any(|vkey| proof.verify(&leaf, vkey).is_ok());
    if !proven || event.epoch != peer.epoch || proof.index < restored.common_size {
        return Err(unproven());
    }
    if !is_common(link, &restored)? {
        return Err(unproven());
    }
    let PeerHead { size, root } = state.peer_head();
    Ok(Mismatch::Restored(Box::new(PeerRestored {
        epoch: peer.epoch,
        common_size: restored.common_size,
        common_root: restored.common_root,
        lost_size: size,
        lost_root: if size == 0 { bytes::Bytes::new() } else { root.to_bytes() },
        ..PeerRestored::default()
    })))
}

/// Keys of the other Party were stolen: its recovery key says what it stands by, and that must be what crossed.
fn check_revoked(link: &Link, state: &State, peer: &Introduction) -> Result<Mismatch, Mismatch> {
    let unproven = || Mismatch::Restoration;
    let recovery = state.keys().of(Side::Peer, KeyUse::Recovery).next().ok_or_else(unproven)?;
    let recovery = Digest::from_slice(&recovery.key).ok_or_else(unproven)?;
    let revocation = revocation::read(link.terms(), &peer.revocation, &recovery).map_err(|_| unproven())?;
    if revocation.epoch != peer.epoch || !revocation.introduced.iter().all(is_usable) {
        return Err(unproven());
    }
    let head = Restored {
        common_size: revocation.ledger_size,
        common_root: revocation.ledger_root.clone(),
        ..Restored::default()
    };
    let store = link.engine.store();
    let last = revocation.last_sequence;
    let held = if last == 0 { None } else { store.find(&Lookup::Consumed(last))? };
    let digest = held.as_ref().map_or(Digest::ZERO, |held| Digest::of(&held.record.envelope));
    let same = last <= state.consumed().sequence
        && (last == 0 || revocation.last_digest == digest.as_bytes().as_slice());
    if !same || !is_common(link, &head)? {
        return Err(unproven());
    }
    let PeerHead { size, root } = state.peer_head();
    Ok(Mismatch::Restored(Box::new(PeerRestored {
        epoch: peer.epoch,
        common_size: revocation.ledger_size,
        common_root: revocation.ledger_root,
        lost_size: size,
        lost_root: if size == 0 { bytes::Bytes::new() } else { root.to_bytes() },
        revoked: true,
        consumed_sequence: last,
        consumed_digest: revocation.last_digest,
        consumed_at: held.and_then(|held| held.envelope.as_ref()?.signed_at),
        receipted_sequence: revocation.peer_sequence,
    })))
}

/// Records, once, which recovery key the other Party's ledger was founded with: it must be known before it is needed.
pub(super) async fn note_recovery_key(link: &Link, peer: &Introduction) {
    let state = link.engine.state();
    if state.keys().of(Side::Peer, KeyUse::Recovery).next().is_some() {
        return;
    }
    let Some(digest) = peer.founding.as_ref().and_then(|founding| founded_with(link, founding)) else {
        tracing::warn!(
            "the other Party's daemon does not prove which recovery key its ledger was founded with"
        );
        return;
    };
    if let Err(error) = link.engine.recovery_key(digest).await {
        tracing::warn!(%error, "the other Party's recovery key is not recorded");
    }
}

fn founded_with(link: &Link, founding: &Receipt) -> Option<Digest> {
    let event = Event::decode(founding.event.clone()).ok()?;
    let Some(Fact::Founded(founded)) = event.fact else { return None };
    let key: [u8; 32] = founded.ledger_key.as_ref().try_into().ok()?;
    let trusted = link.trusted();
    let is_trusted = trusted.ledger.contains(&key) || trusted.retired_ledger.contains(&key);
    let salt: &[u8; 32] = founding.salt.as_ref().try_into().ok()?;
    let proof = TlogProof::parse(&founding.tlog_proof).ok()?;
    let leaf = leaf_hash(&commitment(salt, &founding.event));
    let vkey = link.terms().peer_vkey(event.epoch, key);
    let proven = is_trusted
        && founded.party == link.terms().counterparty
        && proof.index == 0
        && proof.verify(&leaf, &vkey).is_ok();
    Digest::from_slice(&founded.recovery_key_digest).filter(|_| proven)
}

/// Records that the other Party's store was put back from a backup, if that is what its daemon showed.
pub(super) async fn note_restored(link: &Link, mismatch: &Mismatch, peer: &Introduction) {
    let Mismatch::Restored(restored) = mismatch else { return };
    // Both were checked.
    let (proof, keys) = match (restored.revoked, &peer.restoration) {
        (true, _) => {
            let signed = SignedRevocation::decode(peer.revocation.clone()).unwrap_or_default();
            let said = Revocation::decode(signed.revocation).unwrap_or_default();
            (peer.revocation.clone(), revocation::facts(&said, true))
        }
        (false, Some(receipt)) => (receipt.encode_to_vec().into(), Vec::new()),
        (false, None) => return,
    };
    let recorded = link.engine.peer_restored(restored.as_ref().clone(), proof, keys).await;
    if let Err(error) = recorded {
        tracing::error!(%error, "the other Party's restore is not recorded");
    }
}

/// Puts this daemon into quarantine, if the other one proved that the store is an older copy: with a message that the store
/// lacks, or a head that the ledger has not had, either of which bears this Party's own signature. A claim alone is refused.
pub(super) fn quarantine(link: &Link, mismatch: &Mismatch, peer: &Introduction) {
    let core = link.engine.core();
    let proven = match mismatch {
        Mismatch::WeAreBehind | Mismatch::WeDiffer => is_our_envelope(link, peer),
        Mismatch::HeadUnknown => is_our_head(link, peer),
        _ => false,
    };
    match proven {
        true => core.quarantine.enter(mismatch.reason(), core.clock.now()),
        false => core.quarantine.unreachable(),
    }
}

/// Whether the envelope that the other daemon consumed last bears this Party's own signature.
fn is_our_envelope(link: &Link, peer: &Introduction) -> bool {
    let core = link.engine.core();
    let Ok(envelope) = Envelope::decode(peer.consumed_envelope.clone()) else { return false };
    let (fields, keys) = (envelope.fields().clone(), core.keys.load());
    let Some(own) = keys.certificate(&fields.signing_key_id).cloned() else { return false };
    let same = fields.sequence == peer.consumed_sequence
        && fields.sender == core.terms.party
        && fields.agreement_id == core.terms.agreement
        && envelope.digest().as_bytes().as_slice() == peer.consumed_digest;
    same && envelope.verify(&peer.consumed_signature, &[own]).is_ok()
}

/// Whether the head that the other daemon accepted bears this Party's own signature.
fn is_our_head(link: &Link, peer: &Introduction) -> bool {
    let (terms, state) = (link.terms(), link.engine.state());
    let Ok(note) = Note::parse(&peer.accepted_checkpoint) else { return false };
    let Ok(checkpoint) = Checkpoint::parse(note.text()) else { return false };
    let head = checkpoint.size == peer.accepted_size
        && checkpoint.root.as_bytes().as_slice() == peer.accepted_root
        && terms.epoch_in(&checkpoint.origin, &terms.party).is_some();
    let keys = state.keys().known(Side::Own, KeyUse::Ledger);
    let mut keys = keys.filter_map(|key| <[u8; 32]>::try_from(key.key.as_ref()).ok());
    head && keys.any(|key| note.verify(&Vkey::of(&checkpoint.origin, key)).is_ok())
}
