//! Keys were stolen: the offline recovery key says what this Party stands by, and a new epoch begins with the next keys.

use super::Link;
use super::restoring::{Recovered, RestoringError, heads, is_begun, meet, next_epoch, restored, seal_anew};
use super::v1::peer_service_client::PeerServiceClient;
use crate::channel::keys::Side;
use crate::channel::revocation::{Says, compose, facts};
use crate::channel::state::ChainEnd;
use crate::crypto::digest::Digest;
use crate::crypto::recovery;
use crate::door::{DialSettings, dial};
use crate::limits;
use crate::wire::channel::v1::{KeyIntroduction, KeyRetirement, KeyUse, Revocation, SignedRevocation};
use crate::wire::ledger::v1::{Restored, event::Fact};
use prost::Message as _;

/// Revokes the keys in force of every use that has a next key configured, with the offline recovery key.
///
/// # Errors
/// [`RestoringError`].
pub async fn revoke(
    link: &Link,
    settings: &DialSettings,
    reason: &str,
    recovery_key: &[u8],
) -> Result<Recovered, RestoringError> {
    let mut client = PeerServiceClient::new(dial(settings).await?)
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(limits::MESSAGE_BYTES);
    let (peer, common, chain) = meet(link, &mut client, &heads(link)?).await?;
    if !is_begun(link, true)? {
        let mut restored = restored(link, &peer, common.as_ref(), &chain, reason);
        let says = says(link, &restored, &chain, next_epoch(link, &peer)?)?;
        let (epoch, bytes) = (says.epoch, compose(link.terms(), says));
        let (signature, spki) = recovery::sign(recovery_key, &bytes)
            .map_err(|error| RestoringError::Recovery(error.to_string()))?;
        expect_founding(link, &spki)?;
        let said = Revocation::decode(bytes.as_slice()).map_err(|_| RestoringError::Unexpected)?;
        let keys = facts(&said, false);
        let signed = SignedRevocation {
            revocation: bytes.into(),
            signature: signature.into(),
            recovery_key: spki.into(),
        };
        restored.revocation = signed.encode_to_vec().into();
        link.engine.begin_epoch(epoch, restored, keys).await?;
    }
    Ok(Recovered {
        epoch: link.engine.state().epoch(),
        common_size: common.map_or(0, |head| head.size),
        lost_size: peer.accepted_size,
        own: peer.consumed_sequence.saturating_sub(chain.sequence),
        theirs: peer.sealed_sequence.saturating_sub(link.engine.state().consumed().sequence),
        anew: seal_anew(link).await?,
    })
}

/// What the revocation says: the keys in force of each use that has a successor configured, and that successor.
fn says(link: &Link, restored: &Restored, last: &ChainEnd, epoch: u32) -> Result<Says, RestoringError> {
    let (state, configured) = (link.engine.state(), link.engine.core().keys.load());
    let (mut retired, mut introduced) = (Vec::new(), Vec::new());
    for used_for in [KeyUse::Signing, KeyUse::Ledger] {
        let next = configured
            .listed(used_for)
            .into_iter()
            .find(|(id, ..)| !state.keys().known(Side::Own, used_for).any(|key| key.id() == *id));
        let Some((_, key, certificate)) = next else { continue };
        let r#use = used_for.into();
        let old = state.keys().of(Side::Own, used_for);
        retired.extend(old.map(|key| KeyRetirement { r#use, key_id: key.id().to_bytes() }));
        introduced.push(KeyIntroduction { r#use, key: key.into(), certificate: certificate.into() });
    }
    if introduced.is_empty() {
        return Err(RestoringError::NoNextKey);
    }
    let ledger = (restored.common_size, restored.common_root.clone());
    Ok(Says { epoch, last: *last, peer_last: *state.consumed(), ledger, retired, introduced })
}

/// The recovery key must be the one that the ledger was founded with: the other Party knows no other.
fn expect_founding(link: &Link, spki: &[u8]) -> Result<(), RestoringError> {
    let founding = link.engine.store().event(0)?;
    match &founding.event.fact {
        Some(Fact::Founded(founded))
            if founded.recovery_key_digest == Digest::of(spki).as_bytes().as_slice() =>
        {
            Ok(())
        }
        _ => Err(RestoringError::Recovery("it is not the one that this store was founded with".to_owned())),
    }
}
