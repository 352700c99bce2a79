//! Receipts that do not come: the daemon says so in its ledger, which the other Party must cosign, and shows it the
//! complaint until it answers.

use super::Link;
use crate::channel::lookup::Lookup;
use crate::channel::proof_check::disclosed;
use crate::crypto::digest::Digest;
use crate::door::Shutdown;
use crate::limits;
use crate::store::StoreError;
use crate::wire::ledger::v1::{ComplaintAnswer, ComplaintAnswered, Overdue, Receipt, event::Fact};
use std::time::Duration;

/// Looks now and then for a message that has waited longer than `after` for its receipt, until the daemon drains.
pub async fn run(link: Link, after: Duration, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(after.min(limits::OVERDUE_LOOK)) => {}
            () = shutdown.draining() => return,
        }
        match overdue(&link, after) {
            Ok(None) => {}
            Ok(Some(fact)) => {
                tracing::error!(sequence = fact.sequence, "the other Party's receipt is overdue");
                if let Err(error) = link.engine.note(Fact::Overdue(fact)).await {
                    tracing::warn!(%error, "an overdue receipt is not recorded");
                }
            }
            Err(error) => tracing::error!(%error, "the store cannot be read"),
        }
    }
}

/// The message that waits first, if it waits too long and that is not recorded yet.
fn overdue(link: &Link, after: Duration) -> Result<Option<Overdue>, StoreError> {
    let state = link.engine.state();
    let sequence = state.acknowledged() + 1;
    if sequence > state.sealed().sequence || sequence <= state.overdue() {
        return Ok(None);
    }
    let Some(sealed) = link.engine.store().find(&Lookup::Sealed(sequence))? else { return Ok(None) };
    let Some(sealed_at) = sealed.event.recorded_at else { return Ok(None) };
    let waited = link.engine.core().clock.now().seconds - sealed_at.seconds;
    if waited < i64::try_from(after.as_secs()).unwrap_or(i64::MAX) {
        return Ok(None);
    }
    let envelope_digest = Digest::of(&sealed.record.envelope).to_bytes();
    Ok(Some(Overdue { sequence, envelope_digest, sealed_at: Some(sealed_at) }))
}

/// The complaint that the other Party's daemon has not answered.
pub(super) fn open(link: &Link) -> Result<Option<(u64, Receipt)>, StoreError> {
    let Some(sequence) = link.engine.state().open_complaint() else { return Ok(None) };
    let store = link.engine.store();
    let Some(found) = store.find(&Lookup::Overdue(sequence))? else { return Ok(None) };
    Ok(Some((sequence, store.disclose(found.leaf)?.0)))
}

/// Records what the other Party's daemon answered.
pub(super) async fn note_answer(link: &Link, sequence: u64, answer: ComplaintAnswer) {
    // The receipt may have come meanwhile; that it was asked for and answered stands all the same.
    if link.engine.state().complaint_answered() >= sequence {
        return;
    }
    tracing::warn!(sequence, answer = answer.as_str_name(), "the other Party answered a complaint");
    let fact = Fact::ComplaintAnswered(ComplaintAnswered { sequence, answer: answer.into() });
    if let Err(error) = link.engine.note(fact).await {
        tracing::warn!(%error, "the answer to a complaint is not recorded");
    }
}

/// Answers a complaint of the other Party, if it proves itself.
pub(super) fn answer(
    link: &Link,
    complaint: &Receipt,
) -> Result<(ComplaintAnswer, Option<Receipt>), StoreError> {
    let Some(overdue) = proven(link, complaint) else { return Ok((ComplaintAnswer::Unspecified, None)) };
    tracing::warn!(sequence = overdue.sequence, "the other Party complains: it has no receipt for a message");
    let store = link.engine.store();
    let Some(held) = store.find(&Lookup::Consumed(overdue.sequence))? else {
        return Ok((ComplaintAnswer::NotHeld, None));
    };
    if Digest::of(&held.record.envelope).as_bytes().as_slice() != overdue.envelope_digest {
        return Ok((ComplaintAnswer::Other, None));
    }
    Ok((ComplaintAnswer::Held, Some(store.disclose(held.leaf)?.0)))
}

fn proven(link: &Link, complaint: &Receipt) -> Option<Overdue> {
    let epoch = link.engine.state().peer_epoch().max(1);
    match disclosed(complaint, &link.trusted().vkeys(link.terms(), epoch)).ok()?.0.fact {
        Some(Fact::Overdue(overdue)) => Some(overdue),
        _ => None,
    }
}
