//! The calls about cases.

use super::caller::Caller;
use super::case_view::Look;
use super::comparison::differences;
use super::roles::Verb;
use super::token::{case_id, message_name, page_token, read_page_token};
use super::v1::case_service_server::CaseService;
use super::v1::{
    CaseCount, CaseFilter, CompareConfirmationRequest, CompareConfirmationResponse, GetCaseRequest,
    GetCaseResponse, ListCasesRequest, ListCasesResponse, OverdueCount, SummarizeCasesRequest,
    SummarizeCasesResponse,
};
use super::{Office, case_view, refusals};
use crate::door::Refusal;
use crate::exchange::cases::{CaseFile, List};
use crate::index::Scan;
use crate::limits;
use crate::treaty::case::{Act, Party};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{AssistanceRequest, Body, OralRequestNote};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::{Code, Request, Response, Status};

/// Open cases looked at for a summary.
const SUMMARIZED: usize = 2000;

/// The service.
#[derive(Debug, Clone)]
pub struct Cases {
    /// What the calls work with.
    pub office: Office,
}

impl Cases {
    fn read(&self, id: [u8; 16]) -> Result<Arc<CaseFile>, Refusal> {
        let engine = &self.office.engine;
        engine.case(id).map_err(|error| refusals::store(&error))
    }

    /// A case of which something is here, by its name in the field `name`.
    fn named(&self, name: &str) -> Result<([u8; 16], Arc<CaseFile>), Refusal> {
        let id = case_id("name", name)?;
        let file = self.read(id)?;
        if file.entries.is_empty() {
            return Err(Refusal::new(
                Code::NotFound,
                "CASE_NOT_FOUND",
                "no message of a case of this name is here",
            ));
        }
        Ok((id, file))
    }

    fn look(&self) -> Result<Look, Refusal> {
        let core = self.office.engine.core();
        let ours = Party::from_code(&core.terms.party).ok_or_else(refusals::message_not_found)?;
        let now = jiff::Timestamp::from_second(core.clock.now().seconds).unwrap_or_default();
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let targets = self.office.engine.agreement().accords().shared(today).alert_targets;
        Ok(Look { ours, targets, now })
    }

    /// Counts by list, and what is overdue in the open cases.
    async fn summarize(&self) -> Result<SummarizeCasesResponse, Refusal> {
        let size = self.office.engine.state().size();
        self.office.follower.wait_for(size, limits::INDEX_PATIENCE).await.map_err(refusals::query)?;
        let mut counts = Vec::new();
        for number in 0.. {
            let Ok(filter) = CaseFilter::try_from(number) else { break };
            let count = self.office.follower.count(list(filter)).map_err(refusals::query)?;
            counts.push(CaseCount { filter: filter.into(), count });
        }
        let scan = Scan {
            list: Some(List::Open as u8),
            before: size,
            limit: SUMMARIZED,
            budget: SUMMARIZED,
            ..Scan::default()
        };
        let page = self.office.look_through(scan, |_, _| true).await?;
        let (look, mut overdue) = (self.look()?, BTreeMap::<(String, String), u32>::new());
        for (row, _) in page.rows {
            let file = self.read(row.case_id)?;
            for due in case_view::due_dates(&file, &look).into_iter().filter(|it| it.overdue) {
                *overdue.entry((due.what, due.owner)).or_default() += 1;
            }
        }
        let overdue = overdue.into_iter().map(|((what, owner), count)| OverdueCount { what, owner, count });
        Ok(SummarizeCasesResponse {
            counts,
            overdue: overdue.collect(),
            truncated: page.next_before.is_some(),
        })
    }

    async fn list(&self, request: ListCasesRequest) -> Result<ListCasesResponse, Refusal> {
        let size = self.office.engine.state().size();
        self.office.follower.wait_for(size, limits::INDEX_PATIENCE).await.map_err(refusals::query)?;
        let conditions = request.filter.to_be_bytes();
        let before = match request.page_token.as_str() {
            "" => size,
            token => read_page_token(token, &conditions)?.min(size),
        };
        let limit = match usize::try_from(request.page_size) {
            Ok(0) | Err(_) => limits::PAGE_SIZE,
            Ok(size) => size.min(limits::PAGE_SIZE_MAX),
        };
        let scan = Scan {
            list: Some(list(request.filter()) as u8),
            before,
            limit,
            budget: limits::PAGE_BUDGET,
            ..Scan::default()
        };
        let page = self.office.look_through(scan, |_, _| true).await?;
        let look = self.look()?;
        let mut cases = Vec::with_capacity(page.rows.len());
        for (row, _) in page.rows {
            let file = self.read(row.case_id)?;
            cases.push(case_view::case(&row.case_id, &file, &look, false));
        }
        let next_page_token = page.next_before.map(|before| page_token(before, &conditions));
        Ok(ListCasesResponse { cases, next_page_token: next_page_token.unwrap_or_default() })
    }

    async fn compare(
        &self,
        caller: Caller,
        request: CompareConfirmationRequest,
    ) -> Result<CompareConfirmationResponse, Refusal> {
        let reading = caller.read_for(request.purpose)?;
        let (_, file) = self.named(&request.name)?;
        let first = |wanted: Act| {
            let steps = file.case.steps().iter();
            let found = steps.filter(|step| step.crossed.is_none()).find(|step| step.act == Some(wanted));
            found.and_then(|step| file.filed.get(step.entry))
        };
        let (Some(note), Some(confirmation)) = (first(Act::OralNote), first(Act::Confirmation)) else {
            return Err(Refusal::new(
                Code::FailedPrecondition,
                "NO_ORAL_REQUEST",
                "this case has no note of an oral request with its confirmation (Article 5.1)",
            ));
        };
        for leaf in [note.leaf, confirmation.leaf] {
            let opened = self.office.engine.store().event(leaf).map_err(|error| refusals::store(&error))?;
            self.office.may_read(&reading, &opened).await?;
        }
        let bodies = [self.body(note.leaf)?, self.body(confirmation.leaf)?];
        self.office.note_read(&reading, vec![note.leaf, confirmation.leaf]).await?;
        let [noted, confirmed] = bodies;
        let (noted, confirmed) = match (noted.content, confirmed.content) {
            (Some(Content::OralRequestNote(noted)), Some(Content::AssistanceRequest(confirmed))) => {
                (noted, confirmed)
            }
            _ => (OralRequestNote::default(), AssistanceRequest::default()),
        };
        Ok(CompareConfirmationResponse {
            note: message_name(&note.message_id),
            confirmation: message_name(&confirmation.message_id),
            differences: differences(&noted, &confirmed),
        })
    }

    /// The body of a message; an erased one can no longer be compared.
    fn body(&self, leaf: u64) -> Result<Body, Refusal> {
        let store = self.office.engine.store();
        let item = store.event(leaf).and_then(|opened| store.item(&opened));
        let item = item.map_err(|error| refusals::store(&error))?;
        let body = item.and_then(|item| Body::decode(item.body).ok());
        body.ok_or_else(|| {
            Refusal::new(Code::FailedPrecondition, "CONTENT_UNAVAILABLE", "the content is no longer here")
        })
    }
}

#[tonic::async_trait]
impl CaseService for Cases {
    async fn get_case(&self, request: Request<GetCaseRequest>) -> Result<Response<GetCaseResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::SeeCases)?;
        let (id, file) = self.named(&request.get_ref().name)?;
        let case = case_view::case(&id, &file, &self.look()?, true);
        Ok(Response::new(GetCaseResponse { case: Some(case) }))
    }

    async fn list_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::SeeCases)?;
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn summarize_cases(
        &self,
        request: Request<SummarizeCasesRequest>,
    ) -> Result<Response<SummarizeCasesResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::SeeCases)?;
        Ok(Response::new(self.summarize().await?))
    }

    async fn compare_confirmation(
        &self,
        request: Request<CompareConfirmationRequest>,
    ) -> Result<Response<CompareConfirmationResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Read)?;
        Ok(Response::new(self.compare(caller, request.into_inner()).await?))
    }
}

fn list(filter: CaseFilter) -> List {
    match filter {
        CaseFilter::Unspecified => List::All,
        CaseFilter::Open => List::Open,
        CaseFilter::WaitsForUs => List::WaitsForUs,
        CaseFilter::WaitsForThem => List::WaitsForThem,
        CaseFilter::OwedByUs => List::OwedByUs,
        CaseFilter::OwedByThem => List::OwedByThem,
        CaseFilter::Crossed => List::Crossed,
        CaseFilter::Submitted => List::Submitted,
        CaseFilter::Clarifying => List::Clarifying,
        CaseFilter::Conditioned => List::Conditioned,
        CaseFilter::Executing => List::Executing,
        CaseFilter::Answered => List::Answered,
        CaseFilter::NotExecuted => List::NotExecuted,
        CaseFilter::Withdrawn => List::Withdrawn,
        CaseFilter::Closed => List::Closed,
    }
}
