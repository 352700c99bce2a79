//! The calls of the operations door.

use super::keys::Keys;
use super::v1::operations_service_server::OperationsService;
use super::v1::{
    DeliveryHealth, GetStatusRequest, GetStatusResponse, IndexHealth, ReleaseChannelRequest,
    ReleaseChannelResponse, ReloadCertificatesRequest, ReloadCertificatesResponse, WitnessHealth,
};
use crate::channel::state::State;
use crate::door::{PeerIdentity, Refusal};
use crate::exchange::delivery::Health;
use crate::exchange::engine::Engine;
use crate::exchange::follow::{Follower, Indexed};
use crate::limits;
use crate::wire::ledger::v1::{OperatorActed, OperatorAction, event::Fact};
use prost_types::Timestamp;
use std::sync::Arc;
use tokio::sync::watch;
use tonic::{Code, Request, Response, Status};

/// The service.
#[derive(Debug, Clone)]
pub struct Service {
    /// The engine.
    pub engine: Engine,
    /// The query index.
    pub follower: Follower,
    /// Whether messages reach the other Party.
    pub delivery: watch::Receiver<Health>,
    /// Keys and certificates.
    pub keys: Arc<dyn Keys>,
    /// When the daemon started.
    pub started_at: Timestamp,
}

impl Service {
    fn status(&self) -> GetStatusResponse {
        let progress = self.engine.progress().borrow().clone();
        let terms = &self.engine.core().terms;
        let reader = self.engine.store().reader();
        let head = reader.head();
        let indexed = *self.follower.state().borrow();
        // Taken once: a second look while a writer waits would wait for ever.
        let health = self.delivery.borrow().clone();
        let quarantine = self.engine.core().quarantine.found();
        GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: Some(self.started_at),
            party: terms.party.clone(),
            counterparty: terms.counterparty.clone(),
            ledger_size: head.size,
            ledger_root: head.root.to_bytes(),
            sealed_sequence: progress.state.sealed().sequence,
            acknowledged_sequence: progress.state.acknowledged(),
            consumed_sequence: progress.state.consumed().sequence,
            delivery: Some(delivery(&health)),
            index_size: indexed.position,
            index: index(indexed, head.size).into(),
            resident_bytes: resident_bytes(),
            journal_bytes: reader.bytes(),
            syncs: progress.syncs,
            commits: progress.commits,
            cpu_microseconds: cpu_microseconds(),
            stale_revocation_lists: self.keys.stale_lists().into_iter().map(str::to_owned).collect(),
            quarantine: quarantine.map(|(_, reason)| reason.to_owned()).unwrap_or_default(),
            quarantined_since: quarantine.map(|(since, _)| since),
            epoch: progress.state.epoch(),
            peer_epoch: progress.state.peer_epoch(),
            degraded_since: progress.state.degraded_since(),
            directives_differed: self.engine.core().alerts.directives(),
            designations_ended: self.engine.core().alerts.designations(),
            witness: Some(WitnessHealth {
                cosigned_size: progress.state.cosigned().size,
                cosigned_at: health.cosigned_at,
                accepted_size: progress.state.peer_head().size,
                held: progress.state.is_held(),
                overdue_sequence: overdue(&progress.state),
                peer_ahead_seconds: health.peer_ahead_seconds,
                clock_skewed: progress.state.is_clock_skewed(),
            }),
        }
    }
}

#[tonic::async_trait]
impl OperationsService for Service {
    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        Ok(Response::new(self.status()))
    }

    async fn release_channel(
        &self,
        request: Request<ReleaseChannelRequest>,
    ) -> Result<Response<ReleaseChannelResponse>, Status> {
        let identity = request.extensions().get::<PeerIdentity>();
        let operator_key_id = identity.map(|identity| identity.key_id.to_bytes()).unwrap_or_default();
        if !self.engine.state().is_held() {
            let told = "the channel is not held";
            return Err(Refusal::new(Code::FailedPrecondition, "CHANNEL_NOT_HELD", told).status());
        }
        let action = OperatorAction::ReleaseChannel.into();
        let acted = OperatorActed { action, operator_key_id, reason: request.into_inner().reason };
        self.engine.note(Fact::OperatorActed(acted)).await.map_err(|error| {
            Refusal::new(Code::Unavailable, "NOT_RECORDED", error.to_string())
                .retry_after(limits::OVERLOAD_RETRY)
        })?;
        tracing::warn!("a person released the channel");
        Ok(Response::new(ReleaseChannelResponse {}))
    }

    async fn reload_certificates(
        &self,
        _: Request<ReloadCertificatesRequest>,
    ) -> Result<Response<ReloadCertificatesResponse>, Status> {
        let keys = self.keys.clone();
        let reloaded = tokio::task::spawn_blocking(move || keys.reload())
            .await
            .map_err(|_| Refusal::new(Code::Internal, "RELOAD_CUT_SHORT", "the reload was cut short"))?;
        let changed = reloaded
            .map_err(|cause| Refusal::new(Code::FailedPrecondition, "CERTIFICATE_UNUSABLE", cause))?;
        Ok(Response::new(ReloadCertificatesResponse {
            changed_files: u32::try_from(changed).unwrap_or(u32::MAX),
        }))
    }
}

/// The message that waits first for an overdue receipt; 0 when none is overdue.
fn overdue(state: &State) -> u64 {
    let waits = state.acknowledged() + 1;
    if state.overdue() >= waits { waits } else { 0 }
}

fn delivery(health: &Health) -> DeliveryHealth {
    DeliveryHealth {
        open: health.open,
        reason: health.reason.clone(),
        failing_since: health.failing_since,
        attempts: u64::from(health.attempts),
        next_attempt_at: health.next_attempt_at,
        tls_group: health.tls_group.clone(),
    }
}

fn index(indexed: Indexed, size: u64) -> IndexHealth {
    match indexed {
        Indexed { available: false, .. } => IndexHealth::Unavailable,
        Indexed { position, .. } if position < size => IndexHealth::CatchingUp,
        _ => IndexHealth::Current,
    }
}

/// Resident memory of this process, from the kernel's account; 0 where it gives none.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}

/// Processor time of this process in microseconds, from the kernel's account; 0 where it gives none.
fn cpu_microseconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command's name may hold spaces; the fields after it do not.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let tick = |at: usize| fields.split(' ').nth(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
    (tick(11) + tick(12)) * 1_000_000 / rustix::param::clock_ticks_per_second().max(1)
}
