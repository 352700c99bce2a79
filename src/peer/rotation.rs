//! Keys over time: the next key is introduced over the channel, and the one before it retired when both have been in use
//! for long enough.
//!
//! The clock only decides when a retirement is *said*; what it means is its place in the chain.

use super::Link;
use crate::channel::keys::{KEYS_MAX, Key, Keys, OPEN_SERVICES_MAX, Side};
use crate::crypto::digest::Digest;
use crate::crypto::random;
use crate::door::Shutdown;
use crate::exchange::keys::OwnKeys;
use crate::exchange::services::{Service, statement};
use crate::limits;
use crate::wire::channel::v1::{KeyIntroduction, KeyRetirement, KeyUse};
use std::time::Duration;

/// Every use of a key that the other Party must know of.
const USES: [KeyUse; 3] = [KeyUse::Signing, KeyUse::Ledger, KeyUse::Tls];

/// Introduces and retires keys, until the daemon drains.
pub async fn run(link: Link, overlap: Duration, shutdown: Shutdown) {
    loop {
        let due = due(&link, overlap);
        if let Some((service, what, used_for)) = due {
            say(&link, &service, what, used_for).await;
        }
        tokio::select! {
            () = tokio::time::sleep(limits::ROTATION_LOOK) => {}
            () = shutdown.draining() => return,
        }
    }
}

async fn say(link: &Link, service: &Service, what: &'static str, used_for: KeyUse) {
    let Ok(salt) = random::array() else { return };
    let before = link.engine.store().reader().head().size;
    match link.engine.submit(statement(link.terms(), service, salt)).await {
        // Said before and not receipted yet.
        Ok(leaf) if leaf < before => {}
        Ok(_) => tracing::info!(used_for = used_for.as_str_name(), "{what}"),
        Err(error) => tracing::warn!(%error, used_for = used_for.as_str_name(), "{what}, but not yet"),
    }
}

/// What is to be said next about keys.
fn due(link: &Link, overlap: Duration) -> Option<(Service, &'static str, KeyUse)> {
    let (state, configured) = (link.engine.state(), link.engine.core().keys.load());
    if state.keys().open_services() >= OPEN_SERVICES_MAX || state.peer_head().size == 0 {
        return None;
    }
    let now = link.engine.core().clock.now().seconds;
    USES.into_iter().find_map(|used_for| {
        let introduced = introduction(state.keys(), &configured, used_for);
        introduced.map(|it| (it, "a key is introduced to the other Party", used_for)).or_else(|| {
            let retired = retirement(state.keys(), &configured, used_for, now, overlap);
            retired.map(|it| (it, "a key is retired", used_for))
        })
    })
}

/// The next key, where one is configured that was never introduced.
fn introduction(keys: &Keys, configured: &OwnKeys, used_for: KeyUse) -> Option<Service> {
    let listed = configured.listed(used_for);
    let (id, key, certificate) = listed.get(1)?.clone();
    // One too many would have to wait for the eldest to be retired.
    if keys.of(Side::Own, used_for).count() >= KEYS_MAX {
        return None;
    }
    let known = keys.known(Side::Own, used_for).any(|key| key.id() == id);
    let known = known || keys.is_retired(Side::Own, &id);
    let introduction =
        KeyIntroduction { r#use: used_for.into(), key: key.into(), certificate: certificate.into() };
    (!known).then_some(Service::Introduction(introduction))
}

/// The key before the one in use, when both have been in use for long enough.
fn retirement(
    keys: &Keys,
    configured: &OwnKeys,
    used_for: KeyUse,
    now: i64,
    overlap: Duration,
) -> Option<Service> {
    let active = keys.own(used_for)?;
    let overlap = i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX);
    if now.saturating_sub(active.since.seconds) < overlap {
        return None;
    }
    let earlier = keys.of(Side::Own, used_for).map(Key::id);
    // The first key that opens connections is known from the configuration alone.
    let first = configured.listed(used_for).first().map(|(id, ..)| *id);
    let first = first.filter(|_| used_for == KeyUse::Tls);
    let mut earlier = earlier.chain(first).filter(|id| *id != active.id());
    let id: Digest = earlier.find(|id| !keys.is_retired(Side::Own, id))?;
    Some(Service::Retirement(KeyRetirement { r#use: used_for.into(), key_id: id.to_bytes() }))
}
