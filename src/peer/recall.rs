//! What crossed is given back: to a side whose store was put back from a backup, from the side that still has it.

use super::Link;
use super::courier::delivery;
use super::introduction::introduce;
use super::service::{malformed, mismatch, unreadable};
use super::v1::{Delivery, KnownHead, RecallRequest, RecallResponse};
use crate::channel::lookup::Lookup;
use crate::crypto::digest::Digest;
use crate::exchange::parcel::{Parcel, sealed_from};
use crate::limits;
use crate::store::{Store, StoreError};
use crate::wire::ledger::v1::event::Fact;
use tokio::sync::mpsc;
use tonic::Status;

/// Answers a recall, part after part.
pub(super) async fn answer(
    link: &Link,
    request: RecallRequest,
    parts: &mpsc::Sender<Result<RecallResponse, Status>>,
) -> Result<(), Status> {
    let asks = request.introduction.as_ref().ok_or_else(|| malformed("introduction"))?;
    let trusted = link.trusted();
    // Whoever holds a pinned connection is the other Party's daemon; its keys must be too, before it is given content.
    if !trusted.ledger.iter().any(|key| key.as_slice() == asks.ledger_key)
        || request.heads.len() > limits::RECALL_HEADS
    {
        return Err(malformed("introduction"));
    }
    let state = link.engine.state();
    let (introduction, _) = introduce(link, &state).map_err(|error| mismatch(&error))?;
    let store = link.engine.store();
    let common = common(store, &request.heads).map_err(|error| unreadable(&error))?;
    let first = RecallResponse { introduction: Some(introduction), common, ..RecallResponse::default() };
    let send = async |part| parts.send(Ok(part)).await.is_ok();
    if !send(first).await || request.introduction_only {
        return Ok(());
    }
    tracing::warn!(
        own_from = request.own_from,
        theirs_from = request.theirs_from,
        "the other Party's daemon asks for what crossed: its store was put back from a backup"
    );
    let mut next = request.own_from.max(1);
    while next <= state.consumed().sequence {
        let own = consumed_from(store, next).map_err(|error| unreadable(&error))?;
        next += own.len() as u64;
        if own.is_empty() || !send(RecallResponse { own, ..RecallResponse::default() }).await {
            return Ok(());
        }
    }
    let mut next = request.theirs_from.max(1);
    // What it gave a receipt for; and what its own messages say it had seen, or the next one would contradict them.
    let crossed = state.acknowledged().max(state.consumed_peer_sequence_seen()).min(state.sealed().sequence);
    while next <= crossed {
        let left = usize::try_from(crossed - next + 1).unwrap_or(usize::MAX);
        let most = left.min(limits::DELIVERIES_PER_REQUEST);
        let parcels = sealed_from(store, next, most, limits::DELIVERY_REQUEST_BYTES);
        let theirs: Vec<Delivery> =
            parcels.map_err(|error| unreadable(&error))?.into_iter().map(delivery).collect();
        next += theirs.len() as u64;
        if theirs.is_empty() || !send(RecallResponse { theirs, ..RecallResponse::default() }).await {
            return Ok(());
        }
    }
    Ok(())
}

/// The first of the heads that was accepted here.
fn common(store: &Store, heads: &[KnownHead]) -> Result<Option<KnownHead>, StoreError> {
    for head in heads {
        if accepted_root(store, head.size)?.is_some_and(|root| root.as_bytes().as_slice() == head.root) {
            return Ok(Some(head.clone()));
        }
    }
    Ok(None)
}

/// The root with which the other Party's head of this size was accepted here.
pub(super) fn accepted_root(store: &Store, size: u64) -> Result<Option<Digest>, StoreError> {
    let found = store.find(&Lookup::Accepted(size))?;
    Ok(found.and_then(|found| match &found.event.fact {
        Some(Fact::Witnessed(event)) => Digest::from_slice(&event.root),
        Some(Fact::Acknowledged(event)) => Digest::from_slice(&event.peer_root),
        _ => None,
    }))
}

/// The other Party's messages that were consumed here, from a sequence on, as many as fit.
fn consumed_from(store: &Store, sequence: u64) -> Result<Vec<Delivery>, StoreError> {
    let (mut deliveries, mut bytes) = (Vec::new(), 0);
    for sequence in (sequence..).take(limits::DELIVERIES_PER_REQUEST) {
        let Some(opened) = store.find(&Lookup::Consumed(sequence))? else { break };
        let parcel = Parcel {
            envelope: opened.record.envelope.clone(),
            signature: opened.record.signature.clone(),
            item: store.item(&opened)?,
        };
        bytes += parcel.len();
        if bytes > limits::DELIVERY_REQUEST_BYTES && !deliveries.is_empty() {
            break;
        }
        deliveries.push(delivery(parcel));
    }
    Ok(deliveries)
}
