//! Receipts that do not come: the daemon says so in its ledger, which the other Party must cosign.

use super::Link;
use crate::channel::lookup::Lookup;
use crate::crypto::digest::Digest;
use crate::door::Shutdown;
use crate::limits;
use crate::store::StoreError;
use crate::wire::ledger::v1::{Overdue, event::Fact};
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
