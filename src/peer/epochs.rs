//! What the other daemon may show beyond an ordinary introduction: that its store was put back from a backup, that its keys
//! were stolen, or that this store is an older copy. None of it is believed without a signature.

use super::Link;
use super::introduction::{Mismatch, check_peer_chain};
use super::recall::accepted_root;
use super::v1::Introduction;
use crate::channel::envelope::Envelope;
use crate::channel::keys::Side;
use crate::channel::lookup::Lookup;
use crate::channel::proof_check::disclosed;
use crate::channel::revocation;
use crate::channel::state::{PeerHead, State};
use crate::crypto::digest::Digest;
use crate::exchange::services::is_usable;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::{Note, Vkey};
use crate::store::StoreError;
use crate::wire::channel::v1::{KeyUse, Revocation, SignedRevocation};
use crate::wire::ledger::v1::{PeerRestored, Receipt, Restored, event::Fact};
use prost::Message as _;

/// The other Party's store was put back from a backup: its ledger must go on from a head that was accepted here, and its
/// chain from everything that crossed.
pub(super) fn check_restored(link: &Link, state: &State, peer: &Introduction) -> Result<Mismatch, Mismatch> {
    let unproven = || Mismatch::Restoration;
    check_peer_chain(state, peer)?;
    // What it gave receipts for is not delivered again: it must have recalled it.
    if peer.consumed_sequence < state.acknowledged() {
        return Err(Mismatch::PeerIsBehind);
    }
    let vkeys = link.trusted().vkeys(link.terms(), peer.epoch);
    let proven = disclosed(peer.restoration.as_ref().ok_or_else(unproven)?, &vkeys);
    let (event, index) = proven.map_err(|_| unproven())?;
    let Some(Fact::Restored(restored)) = event.fact else { return Err(unproven()) };
    if event.epoch != peer.epoch || index < restored.common_size {
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
pub(super) fn check_revoked(link: &Link, state: &State, peer: &Introduction) -> Result<Mismatch, Mismatch> {
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
    // A ledger is founded in its first epoch, and signed then with the key that the founding itself names.
    let (trusted, terms) = (link.trusted(), link.terms());
    let mut vkeys = trusted.vkeys(terms, 1);
    vkeys.extend(trusted.retired_vkeys(terms, 1));
    let (event, index) = disclosed(founding, &vkeys).ok()?;
    let Some(Fact::Founded(founded)) = event.fact else { return None };
    let theirs = founded.party == terms.counterparty && index == 0;
    Digest::from_slice(&founded.recovery_key_digest).filter(|_| theirs)
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

/// Whether the head that the other Party's restored ledger goes on from was accepted here.
fn is_common(link: &Link, restored: &Restored) -> Result<bool, StoreError> {
    if restored.common_size == 0 {
        return Ok(true);
    }
    let root = accepted_root(link.engine.store(), restored.common_size)?;
    Ok(root.is_some_and(|root| root.as_bytes().as_slice() == restored.common_root))
}
