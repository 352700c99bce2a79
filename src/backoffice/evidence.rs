//! Bundles of evidence, made for a caller.

use super::roles::Verb;
use super::token::message_id;
use super::v1::evidence_service_server::EvidenceService;
use super::v1::{ExportEvidenceRequest, ExportEvidenceResponse};
use super::view::recorded;
use super::{Office, refusals};
use crate::channel::lookup::{Lookup, case_id};
use crate::door::Refusal;
use crate::evidence::bundle::{ComposeError, Keyring, Wanted, compose};
use crate::wire::ledger::v1::event::Fact;
use std::fmt;
use std::sync::Arc;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

/// Where the keys of now come from.
#[derive(Clone)]
pub struct Keyrings(pub Arc<dyn Fn() -> Keyring + Send + Sync>);

impl fmt::Debug for Keyrings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyrings")
    }
}

/// The service.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What the calls work with.
    pub office: Office,
    /// Where the keys of now come from.
    pub keyrings: Keyrings,
}

impl Evidence {
    async fn export(
        &self,
        request: Request<ExportEvidenceRequest>,
    ) -> Result<ExportEvidenceResponse, Refusal> {
        let caller = self.office.callers.now().recognise(&request, Verb::Export)?;
        let request = request.into_inner();
        let reading = caller.read_for(request.purpose)?;
        let id = message_id("name", &request.name)?;
        let store = self.office.engine.store();
        let found = store.find(&Lookup::Message(id)).map_err(|error| refusals::store(&error))?;
        let found = found.filter(|opened| recorded(&opened.event).is_some());
        let found = found.ok_or_else(refusals::message_not_found)?;
        self.office.may_read(&reading, &found).await?;
        let leaf = found.leaf;
        let received =
            found.envelope.as_deref().filter(|_| matches!(found.event.fact, Some(Fact::Received(_))));
        let file = received.and_then(case_id).map(|case| self.office.engine.case(case));
        let file = file.transpose().map_err(|error| refusals::store(&error))?;
        let marked = received.map(|envelope| self.office.marking(&found, envelope, file.as_deref()));
        self.office.note_read(&reading, vec![leaf]).await?;
        let (core, keyring) = (self.office.engine.clone(), (self.keyrings.0)());
        let made = tokio::task::spawn_blocking(move || {
            let (keys, state) = (core.core().keys.load(), core.state());
            let key = keys.ledger(state.keys()).map_err(|_| ComposeError::Key)?;
            compose(core.store(), &keyring, key, Wanted::Message(id))
        });
        let bundle = made.await.map_err(|_| refusals::stopping())?.map_err(|error| refused(&error))?;
        Ok(ExportEvidenceResponse {
            bundle: bundle.into(),
            file_name: format!("{}.zip", Uuid::from_bytes(id)),
            marking: marked.unwrap_or_default().marking,
        })
    }
}

#[tonic::async_trait]
impl EvidenceService for Evidence {
    async fn export_evidence(
        &self,
        request: Request<ExportEvidenceRequest>,
    ) -> Result<Response<ExportEvidenceResponse>, Status> {
        Ok(Response::new(self.export(request).await?))
    }
}

fn refused(error: &ComposeError) -> Refusal {
    match error {
        ComposeError::Unknown => refusals::message_not_found(),
        ComposeError::Store(error) => refusals::store(error),
        ComposeError::Certificate => Refusal::new(
            Code::FailedPrecondition,
            "CERTIFICATE_RENEWED",
            "the certificate that the message was signed with is no longer configured: export with the daemon stopped, \
             and name it with --certificate",
        ),
        ComposeError::Key => Refusal::new(
            Code::FailedPrecondition,
            "OWN_KEY_MISSING",
            "the ledger key in force is not configured",
        ),
        ComposeError::Fault(fault) => {
            tracing::error!(%fault, "the evidence of a message does not hold: verify the store");
            Refusal::new(
                Code::Internal,
                "EVIDENCE_BROKEN",
                "the evidence does not hold; the daemon's operator must verify the store",
            )
        }
    }
}
