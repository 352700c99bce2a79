//! A machine in the middle that holds Kazakhstan's keys: it passes on to the honest daemon and bends the answers.

use super::parties::{dial_with, edit};
use article6::channel::terms::Terms;
use article6::commands::homes::Home;
use article6::crypto::LedgerKey;
use article6::crypto::digest::Digest;
use article6::door::{DoorSettings, Limits, Refusal, Shutdown, TlsSettings, TlsState, serve};
use article6::ledger::{Checkpoint, Note, cosignature};
use article6::limits::MESSAGE_BYTES;
use article6::peer::v1::peer_service_client::PeerServiceClient;
use article6::peer::v1::peer_service_server::{PeerService, PeerServiceServer};
use article6::peer::v1::{
    DeliverRequest, DeliverResponse, Introduction, OpenRequest, OpenResponse, RecallRequest, RecallResponse,
    WitnessRequest, WitnessResponse,
};
use article6::wire::channel::v1::{Envelope, Environment};
use prost::Message as _;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

/// What it does to the honest daemon's answers.
#[derive(Clone, Copy)]
pub enum Lie {
    /// Nothing.
    None,
    /// Bends the introduction.
    Introduction(fn(&mut Introduction)),
    /// Bends each answer to a delivery; it has the answer to the first delivery at hand.
    Answer(fn(&Relay, &mut DeliverResponse)),
    /// Refuses each delivery that holds this sequence or a later one.
    RefuseFrom(u64),
    /// Swallows the answer and ends the stream.
    Silence,
    /// Begins with the answer to the first delivery ever, before it has read anything.
    Hasty,
    /// Says that it accepted this much of the ledger it is shown, whatever it cosigned, and cosigns that.
    Accepted(u64),
}

/// The machine.
#[derive(Clone)]
pub struct Relay {
    us: Home,
    kz: Home,
    lie: Arc<Mutex<Lie>>,
    first: Arc<Mutex<Option<DeliverResponse>>>,
    ledger: Arc<LedgerKey>,
}

impl Relay {
    /// Begins to serve; the daemon of `us` will dial it. Call before that daemon starts.
    pub async fn serve(us: &Home, kz: &Home) -> Self {
        let certs = kz.certs();
        let tls = TlsSettings {
            chain: certs.join("peer.pem"),
            key: certs.join("peer.key"),
            authorities: vec![certs.join("counterparty-tls-ca.pem")],
            ..TlsSettings::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        edit(
            us,
            &format!("address = \"127.0.0.1:{}\"", kz.ports[0]),
            &format!("address = \"127.0.0.1:{port}\""),
        );
        let ledger = LedgerKey::from_pkcs8(&std::fs::read(certs.join("ledger.key")).unwrap()).unwrap();
        let relay = Self {
            us: us.clone(),
            kz: kz.clone(),
            lie: Arc::new(Mutex::new(Lie::None)),
            first: Arc::default(),
            ledger: Arc::new(ledger),
        };
        let service = PeerServiceServer::new(relay.clone())
            .max_decoding_message_size(2 * MESSAGE_BYTES)
            .max_encoding_message_size(2 * MESSAGE_BYTES);
        let settings = DoorSettings {
            name: "relay",
            limits: Limits::default(),
            long_lived: vec!["/article6.peer.v1.PeerService/Deliver"],
            counters: Arc::default(),
        };
        let tls = TlsState::load(tls).unwrap();
        tokio::spawn(serve(listener, tls, Routes::new(service), settings, Shutdown::new()));
        relay
    }

    /// From now on.
    pub fn lies(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    /// The answer to the first delivery that passed.
    pub fn first_answer(&self) -> DeliverResponse {
        self.first.lock().unwrap().clone().expect("something was delivered")
    }

    /// A checkpoint over any tree, signed with the ledger's real key.
    pub fn checkpoint(&self, size: u64, root: Digest) -> String {
        let terms = terms();
        let checkpoint = Checkpoint { origin: terms.origin(1), size, root };
        let signature = self.ledger.sign(checkpoint.body().as_bytes());
        checkpoint.to_note(&terms.vkey(1, self.ledger.public()), &signature)
    }

    /// The answer to a head of the other ledger when no more than `accepted` of it is admitted.
    fn cosign(&self, accepted: u64, note: &str) -> WitnessResponse {
        let shown = Note::parse(note).unwrap();
        let mut answer = WitnessResponse { accepted_size: accepted, ..WitnessResponse::default() };
        if Checkpoint::parse(shown.text()).unwrap().size == accepted {
            let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let signature = self.ledger.sign(cosignature::message(time, shown.text()).as_bytes());
            answer.cosignature = terms().cosigner(1, self.ledger.public()).signature(time, &signature).line();
        }
        answer
    }

    async fn upstream(&self) -> Result<PeerServiceClient<article6::door::Dialled>, Status> {
        let certs = self.us.certs();
        let files = [certs.join("peer.pem"), certs.join("peer.key"), certs.join("counterparty-tls-ca.pem")];
        let dialled = dial_with(self.kz.ports[0], files)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(PeerServiceClient::new(dialled)
            .max_decoding_message_size(2 * MESSAGE_BYTES)
            .max_encoding_message_size(2 * MESSAGE_BYTES))
    }

    async fn pass_on(
        &self,
        mut requests: Streaming<DeliverRequest>,
        out: &mpsc::Sender<Result<DeliverResponse, Status>>,
    ) -> Result<(), Status> {
        let (onward, stream) = mpsc::channel(1);
        let mut answers = self.upstream().await?.deliver(ReceiverStream::new(stream)).await?.into_inner();
        if matches!(*self.lie.lock().unwrap(), Lie::Hasty) {
            let _ = out.try_send(Ok(self.first_answer()));
        }
        while let Some(request) = requests.message().await? {
            if let Lie::RefuseFrom(sequence) = *self.lie.lock().unwrap()
                && request.deliveries.iter().any(|delivery| sequence_of(&delivery.envelope) >= sequence)
            {
                let refusal = Refusal::new(Code::InvalidArgument, "KEY_NOT_TRUSTED", "so says the relay");
                return Err(refusal.status());
            }
            let _ = onward.send(request).await;
            let mut answer = answers.message().await?.ok_or_else(|| Status::unavailable("no answer"))?;
            self.first.lock().unwrap().get_or_insert_with(|| answer.clone());
            let lie = *self.lie.lock().unwrap();
            match lie {
                Lie::Silence | Lie::Hasty => return Ok(()),
                Lie::Answer(bend) => bend(self, &mut answer),
                Lie::None | Lie::Introduction(_) | Lie::RefuseFrom(_) | Lie::Accepted(_) => {}
            }
            let _ = out.send(Ok(answer)).await;
        }
        Ok(())
    }
}

fn terms() -> Terms {
    Terms {
        environment: Environment::Test,
        agreement: "US-KZ-1997".into(),
        party: "KZ".into(),
        counterparty: "US".into(),
    }
}

fn sequence_of(envelope: &[u8]) -> u64 {
    Envelope::decode(envelope).unwrap().sequence
}

#[tonic::async_trait]
impl PeerService for Relay {
    async fn open(&self, request: Request<OpenRequest>) -> Result<Response<OpenResponse>, Status> {
        let mut response = self.upstream().await?.open(request.into_inner()).await?.into_inner();
        if let Lie::Introduction(bend) = *self.lie.lock().unwrap() {
            bend(response.introduction.as_mut().unwrap());
        }
        Ok(Response::new(response))
    }

    async fn witness(&self, request: Request<WitnessRequest>) -> Result<Response<WitnessResponse>, Status> {
        let request = request.into_inner();
        let lie = *self.lie.lock().unwrap();
        if let Lie::Accepted(size) = lie {
            return Ok(Response::new(self.cosign(size, &request.checkpoint)));
        }
        self.upstream().await?.witness(request).await
    }

    type RecallStream = Streaming<RecallResponse>;

    async fn recall(&self, request: Request<RecallRequest>) -> Result<Response<Self::RecallStream>, Status> {
        self.upstream().await?.recall(request.into_inner()).await
    }

    type DeliverStream = ReceiverStream<Result<DeliverResponse, Status>>;

    async fn deliver(
        &self,
        request: Request<Streaming<DeliverRequest>>,
    ) -> Result<Response<Self::DeliverStream>, Status> {
        let (out, stream) = mpsc::channel(4);
        let relay = self.clone();
        tokio::spawn(async move {
            if let Err(status) = relay.pass_on(request.into_inner(), &out).await {
                let _ = out.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}
