//! Revocations: what a Party says with its offline recovery key when keys were stolen.

use super::state::ChainEnd;
use super::terms::Terms;
use crate::crypto::digest::Digest;
use crate::crypto::recovery;
use crate::wire::channel::v1::{Environment, KeyIntroduction, KeyRetirement, Revocation, SignedRevocation};
use crate::wire::ledger::v1::{KeyIntroduced, KeyRetired, event::Fact};
use bytes::Bytes;
use prost::Message as _;

/// Kind and version of the statement.
pub const STATEMENT: &str = "article6/revocation/1";

/// What a revocation says.
#[derive(Debug, Clone)]
pub struct Says {
    /// The epoch that begins.
    pub epoch: u32,
    /// The last message of the Party's own chain that it stands by.
    pub last: ChainEnd,
    /// The last message of the other Party that it has.
    pub peer_last: ChainEnd,
    /// The last head of its ledger that it stands by and the other Party accepted: leaves and root.
    pub ledger: (u64, Bytes),
    /// The keys that are revoked.
    pub retired: Vec<KeyRetirement>,
    /// The keys that take their place.
    pub introduced: Vec<KeyIntroduction>,
}

/// Why a revocation is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Not a revocation of this version, or not about this channel.
    #[error("the revocation is malformed, or about another channel")]
    Malformed,
    /// Signed by another key than the one the ledger was founded with.
    #[error("the revocation is not signed by the recovery key that the ledger was founded with")]
    OtherKey,
    /// The signature does not verify.
    #[error("the revocation's signature does not verify")]
    Signature,
}

/// The bytes to be signed by the recovery key.
pub fn compose(terms: &Terms, says: Says) -> Vec<u8> {
    let unless_none = |end: &ChainEnd| if end.sequence == 0 { Bytes::new() } else { end.digest.to_bytes() };
    Revocation {
        statement: STATEMENT.to_owned(),
        environment: terms.environment.into(),
        agreement_id: terms.agreement.clone(),
        party: terms.party.clone(),
        epoch: says.epoch,
        last_sequence: says.last.sequence,
        last_digest: unless_none(&says.last),
        peer_sequence: says.peer_last.sequence,
        peer_digest: unless_none(&says.peer_last),
        ledger_size: says.ledger.0,
        ledger_root: says.ledger.1,
        retired: says.retired,
        introduced: says.introduced,
    }
    .encode_to_vec()
}

/// Reads a revocation of the other Party and verifies it against the digest of its recovery key.
///
/// # Errors
/// [`RevocationError`].
pub fn read(terms: &Terms, signed: &[u8], recovery_key: &Digest) -> Result<Revocation, RevocationError> {
    let malformed = |_| RevocationError::Malformed;
    let signed = SignedRevocation::decode(signed).map_err(malformed)?;
    if Digest::of(&signed.recovery_key) != *recovery_key {
        return Err(RevocationError::OtherKey);
    }
    if !recovery::verify(&signed.recovery_key, &signed.revocation, &signed.signature) {
        return Err(RevocationError::Signature);
    }
    let revocation = Revocation::decode(signed.revocation).map_err(malformed)?;
    let ours = revocation.statement == STATEMENT
        && Environment::try_from(revocation.environment) == Ok(terms.environment)
        && revocation.agreement_id == terms.agreement
        && revocation.party == terms.counterparty;
    if ours { Ok(revocation) } else { Err(RevocationError::Malformed) }
}

/// What follows for the keys: the old ones go out of use, the new ones come into it.
pub fn facts(revocation: &Revocation, of_counterparty: bool) -> Vec<Fact> {
    let retired = revocation.retired.iter().map(|it| {
        let (r#use, key_id) = (it.r#use, it.key_id.clone());
        Fact::KeyRetired(KeyRetired { of_counterparty, r#use, key_id, sequence: 0 })
    });
    let introduced = revocation.introduced.iter().map(|it| {
        Fact::KeyIntroduced(KeyIntroduced {
            of_counterparty,
            r#use: it.r#use,
            key: it.key.clone(),
            certificate: it.certificate.clone(),
            sequence: 0,
            introducer: Bytes::new(),
        })
    });
    retired.chain(introduced).collect()
}
