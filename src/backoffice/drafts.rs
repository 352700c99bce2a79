//! The calls about drafts (four eyes).

use super::caller::Caller;
use super::draft_view::{self, Open};
use super::roles::Verb;
use super::submission::{Prepared, prepare};
use super::token::draft_id;
use super::v1::draft_service_server::DraftService;
use super::v1::{
    CreateDraftRequest, CreateDraftResponse, DiscardDraftRequest, DiscardDraftResponse, Draft,
    GetDraftRequest, GetDraftResponse, ListDraftsRequest, ListDraftsResponse, Message, ProposeDraftRequest,
    ProposeDraftResponse, ReleaseDraftRequest, ReleaseDraftResponse, ReturnDraftRequest, ReturnDraftResponse,
    Submission, UpdateDraftRequest, UpdateDraftResponse,
};
use super::{Office, Release, refusals};
use crate::crypto::digest::Digest;
use crate::crypto::random;
use crate::door::Refusal;
use crate::exchange::cases::CaseFile;
use crate::exchange::drafts::DraftStep;
use crate::exchange::event::derive_message_id;
use crate::treaty;
use crate::wire::ledger::v1::{DraftAction, DraftChanged, Item};
use bytes::Bytes;
use prost::Message as _;
use tonic::{Code, Request, Response, Status};

/// What no client is called: messages that drafts become have identities of their own.
const DRAFTS: &str = "draft:";

/// The service.
#[derive(Debug, Clone)]
pub struct Drafts {
    /// What the calls work with.
    pub office: Office,
}

impl Drafts {
    async fn create(&self, caller: Caller, request: CreateDraftRequest) -> Result<Draft, Refusal> {
        let (submission, prepared) = self.text(&caller, request.submission)?;
        let terms = &self.office.engine.core().terms;
        let id = derive_message_id(terms, &format!("{DRAFTS}{}", caller.client), &request.request_id);
        if let Some(open) = Open::find(&self.office, &id)? {
            // The first text decides; what was written since does not.
            let first = open.first_text(&self.office)?;
            return match first == submission {
                true => self.view(&open),
                false => Err(refusals::submit(crate::exchange::submit::SubmitError::RequestIdReused)),
            };
        }
        let change = DraftChanged {
            draft_id: Bytes::copy_from_slice(&id),
            version: 1,
            authors: vec![caller.official.clone()],
            ..described(&prepared)
        };
        self.step(&caller, change, DraftAction::Created, None, Some(submission.encode_to_vec())).await
    }

    async fn update(&self, caller: Caller, request: UpdateDraftRequest) -> Result<Draft, Refusal> {
        let open = self.seen(&request.name, &request.etag)?;
        let (submission, prepared) = self.text(&caller, request.submission)?;
        let mut change = DraftChanged {
            draft_id: open.change.draft_id.clone(),
            version: open.change.version.saturating_add(1),
            previous_content_leaf: open.content_leaf(),
            authors: open.change.authors.clone(),
            ..described(&prepared)
        };
        if !change.authors.contains(&caller.official) {
            change.authors.push(caller.official.clone());
        }
        let text = Some(submission.encode_to_vec());
        self.step(&caller, change, DraftAction::Updated, Some(open.leaf), text).await
    }

    async fn propose(&self, caller: Caller, request: ProposeDraftRequest) -> Result<Draft, Refusal> {
        let open = self.seen(&request.name, &request.etag)?;
        let mut change = open.carried_on();
        // A case officer proposes in nobody's name; a designated official in his own (Article 6.1).
        if caller.designated {
            change.acting_official.clone_from(&caller.official);
        }
        self.step(&caller, change, DraftAction::Proposed, Some(open.leaf), None).await
    }

    async fn send_back(&self, caller: Caller, request: ReturnDraftRequest) -> Result<Draft, Refusal> {
        let open = self.seen(&request.name, &request.etag)?;
        open.must_be_proposed()?;
        let change = open.carried_on();
        let reason = Some(request.reason.into_bytes());
        self.step(&caller, change, DraftAction::Returned, Some(open.leaf), reason).await
    }

    async fn release(&self, caller: Caller, request: ReleaseDraftRequest) -> Result<Message, Refusal> {
        let open = self.named(&request.name)?;
        if open.change.action() == DraftAction::Released && open.change.body_digest == request.body_digest {
            return self.office.as_sealed(open.change.sealed_leaf);
        }
        open.must_be_at(&request.etag)?;
        open.must_be_proposed()?;
        second_official(&caller, &open)?;
        let mut submission = open.text(&self.office)?;
        submission.releasing_official.clone_from(&caller.official);
        let mut acting = caller.clone();
        acting.official.clone_from(&open.change.acting_official);
        let mut prepared = prepare(&self.office, &acting, "", submission)?;
        let given = [&request.body_digest, &request.case_digest].map(|digest| Digest::from_slice(digest));
        if given[0] != Some(Digest::of(&prepared.outgoing.body)) {
            return Err(moved("BODY_MOVED", "the text is not the one that was reviewed"));
        }
        let digest = draft_view::release_digest(
            &request.name,
            &request.etag,
            &request.body_digest,
            &request.case_digest,
        );
        self.own_word(&caller, &digest)?;
        let terms = &self.office.engine.core().terms;
        let draft = hexadecimal(&open.change.draft_id);
        prepared.outgoing.draft.message_id = derive_message_id(terms, DRAFTS, &draft);
        // The state of the case is part of what was reviewed, also where the kind moves none.
        prepared.outgoing.touches_case = true;
        prepared.outgoing.releases = Some(Box::new(DraftStep {
            change: DraftChanged {
                action: DraftAction::Released.into(),
                client: caller.client.clone(),
                official: caller.official.clone(),
                body_digest: request.body_digest.clone(),
                case_digest: request.case_digest.clone(),
                by_token: caller.token.is_some(),
                ..open.carried_on()
            },
            after: Some(open.leaf),
            item: None,
        }));
        let engine = &self.office.engine;
        let judge = |file: &CaseFile, state: &crate::channel::state::State| {
            if given[1] != Some(file.digest()) {
                return Err(moved(
                    "CASE_MOVED",
                    "a message has arrived or left in the case since it was reviewed",
                ));
            }
            prepared.judge(terms, file, state)
        };
        let leaf = engine.submit_judged(prepared.outgoing.clone(), judge).await?;
        self.office.as_sealed(leaf)
    }

    /// In production a release needs the releasing official's own token, made for what was reviewed.
    fn own_word(&self, caller: &Caller, digest: &Digest) -> Result<(), Refusal> {
        match &caller.token {
            Some(token) if token.release == digest.to_string() => Ok(()),
            None if self.office.release != Release::Reviewed => Ok(()),
            _ => Err(Refusal::new(
                Code::PermissionDenied,
                "RELEASE_NOT_SIGNED",
                "the releasing official's own token must name what is released: the claim release is the draft's \
                 release_digest in hexadecimal",
            )),
        }
    }

    async fn discard(&self, caller: Caller, request: DiscardDraftRequest) -> Result<(), Refusal> {
        let open = self.seen(&request.name, &request.etag)?;
        let change = open.carried_on();
        self.step(&caller, change, DraftAction::Discarded, Some(open.leaf), None).await.map(drop)
    }

    /// Checks a text as it would be checked when it is sent.
    fn text(&self, caller: &Caller, text: Option<Submission>) -> Result<(Submission, Prepared), Refusal> {
        let submission = text.unwrap_or_default();
        if !submission.releasing_official.is_empty() {
            return Err(refusals::field(
                "submission.releasing_official",
                "RELEASING_OFFICIAL_UNEXPECTED",
                "a draft names no releasing official: whoever releases it is",
            ));
        }
        let prepared = prepare(&self.office, caller, "", submission.clone())?;
        Ok((submission, prepared))
    }

    /// Records a step, with what it brings: the text, or the reason of a return.
    async fn step(
        &self,
        caller: &Caller,
        change: DraftChanged,
        action: DraftAction,
        after: Option<u64>,
        brings: Option<Vec<u8>>,
    ) -> Result<Draft, Refusal> {
        let salt = random::array::<32>().map_err(|_| refusals::no_randomness())?;
        let salt = Bytes::copy_from_slice(&salt);
        let item = brings.map(|body| Item { salt, body: body.into(), document_salts: Vec::new() });
        let (client, official) = (caller.client.clone(), caller.official.clone());
        let change = DraftChanged { action: action.into(), client, official, ..change };
        let id = change.draft_id.clone();
        let step = DraftStep { change, after, item };
        self.office.engine.change_draft(step).await.map_err(refusals::draft)?;
        let id: Result<[u8; 16], _> = id.as_ref().try_into();
        let open = id.ok().map(|id| Open::find(&self.office, &id)).transpose()?.flatten();
        self.view(&open.ok_or_else(refusals::draft_not_found)?)
    }

    fn named(&self, name: &str) -> Result<Open, Refusal> {
        Open::find(&self.office, &draft_id("name", name)?)?.ok_or_else(refusals::draft_not_found)
    }

    /// An open draft, as its caller has seen it.
    fn seen(&self, name: &str, etag: &str) -> Result<Open, Refusal> {
        let open = self.named(name)?;
        open.must_be_at(etag)?;
        open.must_be_open()?;
        Ok(open)
    }

    fn view(&self, open: &Open) -> Result<Draft, Refusal> {
        draft_view::draft(&self.office, open, true)
    }
}

/// What a step says of the text it brings.
fn described(prepared: &Prepared) -> DraftChanged {
    let draft = &prepared.outgoing.draft;
    DraftChanged {
        case_id: Bytes::copy_from_slice(&draft.case_id),
        kind: draft.kind,
        ..DraftChanged::default()
    }
}

/// Nobody releases what he alone drafted, nor what he himself proposes; and somebody must act (Article 6.1).
fn second_official(caller: &Caller, open: &Open) -> Result<(), Refusal> {
    let acting = &open.change.acting_official;
    if acting.is_empty() {
        return Err(Refusal::new(
            Code::FailedPrecondition,
            "DESIGNATED_OFFICIAL_REQUIRED",
            "no designated official has proposed this draft: one must, since he is the one who acts (Article 6.1)",
        ));
    }
    if *acting == caller.official || open.change.authors.iter().all(|author| *author == caller.official) {
        return Err(Refusal::new(
            Code::PermissionDenied,
            treaty::Code::SameOfficial.name(),
            "nobody releases what he alone drafted or himself proposed: another RELEASING_OFFICER must",
        ));
    }
    Ok(())
}

fn moved(reason: &'static str, what: &str) -> Refusal {
    Refusal::new(Code::Aborted, reason, format!("{what}: read the draft again, then decide"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tonic::async_trait]
impl DraftService for Drafts {
    async fn create_draft(
        &self,
        request: Request<CreateDraftRequest>,
    ) -> Result<Response<CreateDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Draft)?;
        let draft = Some(self.create(caller, request.into_inner()).await?);
        Ok(Response::new(CreateDraftResponse { draft }))
    }

    async fn update_draft(
        &self,
        request: Request<UpdateDraftRequest>,
    ) -> Result<Response<UpdateDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Draft)?;
        let draft = Some(self.update(caller, request.into_inner()).await?);
        Ok(Response::new(UpdateDraftResponse { draft }))
    }

    async fn propose_draft(
        &self,
        request: Request<ProposeDraftRequest>,
    ) -> Result<Response<ProposeDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Draft)?;
        let draft = Some(self.propose(caller, request.into_inner()).await?);
        Ok(Response::new(ProposeDraftResponse { draft }))
    }

    async fn return_draft(
        &self,
        request: Request<ReturnDraftRequest>,
    ) -> Result<Response<ReturnDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Release)?;
        let draft = Some(self.send_back(caller, request.into_inner()).await?);
        Ok(Response::new(ReturnDraftResponse { draft }))
    }

    async fn release_draft(
        &self,
        request: Request<ReleaseDraftRequest>,
    ) -> Result<Response<ReleaseDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Release)?;
        let message = Some(self.release(caller, request.into_inner()).await?);
        Ok(Response::new(ReleaseDraftResponse { message }))
    }

    async fn discard_draft(
        &self,
        request: Request<DiscardDraftRequest>,
    ) -> Result<Response<DiscardDraftResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Draft)?;
        self.discard(caller, request.into_inner()).await?;
        Ok(Response::new(DiscardDraftResponse {}))
    }

    async fn get_draft(
        &self,
        request: Request<GetDraftRequest>,
    ) -> Result<Response<GetDraftResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::Review)?;
        let open = self.named(&request.get_ref().name)?;
        Ok(Response::new(GetDraftResponse { draft: Some(self.view(&open)?) }))
    }

    async fn list_drafts(
        &self,
        request: Request<ListDraftsRequest>,
    ) -> Result<Response<ListDraftsResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::Review)?;
        let state = self.office.engine.state();
        let mut leaves: Vec<u64> = state.drafts().values().copied().collect();
        leaves.sort_unstable_by(|a, b| b.cmp(a));
        let mut drafts = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let open = Open::at(&self.office, leaf)?;
            drafts.extend(open.map(|open| draft_view::draft(&self.office, &open, false)).transpose()?);
        }
        Ok(Response::new(ListDraftsResponse { drafts }))
    }
}
