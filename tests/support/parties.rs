//! Two Parties with homes in a folder of their own, their daemons as processes, and clients of their doors.

use super::bad_certificates::{Authority, Leaf, When};
use article6::backoffice::caller::OFFICIAL;
use article6::backoffice::v1::message_service_client::MessageServiceClient;
use article6::backoffice::v1::{
    DeliveryState, GetMessageRequest, Message, MessageView, Submission, SubmitMessageRequest,
    WatchMessagesRequest,
};
use article6::commands::homes::{self, Home, Running};
use article6::commands::json::message_from_json;
use article6::door::{DialError, DialSettings, Dialled, TlsSettings, TlsState, dial};
use article6::limits::MESSAGE_BYTES;
use article6::operations::v1::operations_service_client::OperationsServiceClient;
use article6::operations::v1::{GetStatusRequest, GetStatusResponse, ReleaseChannelRequest};
use article6::wire::assistance::v1::{Body, Purpose};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonic::metadata::MetadataValue;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// Longest wait for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The example messages, in the order of the demonstration.
pub const FIXTURES: [&str; 7] = [
    include_str!("../fixtures/01_undervaluation.json"),
    include_str!("../fixtures/02_origin_verification.json"),
    include_str!("../fixtures/03a_narcotics_oral_note.json"),
    include_str!("../fixtures/03b_narcotics_written_confirmation.json"),
    include_str!("../fixtures/04_classification_valuation_information.json"),
    include_str!("../fixtures/05_stolen_vehicle.json"),
    include_str!("../fixtures/06_technical_cooperation.json"),
];

/// Two homes; their daemons do not run yet.
pub struct Parties {
    pub dir: TempDir,
    pub us: Home,
    pub kz: Home,
}

impl Parties {
    /// Fresh homes whose daemons retry quickly.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [us, kz] = homes::make(dir.path()).unwrap();
        for home in [&us, &kz] {
            edit(home, "retry_cap = \"5s\"", "retry_first = \"50ms\"\nretry_cap = \"300ms\"");
        }
        Self { dir, us, kz }
    }
}

/// Changes the configuration of a home.
pub fn edit(home: &Home, from: &str, to: &str) {
    let text = std::fs::read_to_string(home.config()).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(home.config(), text.replacen(from, to, 1)).unwrap();
}

/// Starts the daemon of a home.
pub fn serve(home: &Home) -> Running {
    home.serve(Path::new(env!("CARGO_BIN_EXE_article6"))).unwrap()
}

/// Sends a signal to a daemon.
pub fn signal(daemon: &Running, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(&daemon.child), signal).unwrap();
}

/// What the daemon wrote to its log.
pub fn log(home: &Home) -> String {
    std::fs::read_to_string(home.folder.join("daemon.log")).unwrap_or_default()
}

/// Dials a local door with certificate, key and authority.
pub async fn dial_with(port: u16, files: [PathBuf; 3]) -> Result<Dialled, DialError> {
    let [chain, key, authority] = files;
    let tls = TlsSettings { chain, key, authorities: vec![authority], ..TlsSettings::default() };
    dial(&DialSettings::new(format!("127.0.0.1:{port}"), "localhost", TlsState::load(tls).unwrap())).await
}

/// The daemon's own account of its state, as soon as it is up.
pub async fn status(home: &Home) -> GetStatusResponse {
    let end = Instant::now() + PATIENCE;
    loop {
        let dialled = dial_with(home.ports[2], home.client_files("operations", "operations")).await;
        if let Ok(dialled) = dialled
            && let Ok(answer) = OperationsServiceClient::new(dialled).get_status(GetStatusRequest {}).await
        {
            return answer.into_inner();
        }
        assert!(Instant::now() < end, "{} does not come up: {}", home.party, log(home));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Releases a channel that is held.
pub async fn release(home: &Home) {
    let files = home.client_files("operations", "operations");
    let mut operations = OperationsServiceClient::new(dial_with(home.ports[2], files).await.unwrap());
    let request = ReleaseChannelRequest { reason: "a test".into() };
    operations.release_channel(request).await.unwrap();
}

/// Waits until the daemon's account of itself is as wanted.
pub async fn until(
    home: &Home,
    what: &str,
    wanted: impl Fn(&GetStatusResponse) -> bool,
) -> GetStatusResponse {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = status(home).await;
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{what}, but {status:?}\n{}", log(home));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The stable reason code of a refusal; empty where there is none.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// Path and code of each field that a refusal names.
pub fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let bad = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    bad.into_iter().map(|violation| (violation.field, violation.reason)).collect()
}

/// The body of an example message.
pub fn body(fixture: usize) -> Body {
    message_from_json(&serde_json::from_str(FIXTURES[fixture]).unwrap()).unwrap().1
}

/// A submission that is in order.
pub fn submission(fixture: usize) -> Submission {
    let keys = message_from_json(&serde_json::from_str(FIXTURES[fixture]).unwrap()).unwrap().0;
    Submission {
        case: format!("cases/{}", keys.case_id),
        language: keys.language,
        body: Some(body(fixture)),
        ..Submission::default()
    }
}

/// A case for whatever an official submits under this name.
pub fn case_of(official: &str, request_id: &str) -> String {
    let digest = article6::crypto::Digest::of(format!("{official} {request_id}").as_bytes());
    format!("cases/{}", uuid::Uuid::new_v8(*digest.as_bytes().first_chunk().unwrap()))
}

/// A request for the official of a Party.
pub fn for_official<T>(official: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(OFFICIAL, MetadataValue::try_from(official).unwrap());
    request
}

/// A back office.
pub struct Office {
    pub client: MessageServiceClient<Dialled>,
    pub official: &'static str,
}

impl Office {
    /// Connects as soon as the daemon is up.
    pub async fn open(home: &Home) -> Self {
        let dialled = home.connect(PATIENCE).await.unwrap();
        let client = MessageServiceClient::new(dialled).max_decoding_message_size(8 * MESSAGE_BYTES);
        Self { client, official: if home.party == "US" { "US-DO-0011" } else { "KZ-DO-0007" } }
    }

    pub fn request<T>(&self, message: T) -> Request<T> {
        for_official(self.official, message)
    }

    /// Submits an example message, in a case of its own.
    pub async fn submit(&mut self, request_id: &str, fixture: usize) -> Result<Message, Status> {
        let case = case_of(self.official, request_id);
        let submission = Some(Submission { case, ..submission(fixture) });
        let request = self.request(SubmitMessageRequest { request_id: request_id.to_owned(), submission });
        Ok(self.client.submit_message(request).await?.into_inner().message.unwrap())
    }

    /// A message with everything it has.
    pub async fn get(&mut self, name: &str) -> Message {
        let request = GetMessageRequest {
            name: name.to_owned(),
            view: MessageView::Full.into(),
            purpose: Purpose::AssessDutiesTaxes.into(),
        };
        self.client.get_message(self.request(request)).await.unwrap().into_inner().message.unwrap()
    }

    /// Where the delivery of a message stands.
    pub async fn state(&mut self, name: &str) -> DeliveryState {
        self.get(name).await.delivery.unwrap().state()
    }

    /// Items of the feed from a cursor on: each message with the cursor after it.
    pub async fn feed(&mut self, cursor: &str, count: usize) -> Vec<(String, Message)> {
        let watch = WatchMessagesRequest { cursor: cursor.to_owned(), ..WatchMessagesRequest::default() };
        let mut stream = self.client.watch_messages(self.request(watch)).await.unwrap().into_inner();
        let mut items = Vec::new();
        while items.len() < count {
            let item = tokio::time::timeout(PATIENCE, stream.message()).await.expect("an item of the feed");
            let item = item.unwrap().expect("a feed does not end");
            items.extend(item.message.map(|message| (item.cursor, message)));
        }
        items
    }
}

/// Gives the back-office door of a home, its first client and its revocation list to an authority of the test.
/// Returns the first client. Call before the daemon starts.
pub fn own_backoffice(home: &Home, authority: &mut Authority) -> Leaf {
    let certs = home.certs();
    let write = |name: &str, text: &str| std::fs::write(certs.join(name), text).unwrap();
    let (door, client) = (authority.good("back-office door"), authority.good("backoffice"));
    write("backoffice-ca.pem", &authority.certificate);
    write("backoffice-crl.pem", &authority.crl(&[], When::Now));
    for (name, leaf) in [("backoffice", &door), ("client-backoffice", &client)] {
        write(&format!("{name}.pem"), &leaf.certificate);
        write(&format!("{name}.key"), &leaf.key);
    }
    client
}

/// Posts any bytes as the one message of a call to the back-office door; returns how it ended.
pub async fn post(home: &Home, path: &str, official: &str, message: &[u8]) -> Status {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let frame = [&[0][..], &length, message].concat();
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header(OFFICIAL, official)
        .body(tonic::body::Body::new(Once::of(frame)))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(home.connect(PATIENCE).await.unwrap(), request).await.unwrap();
    Status::from_header_map(answer.headers()).expect("a refusal stands in the headers")
}

/// A request body of these bytes alone.
pub struct Once(Option<Bytes>);

impl Once {
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(Some(bytes.into()))
    }
}

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}
