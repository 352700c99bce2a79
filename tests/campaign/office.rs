//! A back office: connects again and again, submits, lists, watches.

use article6::backoffice::caller::OFFICIAL;
use article6::backoffice::v1::message_service_client::MessageServiceClient;
use article6::backoffice::v1::{
    GetMessageRequest, ListMessagesRequest, Message, MessageView, Submission, SubmitMessageRequest,
    WatchMessagesRequest,
};
use article6::commands::homes::Home;
use article6::door::{DialSettings, Dialled, TlsSettings, TlsState, dial};
use article6::limits::MESSAGE_BYTES;
use article6::wire::assistance::v1::{Body, Consultation, Purpose, body::Content};
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// The service's client.
pub type Client = MessageServiceClient<Dialled>;

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(20);

/// How one Party's back office reaches its daemon.
#[derive(Clone)]
pub struct Office {
    /// The way to the door.
    pub dial: DialSettings,
    official: &'static str,
}

impl Office {
    /// The back office of a home.
    pub fn of(home: &Home) -> anyhow::Result<Self> {
        let [chain, key, authority] = home.client_files("backoffice", "backoffice");
        let tls = TlsState::load(TlsSettings {
            chain,
            key,
            authorities: vec![authority],
            ..TlsSettings::default()
        })?;
        let dial = DialSettings::new(format!("127.0.0.1:{}", home.ports[1]), "localhost", tls);
        Ok(Self { dial, official: if home.party == "US" { "US-DO-0011" } else { "KZ-DO-0007" } })
    }

    /// A connection, as soon as there is one.
    pub async fn connect(&self) -> Client {
        loop {
            if let Ok(dialled) = dial(&self.dial).await {
                return MessageServiceClient::new(dialled).max_decoding_message_size(8 * MESSAGE_BYTES);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A call on behalf of the official.
    pub fn call<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(OFFICIAL, MetadataValue::from_static(self.official));
        request.set_timeout(ANSWER);
        request
    }

    /// The feed from a cursor; it has no deadline.
    pub fn watch(&self, cursor: &str) -> Request<WatchMessagesRequest> {
        let mut request = Request::new(WatchMessagesRequest {
            cursor: cursor.to_owned(),
            ..WatchMessagesRequest::default()
        });
        request.metadata_mut().insert(OFFICIAL, MetadataValue::from_static(self.official));
        request
    }

    /// Submits once.
    pub async fn submit(
        &self,
        client: &mut Client,
        request_id: &str,
        bytes: usize,
    ) -> Result<Message, Status> {
        let request = SubmitMessageRequest {
            request_id: request_id.to_owned(),
            submission: Some(submission(request_id, bytes)),
        };
        let answer = client.submit_message(self.call(request)).await?.into_inner();
        answer.message.ok_or_else(|| Status::internal("an answer without its message"))
    }

    /// Everything, with content.
    pub async fn read(&self, client: &mut Client, name: &str) -> anyhow::Result<Message> {
        let request = GetMessageRequest {
            name: name.to_owned(),
            view: MessageView::Full.into(),
            purpose: Purpose::AssessDutiesTaxes.into(),
        };
        let answer = client.get_message(self.call(request)).await?.into_inner();
        answer.message.ok_or_else(|| anyhow::anyhow!("an answer without its message"))
    }

    /// All messages that match, page by page.
    pub async fn list(
        &self,
        client: &mut Client,
        conditions: ListMessagesRequest,
    ) -> Result<Vec<Message>, Status> {
        let mut request = ListMessagesRequest { page_size: 500, ..conditions };
        let mut messages = Vec::new();
        loop {
            let page = client.list_messages(self.call(request.clone())).await?.into_inner();
            messages.extend(page.messages);
            if page.next_page_token.is_empty() {
                return Ok(messages);
            }
            request.page_token = page.next_page_token;
        }
    }
}

/// The reason code of a refusal; empty where there is none.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The one body that belongs to a request_id.
pub fn body(request_id: &str, bytes: usize) -> Body {
    let consultation = Consultation {
        thread_id: "0198f000-0000-7000-8000-00000000beef".into(),
        subject: format!("Campaign {request_id}"),
        text: "x".repeat(bytes.saturating_sub(80).clamp(1, 8000)),
        ..Consultation::default()
    };
    Body { content: Some(Content::Consultation(consultation)) }
}

/// One of eight cases, chosen by the request_id's last byte, so that a retry names the same.
fn submission(request_id: &str, bytes: usize) -> Submission {
    let case = request_id.bytes().last().unwrap_or(0) % 8;
    Submission {
        case: format!("cases/0198f000-0000-7000-8000-0000000000c{case}"),
        language: "en".into(),
        body: Some(body(request_id, bytes)),
        ..Submission::default()
    }
}
