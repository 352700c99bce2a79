//! A store that was put back from a backup: what crossed is asked back from the other Party, and a new epoch begins.

use super::Link;
use super::introduction::introduce;
use super::trouble::SessionError;
use super::v1::peer_service_client::PeerServiceClient;
use super::v1::{Delivery, Introduction, KnownHead, RecallRequest, RecallResponse};
use crate::channel::lookup::Lookup;
use crate::channel::state::ChainEnd;
use crate::crypto::digest::Digest;
use crate::door::{DialError, DialSettings, Dialled, dial};
use crate::exchange::deliver::ConsumeError;
use crate::exchange::parcel::{Parcel, inspect};
use crate::exchange::restore::{RestoreError, voided};
use crate::ledger::tree::Frontier;
use crate::limits;
use crate::store::StoreError;
use crate::wire::ledger::v1::{Item, Restored, event::Fact};
use tonic::{Status, Streaming};

/// Messages sealed anew at a time.
const ANEW: usize = 8;

/// What a restore has achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The epoch that has begun.
    pub epoch: u32,
    /// The last head both sides hold: number of events.
    pub common_size: u64,
    /// The last head that the other Party held: number of events. What stood in between is lost but for what came back.
    pub lost_size: u64,
    /// This Party's messages that came back.
    pub own: u64,
    /// The other Party's messages that came back.
    pub theirs: u64,
    /// Messages that had not crossed and were sealed anew.
    pub anew: u64,
}

/// Why a store is not restored. What was done so far stands; run it again.
#[derive(Debug, thiserror::Error)]
pub enum RestoringError {
    /// The other Party's daemon holds nothing that the store lacks.
    #[error(
        "the other Party's daemon knows nothing of ours that this store lacks: there is nothing to restore"
    )]
    NotNeeded,
    /// No keys are configured to change to.
    #[error(
        "no new key is configured: put next_signing_key and its certificate, or next_ledger_key, into [identity]; a stolen key \
         that opens connections is revoked by its pin"
    )]
    NoNextKey,
    /// The recovery key cannot be used.
    #[error("the recovery key cannot be used: {0}")]
    Recovery(String),
    /// It cannot be reached.
    #[error("the other Party's daemon cannot be reached, and only it has what crossed")]
    Dial(#[from] DialError),
    /// It answered with an error.
    #[error("the other Party's daemon refused: {0}")]
    Refused(String),
    /// It answered something else than was asked.
    #[error("the other Party's daemon answered something else than was asked")]
    Unexpected,
    /// Another work was begun and cut short.
    #[error("`{0}` was begun and is not complete: finish it first")]
    Unfinished(&'static str),
    /// What came back is not sound.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The other Party's messages cannot be taken in.
    #[error("a message of the other Party that came back is not taken in: {0}")]
    Theirs(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Status> for RestoringError {
    fn from(status: Status) -> Self {
        Self::Refused(SessionError::from(status).to_string())
    }
}

/// Restores the store that the link's engine runs.
///
/// # Errors
/// [`RestoringError`].
pub async fn restore(
    link: &Link,
    settings: &DialSettings,
    reason: &str,
) -> Result<Recovered, RestoringError> {
    let mut client = PeerServiceClient::new(dial(settings).await?)
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(limits::MESSAGE_BYTES);
    let heads = heads(link)?;
    let (peer, common, mut chain) = meet(link, &mut client, &heads).await?;
    let state = link.engine.state();
    // The other side has given receipts so far: what it lost of it, it recalls from here.
    if chain.sequence < state.acknowledged() {
        chain = end_before(link, state.acknowledged() + 1)?;
    }
    // A restore that was cut short goes on in the epoch it began: nothing else was sealed in it, because the daemon is in
    // quarantine until the work is complete.
    if !is_begun(link, false)? {
        let lacks = peer.consumed_sequence > chain.sequence
            || chain.sequence < state.sealed().sequence.min(peer.consumed_sequence)
            // A head of an epoch before may be one that an earlier restore gave up.
            || (peer.known_epoch.max(1) >= state.epoch()
                && !is_prefix(link, peer.accepted_size, &peer.accepted_root)?);
        if !lacks {
            return Err(RestoringError::NotNeeded);
        }
        let epoch = next_epoch(link, &peer)?;
        let restored = restored(link, &peer, common.as_ref(), &chain, reason);
        link.engine.begin_epoch(epoch, restored, Vec::new()).await?;
    } else {
        chain = *state.sealed();
    }
    let mut recovered = Recovered {
        epoch: link.engine.state().epoch(),
        common_size: common.map_or(0, |head| head.size),
        lost_size: peer.accepted_size,
        own: 0,
        theirs: 0,
        anew: 0,
    };
    let own_from = chain.sequence + 1;
    let theirs_from = link.engine.state().consumed().sequence + 1;
    let mut parts = ask(link, &mut client, &[], (own_from, theirs_from), false).await?;
    while let Some(part) = parts.message().await? {
        let RecallResponse { own, theirs, .. } = part;
        recovered.own += own.len() as u64;
        recovered.theirs += theirs.len() as u64;
        if !own.is_empty() {
            link.engine.recall(own.into_iter().map(parcel).collect()).await?;
        }
        if !theirs.is_empty() {
            take_in(link, theirs).await?;
        }
    }
    recovered.anew = seal_anew(link).await?;
    Ok(recovered)
}

/// The epoch above any that either side knows.
pub(super) fn next_epoch(link: &Link, peer: &Introduction) -> Result<u32, RestoringError> {
    let known = link.engine.state().epoch().max(peer.known_epoch);
    known.checked_add(1).ok_or(RestoringError::Unexpected)
}

/// The fact that began the newest epoch.
fn newest(link: &Link) -> Result<Option<Restored>, StoreError> {
    let found = link.engine.store().find(&Lookup::Restored)?;
    Ok(found.and_then(|found| match &found.event.fact {
        Some(Fact::Restored(restored)) => Some(restored.clone()),
        _ => None,
    }))
}

/// Whether this work was begun and cut short. The other of the two must be finished as what it was.
pub(super) fn is_begun(link: &Link, revokes: bool) -> Result<bool, RestoringError> {
    if !link.engine.state().is_restoring() {
        return Ok(false);
    }
    match newest(link)?.is_some_and(|begun| !begun.revocation.is_empty()) {
        begun if begun == revokes => Ok(true),
        true => Err(RestoringError::Unfinished("article6 revoke")),
        false => Err(RestoringError::Unfinished("article6 restore")),
    }
}

/// Seals anew what the given-up history had sealed; returns how many messages.
pub(super) async fn seal_anew(link: &Link) -> Result<u64, RestoringError> {
    let given_up = voided(link.engine.store())?;
    for some in given_up.chunks(ANEW) {
        link.engine.seal_anew(some.to_vec()).await?;
    }
    // What is still given up now was refused; each has its line in the log.
    let refused = voided(link.engine.store())?;
    // Until this stands the daemon stays in quarantine: what is not sealed anew yet would be lost unnoticed.
    if let Some(begun) = newest(link)? {
        link.engine.complete_restore(Restored { revocation: bytes::Bytes::new(), ..begun }).await?;
    }
    Ok(given_up.len().saturating_sub(refused.len()) as u64)
}

/// Meets the other daemon: how it introduces itself, the head that both know, and the last message of this Party's chain that
/// both hold alike.
pub(super) async fn meet(
    link: &Link,
    client: &mut PeerServiceClient<Dialled>,
    heads: &[KnownHead],
) -> Result<(Introduction, Option<KnownHead>, ChainEnd), RestoringError> {
    let sealed = *link.engine.state().sealed();
    let mut asked = sealed.sequence + 1;
    let mut step = 1;
    loop {
        let mut parts = ask(link, client, heads, (asked, u64::MAX), false).await?;
        let first = parts.message().await?.ok_or(RestoringError::Unexpected)?;
        let peer = first.introduction.ok_or(RestoringError::Unexpected)?;
        let beyond = peer.consumed_sequence.checked_add(1).ok_or(RestoringError::Unexpected)?;
        if asked > beyond {
            asked = beyond;
            continue;
        }
        let end = end_before(link, asked)?;
        let continues = match peer.consumed_sequence >= asked {
            // The next message that it holds names the one before it.
            true => {
                let next = parts.message().await?.and_then(|part| part.own.into_iter().next());
                let next = next.ok_or(RestoringError::Unexpected)?;
                let envelope = crate::channel::envelope::Envelope::decode(next.envelope);
                let envelope = envelope.map_err(|_| RestoringError::Unexpected)?;
                envelope.fields().previous_digest == end.digest.as_bytes().as_slice()
            }
            // The last that it holds is the one before.
            false => asked == 1 || peer.consumed_digest == end.digest.as_bytes().as_slice(),
        };
        if continues || asked == 1 {
            return Ok((peer, first.common, end));
        }
        asked = asked.saturating_sub(step).max(1);
        step *= 2;
    }
}

/// The end of this Party's chain before a sequence, as the store has it.
fn end_before(link: &Link, sequence: u64) -> Result<ChainEnd, StoreError> {
    let before = sequence - 1;
    let found = if before == 0 { None } else { link.engine.store().find(&Lookup::Sealed(before))? };
    Ok(match found {
        None => ChainEnd { sequence: 0, digest: Digest::ZERO, signed_at: None },
        Some(found) => ChainEnd {
            sequence: before,
            digest: Digest::of(&found.record.envelope),
            signed_at: found.envelope.as_ref().and_then(|envelope| envelope.signed_at),
        },
    })
}

async fn ask(
    link: &Link,
    client: &mut PeerServiceClient<Dialled>,
    heads: &[KnownHead],
    (own_from, theirs_from): (u64, u64),
    introduction_only: bool,
) -> Result<Streaming<RecallResponse>, RestoringError> {
    let (introduction, _) =
        introduce(link, &link.engine.state()).map_err(|error| RestoringError::Refused(error.to_string()))?;
    let (introduction, heads) = (Some(introduction), heads.to_vec());
    let request = RecallRequest { introduction, own_from, theirs_from, heads, introduction_only };
    Ok(client.recall(request).await?.into_inner())
}

/// The heads of this ledger that the other Party cosigned, the newest first.
pub(super) fn heads(link: &Link) -> Result<Vec<KnownHead>, StoreError> {
    let store = link.engine.store();
    let mut heads = Vec::new();
    for leaf in store.named(&Lookup::Cosigned)?.into_iter().take(limits::RECALL_HEADS) {
        if let Some(Fact::Cosigned(event)) = &store.event(leaf)?.event.fact {
            heads.push(KnownHead { size: event.size, root: event.root.clone() });
        }
    }
    Ok(heads)
}

/// Whether a head that the other Party accepted is one that this ledger has had.
fn is_prefix(link: &Link, size: u64, root: &[u8]) -> Result<bool, StoreError> {
    let reader = link.engine.store().reader();
    if size == 0 || size > reader.head().size {
        return Ok(size == 0);
    }
    let own = Frontier::from_nodes(size, reader)?.root();
    Ok(own.as_bytes().as_slice() == root)
}

pub(super) fn restored(
    link: &Link,
    peer: &Introduction,
    common: Option<&KnownHead>,
    chain: &ChainEnd,
    reason: &str,
) -> Restored {
    let unless_none =
        |sequence: u64, digest: Digest| if sequence == 0 { bytes::Bytes::new() } else { digest.to_bytes() };
    Restored {
        from_epoch: link.engine.state().epoch(),
        common_size: common.map_or(0, |head| head.size),
        common_root: common.map(|head| head.root.clone()).unwrap_or_default(),
        lost_size: peer.accepted_size,
        lost_root: peer.accepted_root.clone(),
        sealed_sequence: chain.sequence,
        sealed_digest: unless_none(chain.sequence, chain.digest),
        sealed_at: chain.signed_at,
        reason: reason.to_owned(),
        revocation: bytes::Bytes::new(),
        complete: false,
    }
}

/// Takes in messages of the other Party that this side had given receipts for.
async fn take_in(link: &Link, theirs: Vec<Delivery>) -> Result<(), RestoringError> {
    let theirs_failed = |error: &dyn std::fmt::Display| RestoringError::Theirs(error.to_string());
    let trusted = link.trusted();
    let arrivals = theirs.into_iter().map(|delivery| inspect(parcel(delivery), &trusted.signing));
    let arrivals = arrivals.collect::<Result<Vec<_>, _>>().map_err(|error| theirs_failed(&error))?;
    let answer = link.engine.consume(arrivals, true).await.map_err(|error| theirs_failed(&error))?;
    answer.await.unwrap_or(Err(ConsumeError::Stopping)).map(drop).map_err(|error| theirs_failed(&error))
}

fn parcel(delivery: Delivery) -> Parcel {
    let Delivery { envelope, signature, body_salt, body, document_salts } = delivery;
    let item = Item { salt: body_salt, body, document_salts };
    let unavailable = item.salt.is_empty() && item.body.is_empty();
    Parcel { envelope, signature, item: if unavailable { None } else { Some(item) } }
}
