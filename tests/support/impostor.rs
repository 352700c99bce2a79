//! Kazakhstan's daemon as a liar would run it: the real keys, and any statement the test likes.

use super::parties::{Once, PATIENCE, body, dial_with};
use article6::channel::envelope::STATEMENT;
use article6::channel::proof_check::Checker;
use article6::channel::receipt::SentEnvelope;
use article6::channel::terms::Terms;
use article6::commands::homes::Home;
use article6::crypto::digest::{Digest, commitment};
use article6::crypto::{Certificate, LedgerKey, SigningKey, cms};
use article6::door::Dialled;
use article6::ledger::{Checkpoint, leaf_hash};
use article6::peer::v1::peer_service_client::PeerServiceClient;
use article6::peer::v1::{DeliverRequest, DeliverResponse, Delivery, Introduction, OpenRequest};
use article6::wire::channel::v1::{Envelope, Environment, StatementType};
use article6::wire::ledger::v1::{Receipt, RejectionReason};
use bytes::Bytes;
use http_body::Body as _;
use prost::Message as _;
use prost_types::Timestamp;
use std::time::SystemTime;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;

/// Salt of every body.
pub const SALT: [u8; 32] = [7; 32];

/// The liar.
pub struct Impostor {
    us: Home,
    kz: Home,
    pub signing: SigningKey,
    pub ledger: LedgerKey,
    /// The end of its chain.
    pub sequence: u64,
    pub previous: Digest,
    messages: u64,
}

impl Impostor {
    pub fn new(us: &Home, kz: &Home) -> Self {
        let read = |name: &str| std::fs::read(kz.certs().join(name)).unwrap();
        let certificate = Certificate::from_pem(&read("signing.pem")).unwrap();
        Self {
            us: us.clone(),
            kz: kz.clone(),
            signing: SigningKey::from_pkcs8(&read("signing.key"), certificate).unwrap(),
            ledger: LedgerKey::from_pkcs8(&read("ledger.key")).unwrap(),
            sequence: 0,
            previous: Digest::ZERO,
            messages: 0,
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            environment: Environment::Test,
            agreement: "US-KZ-1997".into(),
            party: "KZ".into(),
            counterparty: "US".into(),
        }
    }

    /// Connects with the real certificate.
    pub async fn dial(&self) -> PeerServiceClient<Dialled> {
        PeerServiceClient::new(self.connect().await).max_encoding_message_size(16 << 20)
    }

    async fn connect(&self) -> Dialled {
        let certs = self.kz.certs();
        let files = [certs.join("peer.pem"), certs.join("peer.key"), certs.join("counterparty-tls-ca.pem")];
        dial_with(self.us.ports[0], files).await.unwrap()
    }

    /// Fingerprint of the key it signs with.
    pub fn signing_key_id(&self) -> Digest {
        self.signing.key_id()
    }

    /// Introduces itself honestly.
    pub fn introduction(&self) -> Introduction {
        let terms = self.terms();
        let checkpoint =
            Checkpoint { origin: terms.origin(1), size: 1, root: leaf_hash(&Digest::of(b"founded")) };
        let signature = self.ledger.sign(checkpoint.body().as_bytes());
        Introduction {
            version_min: 1,
            version_max: 1,
            software: "liar".into(),
            environment: Environment::Test.into(),
            agreement_id: terms.agreement.clone(),
            party: terms.party.clone(),
            counterparty: terms.counterparty.clone(),
            epoch: 1,
            signing_key_id: self.signing.key_id().to_bytes(),
            ledger_key: Bytes::copy_from_slice(&self.ledger.public()),
            sealed_sequence: self.sequence,
            sealed_digest: if self.sequence == 0 { Bytes::new() } else { self.previous.to_bytes() },
            checkpoint: checkpoint.to_note(&terms.vkey(1, self.ledger.public()), &signature),
            now: Some(SystemTime::now().into()),
            ..Introduction::default()
        }
    }

    /// A checkpoint over any tree, signed with the ledger's real key.
    pub fn checkpoint(&self, size: u64, root: Digest) -> String {
        let terms = self.terms();
        let checkpoint = Checkpoint { origin: terms.origin(1), size, root };
        let signature = self.ledger.sign(checkpoint.body().as_bytes());
        checkpoint.to_note(&terms.vkey(1, self.ledger.public()), &signature)
    }

    /// Delivers without having introduced itself.
    pub async fn deliver_unopened(&self, deliveries: Vec<Delivery>) -> Result<(), Status> {
        let requests = tokio_stream::once(DeliverRequest { deliveries, accepted_size: 0 });
        self.dial().await.deliver(requests).await?.into_inner().message().await.map(drop)
    }

    /// Opens with this introduction; the answer is the daemon's own.
    pub async fn open(&self, introduction: Introduction) -> Result<Introduction, Status> {
        let request = OpenRequest { introduction: Some(introduction) };
        Ok(self.dial().await.open(request).await?.into_inner().introduction.unwrap())
    }

    /// Connects and opens, as a daemon does before it delivers.
    async fn dial_open(&self) -> PeerServiceClient<Dialled> {
        let mut client = self.dial().await;
        // The daemon may hold more than the test has counted.
        let introduction = Introduction { sealed_sequence: self.sequence + 100, ..self.introduction() };
        client.open(OpenRequest { introduction: Some(introduction) }).await.unwrap();
        client
    }

    /// How many of its envelopes the daemon says it has consumed.
    pub async fn consumed(&self) -> u64 {
        // It may hold more than the test has counted.
        let introduction = Introduction { sealed_sequence: self.sequence + 100, ..self.introduction() };
        self.open(introduction).await.unwrap().consumed_sequence
    }

    /// The next honest envelope with a message of its own.
    pub fn fields(&mut self) -> Envelope {
        self.messages += 1;
        let mut id = [0x80; 16];
        id[..8].copy_from_slice(&self.messages.to_be_bytes());
        Envelope {
            statement: STATEMENT.into(),
            environment: Environment::Test.into(),
            agreement_id: "US-KZ-1997".into(),
            epoch: 1,
            sender: "KZ".into(),
            recipient: "US".into(),
            signing_key_id: self.signing.key_id().to_bytes(),
            sequence: self.sequence + 1,
            previous_digest: self.previous.to_bytes(),
            peer_epoch: 1,
            sealed_leaf_index: self.sequence + 2,
            statement_type: StatementType::Treaty.into(),
            message_id: Bytes::copy_from_slice(&id),
            case_id: Bytes::copy_from_slice(&[9; 16]),
            kind: 1,
            signed_at: Some(Timestamp { nanos: 0, ..SystemTime::now().into() }),
            acting_official: "KZ-DO-0007".into(),
            language: "en".into(),
            body_commitment: commitment(&SALT, &body(0).encode_to_vec()).to_bytes(),
            ..Envelope::default()
        }
    }

    /// Signs an envelope with the real key and joins the honest content.
    pub fn delivery(&self, fields: &Envelope) -> Delivery {
        self.sealed(fields.encode_to_vec().into())
    }

    /// As [`Self::delivery`], for any bytes.
    pub fn sealed(&self, envelope: Bytes) -> Delivery {
        Delivery {
            signature: cms::sign(&self.signing, &envelope, SystemTime::now()).unwrap().into(),
            envelope,
            body_salt: Bytes::copy_from_slice(&SALT),
            body: body(0).encode_to_vec().into(),
            document_salts: Vec::new(),
        }
    }

    /// The next honest delivery.
    pub fn honest(&mut self) -> Delivery {
        let fields = self.fields();
        self.delivery(&fields)
    }

    /// Delivers as a daemon does: the stream stays open while the answer is waited for.
    pub async fn deliver(&self, deliveries: Vec<Delivery>) -> Result<DeliverResponse, Status> {
        self.send(DeliverRequest { deliveries, accepted_size: 0 }).await
    }

    pub async fn send(&self, request: DeliverRequest) -> Result<DeliverResponse, Status> {
        let (requests, stream) = tokio::sync::mpsc::channel(1);
        requests.send(request).await.unwrap();
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        let answered = async {
            let mut client = self.dial_open().await;
            client.deliver(stream).await?.into_inner().message().await
        };
        let answer = timeout(PATIENCE / 3, answered).await.expect("an answer while the stream is open")?;
        drop(requests);
        Ok(answer.expect("an answer before the end of the stream"))
    }

    /// Sends requests on one stream that stays open; returns the answers and how the stream ended.
    pub async fn stream(&self, deliveries: Vec<Vec<Delivery>>) -> (Vec<DeliverResponse>, Status) {
        let (requests, stream) = tokio::sync::mpsc::channel(deliveries.len());
        for deliveries in deliveries {
            requests.send(DeliverRequest { deliveries, accepted_size: 0 }).await.unwrap();
        }
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        let answered = async {
            let mut stream = self.dial_open().await.deliver(stream).await.unwrap().into_inner();
            let mut answers = Vec::new();
            loop {
                match stream.message().await {
                    Ok(answer) => answers.push(answer.expect("an answer or a refusal")),
                    Err(status) => return (answers, status),
                }
            }
        };
        let answers = timeout(PATIENCE / 3, answered).await.expect("a refusal while the stream is open");
        drop(requests);
        answers
    }

    /// Delivers one, checks its receipt, and goes on behind it. Returns the receipt with what it says.
    pub async fn delivered(&mut self, delivery: &Delivery) -> (Receipt, Option<RejectionReason>) {
        let answer = self.deliver(vec![delivery.clone()]).await.unwrap();
        let [receipt] = answer.receipts.as_slice() else { panic!("{} receipts", answer.receipts.len()) };
        let digest = Digest::of(&delivery.envelope);
        let sent =
            SentEnvelope { sequence: self.sequence + 1, digest, signature: Digest::of(&delivery.signature) };
        let mut checker = Checker::new(
            vec![self.terms().peer_vkey(1, self.kz.counterparty_ledger_key().unwrap())],
            Vec::new(),
        );
        let (receipted, _) = checker.receipt(receipt, &sent).unwrap();
        (self.sequence, self.previous) = (self.sequence + 1, digest);
        (receipt.clone(), receipted.rejection)
    }

    /// Posts any bytes as the body of a call, and waits for the end of the answer or its refusal.
    pub async fn raw(&self, method: &str, bytes: Vec<u8>) {
        let request = http::Request::post(format!("/article6.peer.v1.PeerService/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::new(Once::of(bytes)))
            .unwrap();
        let dialled = self.connect().await;
        let answered = async {
            if let Ok(answer) = tower::ServiceExt::oneshot(dialled, request).await {
                let mut body = std::pin::pin!(answer.into_body());
                while let Some(Ok(_)) =
                    std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
                {}
            }
        };
        timeout(PATIENCE / 3, answered).await.expect("an end of the call");
    }
}
