//! Whether the certificate of an open session still qualifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::{CertificateDer, UnixTime};
use tokio_util::sync::CancellationToken;

use super::tls::TlsState;
use crate::crypto::Certificate;

/// The standing of one session. Once lost it is not regained: the client connects anew.
///
/// Cheap while nothing changes: one comparison of time, one of the generation. After a reload the chain is judged
/// again as a new handshake would be.
pub(super) struct Standing {
    tls: Arc<TlsState>,
    chain: Vec<CertificateDer<'static>>,
    not_after: SystemTime,
    judged: AtomicU64,
    lost: CancellationToken,
}

impl Standing {
    /// `generation` is that of before the handshake: a reload in between is then noticed.
    pub fn new(
        tls: Arc<TlsState>,
        chain: Vec<CertificateDer<'static>>,
        leaf: &Certificate,
        generation: u64,
    ) -> Self {
        let not_after = chain
            .iter()
            .filter_map(|link| Certificate::from_der(link).ok())
            .map(|link| link.not_after())
            .fold(leaf.not_after(), SystemTime::min);
        Self { tls, chain, not_after, judged: AtomicU64::new(generation), lost: CancellationToken::new() }
    }

    /// Looks again, if there is reason to.
    pub fn holds(&self, now: SystemTime) -> bool {
        if self.lost.is_cancelled() {
            return false;
        }
        let generation = self.tls.generation();
        let qualifies = now <= self.not_after
            && (generation == self.judged.load(Ordering::Acquire)
                || self.tls.judge_client(&self.chain, unix(now)).is_ok());
        if qualifies {
            self.judged.store(generation, Ordering::Release);
        } else {
            self.lost.cancel();
        }
        qualifies
    }

    /// Resolves when the standing is lost.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }
}

fn unix(now: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
}
