//! Whose signatures are accepted of the other Party: what the configuration names and what the Party introduced over the
//! channel, without what it retired.

use super::{Link, Trust};
use crate::channel::keys::{Key, Keys, Side};
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::ledger::Cosigner;
use crate::ledger::note::Vkey;
use crate::wire::channel::v1::KeyUse;
use std::sync::{Arc, Mutex, PoisonError};

/// What is trusted now.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// Certificates of every key that signed envelopes, those that are retired included: what they signed before is still
    /// delivered again.
    pub signing: Vec<Certificate>,
    /// Keys of the ledger.
    pub ledger: Vec<[u8; 32]>,
    /// Keys of the ledger that are retired: receipts of before are signed with them.
    pub retired_ledger: Vec<[u8; 32]>,
    retired_signing: Vec<Digest>,
}

/// The last answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered(Arc<Mutex<Option<Answer>>>);

/// What was trusted, and what that was made from.
#[derive(Debug)]
struct Answer {
    configured: Arc<Trust>,
    version: u64,
    trusted: Arc<Trusted>,
}

impl Link {
    /// What is trusted of the other Party, after everything that is durable.
    pub fn trusted(&self) -> Arc<Trusted> {
        let (configured, state) = (self.trust.load_full(), self.engine.state());
        let version = state.keys().version();
        let mut remembered = self.remembered.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = remembered.as_ref()
            && Arc::ptr_eq(&answer.configured, &configured)
            && answer.version == version
        {
            return answer.trusted.clone();
        }
        let trusted = Arc::new(Trusted::of(&configured, state.keys()));
        *remembered = Some(Answer { configured, version, trusted: trusted.clone() });
        trusted
    }
}

impl Trusted {
    /// What the configuration and the channel tell together.
    pub fn of(configured: &Trust, keys: &Keys) -> Self {
        let mut signing = configured.signing.clone();
        let introduced = keys.known(Side::Peer, KeyUse::Signing);
        signing.extend(introduced.filter_map(|key| Certificate::from_der(&key.certificate).ok()));
        let retired_signing = signing.iter().map(Certificate::key_id);
        let retired_signing = retired_signing.filter(|id| keys.is_retired(Side::Peer, id)).collect();
        let introduced = keys.known(Side::Peer, KeyUse::Ledger).filter_map(public);
        let mut all: Vec<[u8; 32]> = configured.ledger_keys.clone();
        all.extend(introduced);
        let is_retired = |key: &[u8; 32]| keys.is_retired(Side::Peer, &Digest::of(key));
        let (retired_ledger, ledger) = all.into_iter().partition(is_retired);
        Self { signing, ledger, retired_ledger, retired_signing }
    }

    /// Whether what the other Party signs now may be signed with this key.
    pub fn signs_now(&self, key_id: &[u8]) -> bool {
        let mut now = self.signing.iter().map(Certificate::key_id);
        now.any(|id| id.as_bytes().as_slice() == key_id && !self.retired_signing.contains(&id))
    }

    /// Verifier keys of the other Party's ledger.
    pub fn vkeys(&self, terms: &Terms, epoch: u32) -> Vec<Vkey> {
        self.ledger.iter().map(|key| terms.peer_vkey(epoch, *key)).collect()
    }

    /// Verifier keys of receipts that were given before a key was retired.
    pub fn retired_vkeys(&self, terms: &Terms, epoch: u32) -> Vec<Vkey> {
        self.retired_ledger.iter().map(|key| terms.peer_vkey(epoch, *key)).collect()
    }

    /// The other Party as a cosigner.
    pub fn cosigners(&self, terms: &Terms, epoch: u32) -> Vec<Cosigner> {
        self.ledger.iter().map(|key| terms.peer_cosigner(epoch, *key)).collect()
    }
}

fn public(key: &Key) -> Option<[u8; 32]> {
    key.key.as_ref().try_into().ok()
}
