//! Who a daemon is and where its chains stand, said and checked at every opening.

use super::epochs::{check_restored, check_revoked};
use super::v1::Introduction;
use super::{Link, Trusted};
use crate::channel::lookup::Lookup;
use crate::channel::state::{PeerHead, State};
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::exchange::keys::KeyMissing;
use crate::exchange::receipts::{CheckError, Checker};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::tree::Frontier;
use crate::store::StoreError;
use crate::wire::ledger::v1::{PeerRestored, event::Fact};

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
pub(super) fn check_peer_chain(state: &State, peer: &Introduction) -> Result<(), Mismatch> {
    let consumed = state.consumed();
    let same = peer.sealed_sequence > consumed.sequence
        || (peer.sealed_sequence == consumed.sequence
            && (consumed.sequence == 0 || peer.sealed_digest == consumed.digest.as_bytes().as_slice()));
    if same { Ok(()) } else { Err(Mismatch::PeerIsBehind) }
}
