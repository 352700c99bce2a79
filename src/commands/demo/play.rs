//! What the two back offices do: send, take over, answer, refuse.

use super::super::homes::Home;
use super::super::json::message_from_json;
use super::steps::Steps;
use super::table::Journey;
use crate::backoffice::caller::OFFICIAL;
use crate::backoffice::v1::message_service_client::MessageServiceClient;
use crate::backoffice::v1::{
    AcknowledgeMessagesRequest, DeliveryState, FeedKind, GetMessageRequest, Message, MessageView, Submission,
    SubmitMessageRequest, WatchMessagesRequest, WatchMessagesResponse,
};
use crate::channel::proof_check::Checker;
use crate::channel::receipt::SentEnvelope;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::door::Dialled;
use crate::limits::MESSAGE_BYTES;
use crate::wire::assistance::v1::Purpose;
use crate::wire::channel::v1::Environment;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::{Request, Streaming};

/// The example messages, in the order they are sent.
const FIXTURES: [(&str, &str); 7] = [
    ("01 undervaluation", include_str!("../../../tests/fixtures/01_undervaluation.json")),
    ("02 origin verification", include_str!("../../../tests/fixtures/02_origin_verification.json")),
    ("03a oral request", include_str!("../../../tests/fixtures/03a_narcotics_oral_note.json")),
    ("03b its confirmation", include_str!("../../../tests/fixtures/03b_narcotics_written_confirmation.json")),
    (
        "04 classification",
        include_str!("../../../tests/fixtures/04_classification_valuation_information.json"),
    ),
    ("05 stolen vehicle", include_str!("../../../tests/fixtures/05_stolen_vehicle.json")),
    ("06 technical cooperation", include_str!("../../../tests/fixtures/06_technical_cooperation.json")),
];
/// Longest wait for a message to cross.
const PATIENCE: Duration = Duration::from_secs(30);

/// Both back offices, connected.
pub struct Play {
    offices: [Office; 2],
}

struct Office {
    party: &'static str,
    official: &'static str,
    client: MessageServiceClient<Dialled>,
    arrivals: Streaming<WatchMessagesResponse>,
    checker: Checker,
}

impl Play {
    /// Connects to both daemons as soon as they are up.
    pub async fn open(us: &Home, kz: &Home) -> anyhow::Result<Self> {
        let offices = [Office::open(us, kz, "US-DO-0011").await?, Office::open(kz, us, "KZ-DO-0007").await?];
        Ok(Self { offices })
    }

    /// Sends the seven messages, then answers one and refuses one.
    pub async fn run(&mut self) -> anyhow::Result<Vec<Journey>> {
        let answers = answers();
        let mut steps = Steps::new(FIXTURES.len() + answers.len())?;
        let (mut journeys, mut names) = (Vec::new(), Vec::new());
        for (title, text) in FIXTURES {
            steps.begin(title);
            let value: Value = serde_json::from_str(text)?;
            let (journey, name) = self.cross(title, &value, "").await?;
            journeys.push(journey);
            names.push(name);
            steps.end();
        }
        for (title, answered, value) in answers {
            steps.begin(title);
            let in_reply_to = names.get(answered).cloned().unwrap_or_default();
            journeys.push(self.cross(title, &value, &in_reply_to).await?.0);
            steps.end();
        }
        steps.finish();
        Ok(journeys)
    }

    /// One message's whole way: submitted, delivered, its receipt verified here, taken over there.
    async fn cross(
        &mut self,
        title: &str,
        value: &Value,
        in_reply_to: &str,
    ) -> anyhow::Result<(Journey, String)> {
        let (keys, body) =
            message_from_json(value).map_err(|violations| anyhow::anyhow!("{title}: {violations:?}"))?;
        let [us, kz] = &mut self.offices;
        let (sender, receiver) = if keys.sender_party == "US" { (us, kz) } else { (kz, us) };
        let submission = Submission {
            case: format!("cases/{}", keys.case_id),
            in_reply_to: in_reply_to.to_owned(),
            language: keys.language,
            agreement_id: keys.agreement_id,
            sender: keys.sender_party,
            recipient: keys.recipient_party,
            body: Some(body),
            ..Submission::default()
        };
        let began = Instant::now();
        let request_id = title.replace(' ', "-");
        let request = SubmitMessageRequest { request_id, submission: Some(submission) };
        let sealed = sender.client.submit_message(sender.request(request)?).await?.into_inner().message;
        let sealed = sealed.context("a submission is answered with its message")?;
        let delivered = sender.delivered(&sealed.name).await?;
        let delivered_after = began.elapsed();
        let journey = Journey {
            message: title.to_owned(),
            from: sender.party.to_owned(),
            to: receiver.party.to_owned(),
            sequence: delivered.sequence,
            delivered_after,
            receipt_verified: receiver.proves(&delivered),
            handed_over: receiver.take_over(&sealed.name).await?,
        };
        Ok((journey, sealed.name))
    }
}

impl Office {
    async fn open(home: &Home, other: &Home, official: &'static str) -> anyhow::Result<Self> {
        let dialled = home.connect(PATIENCE).await?;
        let mut client = MessageServiceClient::new(dialled).max_decoding_message_size(8 * MESSAGE_BYTES);
        let watch = WatchMessagesRequest {
            view: MessageView::Full.into(),
            purpose: Purpose::AssessDutiesTaxes.into(),
            kinds: vec![FeedKind::Received.into()],
            ..WatchMessagesRequest::default()
        };
        let arrivals = client.watch_messages(as_official(watch, official)?).await?.into_inner();
        let terms = Terms {
            environment: Environment::Test,
            agreement: "US-KZ-1997".into(),
            party: home.party.into(),
            counterparty: other.party.into(),
        };
        let checker = Checker::new(vec![terms.vkey(1, other.counterparty_ledger_key()?)], Vec::new());
        Ok(Self { party: home.party, official, client, arrivals, checker })
    }

    fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        as_official(message, self.official)
    }

    /// Waits until a message has its receipt.
    async fn delivered(&mut self, name: &str) -> anyhow::Result<Message> {
        let end = Instant::now() + PATIENCE;
        loop {
            let request = GetMessageRequest {
                name: name.to_owned(),
                view: MessageView::Full.into(),
                purpose: Purpose::AssessDutiesTaxes.into(),
            };
            let message = self.client.get_message(self.request(request)?).await?.into_inner().message;
            let message = message.context("a message is answered")?;
            let delivery = message.delivery.clone().unwrap_or_default();
            match delivery.state() {
                DeliveryState::Delivered => return Ok(message),
                DeliveryState::Rejected => {
                    anyhow::bail!("the message was rejected: {:?}", delivery.rejection())
                }
                _ if Instant::now() > end => anyhow::bail!("the message was not delivered in {PATIENCE:?}"),
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    /// Whether the receipt that the sender shows proves that this Party's ledger holds the message.
    fn proves(&mut self, delivered: &Message) -> bool {
        let receipt = delivered.delivery.as_ref().and_then(|delivery| delivery.receipt.as_ref());
        let (Some(receipt), Some(content)) = (receipt, &delivered.content) else { return false };
        let sent = SentEnvelope {
            sequence: delivered.sequence,
            digest: Digest::of(&content.envelope),
            signature: Digest::of(&content.signature),
        };
        self.checker.receipt(receipt, &sent).is_ok_and(|(receipted, _)| receipted.rejection.is_none())
    }

    /// Waits for a message in the feed and acknowledges it.
    async fn take_over(&mut self, name: &str) -> anyhow::Result<bool> {
        loop {
            let item =
                timeout(PATIENCE, self.arrivals.message()).await.context("the message did not arrive")??;
            let item = item.context("the feed ended")?;
            if item.message.is_some_and(|message| message.name == name && message.content.is_some()) {
                let request = AcknowledgeMessagesRequest { names: Vec::new(), cursor: item.cursor };
                self.client.acknowledge_messages(self.request(request)?).await?;
                return Ok(true);
            }
        }
    }
}

fn as_official<T>(message: T, official: &str) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(OFFICIAL, MetadataValue::try_from(official)?);
    Ok(request)
}

/// What the requested side says: an answer to the fourth case, a refusal with reasons of the fifth.
fn answers() -> [(&'static str, usize, Value); 2] {
    let response = json!({
        "kind": "RESPONSE", "agreement_id": "US-KZ-1997", "case_id": "0198f000-0000-7000-8000-000000000004",
        "sender_party": "US", "recipient_party": "KZ", "language": "en",
        "type": "FINAL", "requested_ref": "US-CBP-2026-000455",
        "results": [
            { "measure_id": "M1", "outcome": "EXECUTED", "executed_on": "2026-07-20",
              "text": "Exports of this model were declared under heading 8413; values between USD 1,310,000 and 1,480,000 a unit." },
            { "measure_id": "M2", "outcome": "EXECUTED", "executed_on": "2026-07-21",
              "text": "Two published rulings; the technical manual follows as a document." }
        ],
        "handling": { "confidential": false, "intended_purposes": ["ASSESS_DUTIES_TAXES"] }
    });
    let refusal = json!({
        "kind": "NON_EXECUTION_NOTICE", "agreement_id": "US-KZ-1997", "case_id": "0198f000-0000-7000-8000-000000000005",
        "sender_party": "KZ", "recipient_party": "US", "language": "en",
        "grounds": ["NOT_TRACEABLE"],
        "reasons": "Neither identification number was found in the registers of import or of registration since 2026-02-01.",
        "decided_at": "2026-08-03T06:00:00Z"
    });
    [("answer to 04", 4, response), ("refusal of 05", 5, refusal)]
}
