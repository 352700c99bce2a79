//! Who a daemon is and where its chains stand, said and checked at every opening.

use super::v1::Introduction;
use super::{Link, Trust};
use crate::channel::lookup::Lookup;
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::exchange::receipts::{CheckError, Checker};
use crate::exchange::store::{Store, StoreError};
use crate::ledger::checkpoint::Checkpoint;

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
    /// It has accepted a head of this daemon's ledger that the ledger does not contain.
    #[error("the other daemon accepted a head of our ledger that this store does not contain")]
    HeadUnknown,
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
            Self::HeadUnknown => "OWN_HEAD_UNKNOWN",
            Self::Store(_) => "STORE_UNREADABLE",
        }
    }
}

/// The state of the channel as the journal has it now, without asking the deciding task.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Highest sealed sequence and its envelope's digest.
    pub sealed: (u64, Digest),
    /// Highest consumed sequence and its envelope's digest.
    pub consumed: (u64, Digest),
    /// Highest sealed sequence with a recorded receipt.
    pub acknowledged: u64,
    /// The other ledger's head as last accepted: size and root.
    pub accepted: (u64, Digest),
}

impl Standing {
    /// Reads the standing. `from` is an earlier standing, or the one the engine started with.
    pub fn read(store: &Store, from: &Self) -> Result<Self, StoreError> {
        let mut now = from.clone();
        while let Some(opened) = store.find(&Lookup::Sealed(now.sealed.0 + 1))? {
            now.sealed = (now.sealed.0 + 1, Digest::of(&opened.record.envelope));
        }
        while let Some(opened) = store.find(&Lookup::Consumed(now.consumed.0 + 1))? {
            now.consumed = (now.consumed.0 + 1, Digest::of(&opened.record.envelope));
        }
        while let Some(opened) = store.find(&Lookup::Acknowledged(now.acknowledged + 1))? {
            now.acknowledged += 1;
            if let Some(crate::wire::ledger::v1::event::Fact::Acknowledged(event)) = opened.event.fact
                && let Some(root) = Digest::from_slice(&event.peer_root)
                && event.peer_size >= now.accepted.0
            {
                now.accepted = (event.peer_size, root);
            }
        }
        Ok(now)
    }
}

impl From<&State> for Standing {
    fn from(state: &State) -> Self {
        Self {
            sealed: (state.sealed().sequence, state.sealed().digest),
            consumed: (state.consumed().sequence, state.consumed().digest),
            acknowledged: state.acknowledged(),
            accepted: (state.peer_head().size, state.peer_head().root),
        }
    }
}

/// Introduces this daemon; also returns the size of the checkpoint it shows.
pub fn introduce(link: &Link, standing: &Standing) -> (Introduction, u64) {
    let core = link.engine.core();
    let (head, checkpoint) = core.store.reader().checkpoint();
    let digest = |(sequence, digest): (u64, Digest)| if sequence == 0 { bytes::Bytes::new() } else { digest.to_bytes() };
    let introduction = Introduction {
        version_min: VERSION,
        version_max: VERSION,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        environment: core.terms.environment.into(),
        agreement_id: core.terms.agreement.clone(),
        party: core.terms.party.clone(),
        counterparty: core.terms.counterparty.clone(),
        epoch: link.engine.started_with().epoch(),
        signing_key_id: core.signing_key.key_id().to_bytes(),
        ledger_key: bytes::Bytes::copy_from_slice(&core.ledger_key.public()),
        sealed_sequence: standing.sealed.0,
        sealed_digest: digest(standing.sealed),
        consumed_sequence: standing.consumed.0,
        consumed_digest: digest(standing.consumed),
        checkpoint: checkpoint.to_string(),
        accepted_size: standing.accepted.0,
        accepted_root: digest(standing.accepted),
        now: Some(core.clock.now()),
    };
    (introduction, head.size)
}

/// Checks how the other daemon introduces itself, and returns its verified checkpoint.
pub fn check(link: &Link, standing: &Standing, peer: &Introduction) -> Result<Checkpoint, Mismatch> {
    let trust = link.trust.load();
    check_identity(link.terms(), &trust, peer)?;
    check_chains(link, standing, peer)?;
    let mut checker = Checker::new(link.terms().peer_vkey(peer.epoch, trust.ledger_key));
    Ok(checker.checkpoint(&peer.checkpoint)?)
}

fn check_identity(terms: &Terms, trust: &Trust, peer: &Introduction) -> Result<(), Mismatch> {
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
    if !trust.signing.iter().any(|certificate| certificate.key_id().as_bytes().as_slice() == peer.signing_key_id) {
        return Err(Mismatch::Key("signing"));
    }
    if trust.ledger_key.as_slice() != peer.ledger_key {
        return Err(Mismatch::Key("ledger"));
    }
    Ok(())
}

fn check_chains(link: &Link, standing: &Standing, peer: &Introduction) -> Result<(), Mismatch> {
    let store = link.engine.store();
    if peer.consumed_sequence > standing.sealed.0 {
        return Err(Mismatch::WeAreBehind);
    }
    if peer.consumed_sequence > 0 {
        let ours = store.find(&Lookup::Sealed(peer.consumed_sequence))?;
        if ours.is_none_or(|ours| Digest::of(&ours.record.envelope).as_bytes().as_slice() != peer.consumed_digest) {
            return Err(Mismatch::WeDiffer);
        }
    }
    if peer.sealed_sequence < standing.consumed.0 {
        return Err(Mismatch::PeerIsBehind);
    }
    let head = store.reader().head();
    if peer.accepted_size > head.size {
        return Err(Mismatch::HeadUnknown);
    }
    if peer.accepted_size == head.size && peer.accepted_size > 0 && head.root.as_bytes().as_slice() != peer.accepted_root {
        return Err(Mismatch::HeadUnknown);
    }
    Ok(())
}
