//! The keys that this Party signs with: what is configured, and which of it is in force.
//!
//! In force is what the ledger says: the key it was founded with, or the one introduced last whose receipt is recorded. A
//! key that is configured and not introduced signs nothing.

use crate::channel::keys::Keys;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::crypto::ed25519::LedgerKey;
use crate::crypto::signing::SigningKey;
use crate::wire::channel::v1::KeyUse;

/// The configured keys: of each use the one in force and, while keys are changed, the next.
#[derive(Debug, Default)]
pub struct OwnKeys {
    /// Sign envelopes.
    pub signing: Vec<SigningKey>,
    /// Sign checkpoints.
    pub ledger: Vec<LedgerKey>,
    /// Certificates of the keys that open connections to the other Party.
    pub tls: Vec<Certificate>,
}

/// The key in force is not configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {0} in force is not configured: correct [identity], or introduce the new key over the channel \
     (next_signing_key, next_ledger_key)"
)]
pub struct KeyMissing(pub &'static str);

impl OwnKeys {
    /// The key that signs envelopes.
    ///
    /// # Errors
    /// [`KeyMissing`].
    pub fn signing(&self, keys: &Keys) -> Result<&SigningKey, KeyMissing> {
        let id = keys.own(KeyUse::Signing).map(crate::channel::keys::Key::id);
        let found = self.signing.iter().find(|key| Some(key.key_id()) == id);
        found.ok_or(KeyMissing("signing key"))
    }

    /// The key that signs checkpoints and cosignatures.
    ///
    /// # Errors
    /// [`KeyMissing`].
    pub fn ledger(&self, keys: &Keys) -> Result<&LedgerKey, KeyMissing> {
        let key = keys.own(KeyUse::Ledger).map(|key| key.key.as_ref());
        let found = self.ledger.iter().find(|it| key == Some(it.public().as_slice()));
        found.ok_or(KeyMissing("ledger key"))
    }

    /// Certificate of a configured signing key.
    pub fn certificate(&self, key_id: &[u8]) -> Option<&Certificate> {
        let of_key = |key: &&SigningKey| key.key_id().as_bytes().as_slice() == key_id;
        self.signing.iter().find(of_key).map(SigningKey::certificate)
    }

    /// What is configured for a use: identity of each key, the key itself, and its certificate.
    pub fn listed(&self, used_for: KeyUse) -> Vec<(Digest, Vec<u8>, Vec<u8>)> {
        let certified = |it: &Certificate| (it.key_id(), it.spki_der().to_vec(), it.der().to_vec());
        match used_for {
            KeyUse::Signing => self.signing.iter().map(|key| certified(key.certificate())).collect(),
            KeyUse::Ledger => {
                let ledger = self.ledger.iter().map(LedgerKey::public);
                ledger.map(|key| (Digest::of(&key), key.to_vec(), Vec::new())).collect()
            }
            KeyUse::Tls => self.tls.iter().map(certified).collect(),
            KeyUse::Recovery | KeyUse::Unspecified => Vec::new(),
        }
    }
}
