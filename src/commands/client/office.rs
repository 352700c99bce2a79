//! A connection to a daemon's back-office door, call by call.

use super::profile::Profile;
use super::trouble::ClientError;
use crate::backoffice::caller::OFFICIAL;
use crate::backoffice::v1::case_service_client::CaseServiceClient;
use crate::backoffice::v1::code_list_service_client::CodeListServiceClient;
use crate::backoffice::v1::draft_service_client::DraftServiceClient;
use crate::backoffice::v1::evidence_service_client::EvidenceServiceClient;
use crate::backoffice::v1::message_service_client::MessageServiceClient;
use crate::backoffice::v1::order_service_client::OrderServiceClient;
use crate::backoffice::v1::treaty_service_client::TreatyServiceClient;
use crate::backoffice::v1::{
    AcknowledgeMessagesRequest, ApproveOrderRequest, Case, CompareConfirmationRequest,
    CompareConfirmationResponse, CreateDraftRequest, DiscardDraftRequest, Draft, ExportEvidenceRequest,
    GetCaseRequest, GetDraftRequest, GetMessageRequest, GetTreatyRequest, GetTreatyResponse,
    ListCasesRequest, ListCasesResponse, ListCodeListsRequest, ListCodeListsResponse, ListCodesRequest,
    ListCodesResponse, ListDraftsRequest, ListMessagesRequest, ListMessagesResponse, ListOrdersRequest,
    Message, MessageView, OrderRecord, ProposeDraftRequest, ProposeOrderRequest, RejectOrderRequest,
    ReleaseDraftRequest, ReturnDraftRequest, Submission, SubmitMessageRequest, SummarizeCasesRequest,
    SummarizeCasesResponse, ValidateMessageRequest, Warning, WatchMessagesRequest, WatchMessagesResponse,
};
use crate::door::{DialSettings, Dialled, dial};
use crate::wire::assistance::v1::Purpose;
use crate::wire::ledger::v1::OrderText;
use bytes::Bytes;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

/// For the daemon to answer a call; a feed may be silent longer.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest answer: a page of messages, each with all it may lack.
const ANSWER_BYTES: usize = 16 << 20;

/// One connection. Clones share it; once it breaks every call fails with UNAVAILABLE.
#[derive(Debug, Clone)]
pub struct BackOffice {
    client: MessageServiceClient<Dialled>,
    cases: CaseServiceClient<Dialled>,
    drafts: DraftServiceClient<Dialled>,
    code_lists: CodeListServiceClient<Dialled>,
    evidence: EvidenceServiceClient<Dialled>,
    orders: OrderServiceClient<Dialled>,
    treaty: TreatyServiceClient<Dialled>,
    official: String,
}

impl BackOffice {
    /// Dials the door that the profile names. Calls are made for the profile's official unless they name another.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn connect(profile: &Profile) -> Result<Self, ClientError> {
        let settings =
            DialSettings::new(profile.address.as_str(), profile.server_name.as_str(), profile.tls.clone());
        let dialled = dial(&settings)
            .await
            .map_err(|error| ClientError::Connection { address: profile.address.clone(), error })?;
        let evidence = EvidenceServiceClient::new(dialled.clone()).max_decoding_message_size(ANSWER_BYTES);
        let drafts = DraftServiceClient::new(dialled.clone())
            .max_decoding_message_size(ANSWER_BYTES)
            .max_encoding_message_size(ANSWER_BYTES);
        let cases = CaseServiceClient::new(dialled.clone()).max_decoding_message_size(ANSWER_BYTES);
        let code_lists = CodeListServiceClient::new(dialled.clone());
        let orders = OrderServiceClient::new(dialled.clone()).max_decoding_message_size(ANSWER_BYTES);
        let treaty = TreatyServiceClient::new(dialled.clone()).max_decoding_message_size(ANSWER_BYTES);
        let client = MessageServiceClient::new(dialled).max_decoding_message_size(ANSWER_BYTES);
        Ok(Self {
            client,
            cases,
            drafts,
            code_lists,
            evidence,
            orders,
            treaty,
            official: profile.official.clone(),
        })
    }

    /// Seals and queues a message for `official`; answers when it is durable at the daemon. The same `request_id`
    /// with the same content gets the same answer for ever. With it comes what an official should look at in it.
    ///
    /// # Errors
    /// [`ClientError::Refused`], or [`ClientError::NoAnswer`]: then it may have been taken, and repeating is harmless.
    pub async fn submit(
        &self,
        request_id: &str,
        submission: Submission,
        official: &str,
    ) -> Result<(Message, Vec<Warning>), ClientError> {
        let request =
            SubmitMessageRequest { request_id: request_id.to_owned(), submission: Some(submission) };
        let response = answer(self.client.clone().submit_message(call(request, official)?)).await?;
        let message = response.message.ok_or(ClientError::Answer("the message"))?;
        Ok((message, response.warnings))
    }

    /// Whether [`Self::submit`] would take the message now, and what an official should look at in it.
    ///
    /// # Errors
    /// As [`Self::submit`] would fail.
    pub async fn validate(
        &self,
        submission: Submission,
        official: &str,
    ) -> Result<Vec<Warning>, ClientError> {
        let request = ValidateMessageRequest { submission: Some(submission) };
        let response = answer(self.client.clone().validate_message(call(request, official)?)).await?;
        Ok(response.warnings)
    }

    /// One message by its name; with its content when a purpose is declared (Article 3.1), and that is recorded.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn get(&self, name: &str, purpose: Option<Purpose>) -> Result<Message, ClientError> {
        let (view, purpose) = reading(purpose);
        let request = GetMessageRequest { name: name.to_owned(), view, purpose };
        let response = answer(self.client.clone().get_message(call(request, &self.official)?)).await?;
        response.message.ok_or(ClientError::Answer("the message"))
    }

    /// The bundle that proves a message, and what to call its file. The content is read for the purpose (Article 3.1).
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn evidence(&self, name: &str, purpose: Purpose) -> Result<(Bytes, String), ClientError> {
        let request = ExportEvidenceRequest { name: name.to_owned(), purpose: purpose.into() };
        let exported = answer(self.evidence.clone().export_evidence(call(request, &self.official)?)).await?;
        Ok((exported.bundle, exported.file_name))
    }

    /// What is in force between the Parties.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn treaty(&self) -> Result<GetTreatyResponse, ClientError> {
        answer(self.treaty.clone().get_treaty(call(GetTreatyRequest {}, &self.official)?)).await
    }

    /// Proposes an order of two persons.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn propose(&self, request: ProposeOrderRequest) -> Result<OrderRecord, ClientError> {
        let proposed = answer(self.orders.clone().propose_order(call(request, &self.official)?)).await?;
        proposed.order.ok_or(ClientError::Answer("the order"))
    }

    /// Approves or rejects an order of two persons.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn decide(
        &self,
        name: &str,
        approve: bool,
        text: OrderText,
    ) -> Result<OrderRecord, ClientError> {
        let (name, text, mut orders) = (name.to_owned(), Some(text), self.orders.clone());
        let order = if approve {
            let request = call(ApproveOrderRequest { name, text }, &self.official)?;
            answer(orders.approve_order(request)).await?.order
        } else {
            let request = call(RejectOrderRequest { name, text }, &self.official)?;
            answer(orders.reject_order(request)).await?.order
        };
        order.ok_or(ClientError::Answer("the order"))
    }

    /// The newest orders that the official has a part in; at most 500.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn orders(&self) -> Result<Vec<OrderRecord>, ClientError> {
        let request = ListOrdersRequest { page_size: 500, ..ListOrdersRequest::default() };
        Ok(answer(self.orders.clone().list_orders(call(request, &self.official)?)).await?.orders)
    }

    /// One page of messages, newest first.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn list(&self, request: ListMessagesRequest) -> Result<ListMessagesResponse, ClientError> {
        answer(self.client.clone().list_messages(call(request, &self.official)?)).await
    }

    /// One case with its history.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn case(&self, name: &str) -> Result<Case, ClientError> {
        let request = GetCaseRequest { name: name.to_owned() };
        let response = answer(self.cases.clone().get_case(call(request, &self.official)?)).await?;
        response.case.ok_or(ClientError::Answer("the case"))
    }

    /// One page of cases, the one opened last first.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn cases(&self, request: ListCasesRequest) -> Result<ListCasesResponse, ClientError> {
        answer(self.cases.clone().list_cases(call(request, &self.official)?)).await
    }

    /// One page of the code lists.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn code_lists(
        &self,
        request: ListCodeListsRequest,
    ) -> Result<ListCodeListsResponse, ClientError> {
        answer(self.code_lists.clone().list_code_lists(call(request, &self.official)?)).await
    }

    /// One page of the codes of a list.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn codes(&self, request: ListCodesRequest) -> Result<ListCodesResponse, ClientError> {
        answer(self.code_lists.clone().list_codes(call(request, &self.official)?)).await
    }

    /// How many cases of what kind, and what is overdue.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn summary(&self) -> Result<SummarizeCasesResponse, ClientError> {
        answer(self.cases.clone().summarize_cases(call(SummarizeCasesRequest {}, &self.official)?)).await
    }

    /// Writes a draft; the same `request_id` gets the same draft.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer. So with every call about drafts.
    pub async fn create_draft(&self, request_id: &str, submission: Submission) -> Result<Draft, ClientError> {
        let request = CreateDraftRequest { request_id: request_id.to_owned(), submission: Some(submission) };
        let response = answer(self.drafts.clone().create_draft(call(request, &self.official)?)).await?;
        response.draft.ok_or(ClientError::Answer("the draft"))
    }

    /// One draft with its text.
    pub async fn draft(&self, name: &str) -> Result<Draft, ClientError> {
        let request = GetDraftRequest { name: name.to_owned() };
        let response = answer(self.drafts.clone().get_draft(call(request, &self.official)?)).await?;
        response.draft.ok_or(ClientError::Answer("the draft"))
    }

    /// The open drafts.
    pub async fn drafts(&self) -> Result<Vec<Draft>, ClientError> {
        let request = call(ListDraftsRequest {}, &self.official)?;
        Ok(answer(self.drafts.clone().list_drafts(request)).await?.drafts)
    }

    /// Proposes a draft as it was read.
    pub async fn propose_draft(&self, draft: &Draft) -> Result<Draft, ClientError> {
        let request = ProposeDraftRequest { name: draft.name.clone(), etag: draft.etag.clone() };
        let response = answer(self.drafts.clone().propose_draft(call(request, &self.official)?)).await?;
        response.draft.ok_or(ClientError::Answer("the draft"))
    }

    /// Returns a draft as it was read.
    pub async fn return_draft(&self, draft: &Draft, reason: &str) -> Result<Draft, ClientError> {
        let (name, etag) = (draft.name.clone(), draft.etag.clone());
        let request = ReturnDraftRequest { name, etag, reason: reason.to_owned() };
        let response = answer(self.drafts.clone().return_draft(call(request, &self.official)?)).await?;
        response.draft.ok_or(ClientError::Answer("the draft"))
    }

    /// Releases what was reviewed, with the official's own token where he gives one.
    pub async fn release_draft(
        &self,
        request: ReleaseDraftRequest,
        token: Option<&str>,
    ) -> Result<Message, ClientError> {
        let mut request = call(request, &self.official)?;
        if let Some(token) = token {
            let value = MetadataValue::try_from(format!("Bearer {token}"));
            let value = value.map_err(|_| ClientError::Usage("a token is one line of ASCII"))?;
            request.metadata_mut().insert("authorization", value);
        }
        let response = answer(self.drafts.clone().release_draft(request)).await?;
        response.message.ok_or(ClientError::Answer("the message"))
    }

    /// Gives a draft up as it was read.
    pub async fn discard_draft(&self, draft: &Draft) -> Result<(), ClientError> {
        let request = DiscardDraftRequest { name: draft.name.clone(), etag: draft.etag.clone() };
        answer(self.drafts.clone().discard_draft(call(request, &self.official)?)).await.map(|_| ())
    }

    /// An oral request beside its confirmation. The content is read for the purpose (Article 3.1).
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn compare(
        &self,
        name: &str,
        purpose: Purpose,
    ) -> Result<CompareConfirmationResponse, ClientError> {
        let request = CompareConfirmationRequest { name: name.to_owned(), purpose: purpose.into() };
        answer(self.cases.clone().compare_confirmation(call(request, &self.official)?)).await
    }

    /// The feed from a cursor on; empty begins where this client last acknowledged. Set view and purpose with
    /// [`reading`].
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn watch(
        &self,
        request: WatchMessagesRequest,
    ) -> Result<Streaming<WatchMessagesResponse>, ClientError> {
        answer(self.client.clone().watch_messages(call(request, &self.official)?)).await
    }

    /// Records that everything up to and including the cursor was taken over; answers when that is durable.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the ways a call gets no answer.
    pub async fn acknowledge(&self, cursor: &str) -> Result<(), ClientError> {
        let request = AcknowledgeMessagesRequest { names: Vec::new(), cursor: cursor.to_owned() };
        answer(self.client.clone().acknowledge_messages(call(request, &self.official)?)).await.map(|_| ())
    }
}

/// View and purpose of a request, as the numbers the requests hold: everything for a purpose, no content without.
pub fn reading(purpose: Option<Purpose>) -> (i32, i32) {
    match purpose {
        Some(purpose) => (MessageView::Full.into(), purpose.into()),
        None => (MessageView::Basic.into(), Purpose::Unspecified.into()),
    }
}

fn call<T>(message: T, official: &str) -> Result<Request<T>, ClientError> {
    let mut request = Request::new(message);
    if !official.is_empty() {
        let value = MetadataValue::try_from(official)
            .map_err(|_| ClientError::Usage("an official is named by letters, digits and - _ . :"))?;
        request.metadata_mut().insert(OFFICIAL, value);
    }
    Ok(request)
}

async fn answer<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, ClientError> {
    let answered = tokio::time::timeout(ANSWER, call).await.map_err(|_| ClientError::NoAnswer(ANSWER))?;
    Ok(answered?.into_inner())
}
