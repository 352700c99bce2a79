//! Two daemons that all tests share, each test with cases of its own, and officials of both sides who speak and read.

use crate::support::copies::backup;
use crate::support::parties::{
    Office, PATIENCE, Parties, edit, for_official, reason, serve, until, violations,
};
use article6::backoffice::v1::case_service_client::CaseServiceClient;
use article6::backoffice::v1::evidence_service_client::EvidenceServiceClient;
use article6::backoffice::v1::message_service_client::MessageServiceClient;
use article6::backoffice::v1::{
    Case, ExportEvidenceRequest, GetCaseRequest, GetMessageRequest, Message, MessageView, Submission,
    SubmitMessageRequest, ValidateMessageRequest,
};
use article6::commands::homes::{Home, Running};
use article6::commands::json::message_from_json;
use article6::disk::{Disk, SystemDisk};
use article6::door::Dialled;
use article6::exchange::start::open_for_reading;
use article6::wire::assistance::v1::{Body, Purpose};
use article6::wire::ledger::v1::event::Fact;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OnceCell};
use tonic::{Code, Status};

/// An official who is not cleared for confidential content.
pub const UNCLEARED: &str = "US-CO-0001";
/// An official who may export, also for a use outside the agreement.
pub const EXPORTER: &str = "US-RO-0001";

static SHARED: Mutex<Option<Arc<World>>> = Mutex::const_new(None);

/// Two homes and their daemons.
pub struct World {
    pub parties: Parties,
    daemons: Vec<Running>,
    lines: [OnceCell<Dialled>; 2],
}

impl World {
    /// Daemons that run in these homes from now on.
    pub fn of(parties: Parties) -> Self {
        let daemons = vec![serve(&parties.us), serve(&parties.kz)];
        Self { parties, daemons, lines: Default::default() }
    }

    /// The daemons that all tests share.
    pub async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        shared.get_or_insert_with(|| Arc::new(Self::of(officials(Parties::new())))).clone()
    }

    /// Ends the daemons that all tests share.
    pub async fn end() {
        if let Some(world) = SHARED.lock().await.take().and_then(Arc::into_inner) {
            world.stop();
        }
    }

    /// Ends these daemons, in order.
    pub fn stop(self) {
        self.daemons.into_iter().for_each(|daemon| daemon.stop().unwrap());
    }

    pub async fn us(&self) -> Side {
        Side::over(&self.parties.us, self.line(0).await)
    }

    pub async fn kz(&self) -> Side {
        Side::over(&self.parties.kz, self.line(1).await)
    }

    /// One connection to each daemon: it bears every call.
    async fn line(&self, at: usize) -> Dialled {
        let home = [&self.parties.us, &self.parties.kz][at];
        self.lines[at].get_or_init(|| async { home.connect(PATIENCE).await.unwrap() }).await.clone()
    }
}

/// Adds the officials of the United States whom the tests of Article 3 need.
pub fn officials(parties: Parties) -> Parties {
    let officials = format!(
        "[[officials]]\nid = \"{UNCLEARED}\"\nroles = [\"CASE_OFFICER\"]\n\
         [[officials]]\nid = \"{EXPORTER}\"\nroles = [\"DESIGNATED_OFFICIAL\", \"RELEASING_OFFICER\"]\n\n[store]\n"
    );
    edit(&parties.us, "[store]\n", &officials);
    // The receiver's own affairs: what the services are called, and how it marks what it receives.
    let config = std::fs::read_to_string(parties.us.config()).unwrap();
    let domestic = "highest_marking = \"HIGHEST\"\n\n\
        [[service_names]]\nparty = \"KZ\"\nfrom = \"1991-12-16\"\nname = \"The service of then\"\n\
        [[service_names]]\nparty = \"KZ\"\nfrom = \"2014-08-06\"\nname = \"The service of now\"\n\
        [[service_names]]\nparty = \"KZ\"\nfrom = \"2999-01-01\"\nname = \"A service to come\"\n\
        [[markings]]\nkind = \"RESPONSE\"\nmarking = \"OFFICIAL\"\n\
        [[markings]]\nkind = \"RESPONSE\"\nconfidential = true\nmarking = \"SENSITIVE\"\n";
    std::fs::write(parties.us.config(), format!("{config}\n[treaty]\n{domestic}")).unwrap();
    parties
}

/// The back office of one Party.
pub struct Side {
    pub home: Home,
    pub office: Office,
    pub cases: CaseServiceClient<Dialled>,
    evidence: EvidenceServiceClient<Dialled>,
}

impl Side {
    pub async fn open(home: &Home) -> Self {
        Self::over(home, home.connect(PATIENCE).await.unwrap())
    }

    fn over(home: &Home, line: Dialled) -> Self {
        let official = if home.party == "US" { "US-DO-0011" } else { "KZ-DO-0007" };
        Self {
            home: home.clone(),
            office: Office { client: MessageServiceClient::new(line.clone()), official },
            cases: CaseServiceClient::new(line.clone()),
            evidence: EvidenceServiceClient::new(line),
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, case: &str, body: Body) -> Result<Message, Status> {
        let request_id = uuid::Uuid::now_v7().to_string();
        let request = SubmitMessageRequest { request_id, submission: submission(case, body) };
        Ok(self
            .office
            .client
            .submit_message(self.office.request(request))
            .await?
            .into_inner()
            .message
            .unwrap())
    }

    /// Sends a message that must be accepted.
    pub async fn says(&mut self, case: &str, value: &Value) -> Message {
        self.send(case, says(value)).await.unwrap_or_else(|status| panic!("{value}: {:?}", codes(&status)))
    }

    /// Sends a message that must be refused; the codes of what is wrong.
    pub async fn refused(&mut self, case: &str, value: &Value) -> Vec<String> {
        match self.send(case, says(value)).await {
            Err(status) => codes(&status),
            Ok(_) => panic!("accepted: {value}"),
        }
    }

    /// Whether a message would be accepted now; else the codes of what is wrong.
    pub async fn would(&mut self, case: &str, value: &Value) -> Result<(), Vec<String>> {
        let request = ValidateMessageRequest { submission: submission(case, says(value)) };
        let answer = self.office.client.validate_message(self.office.request(request)).await;
        answer.map(drop).map_err(|status| codes(&status))
    }

    /// A case, if any message of it is here.
    pub async fn case(&mut self, name: &str) -> Option<Case> {
        let request = for_official(self.office.official, GetCaseRequest { name: name.into() });
        match self.cases.get_case(request).await {
            Ok(found) => found.into_inner().case,
            Err(status) => {
                assert_eq!(reason(&status), "CASE_NOT_FOUND");
                None
            }
        }
    }

    /// The case as soon as it is as wanted.
    pub async fn until(&mut self, name: &str, what: &str, wanted: impl Fn(&Case) -> bool) -> Case {
        let end = Instant::now() + PATIENCE;
        loop {
            let case = self.case(name).await;
            if let Some(case) = case.as_ref().filter(|case| wanted(case)) {
                return case.clone();
            }
            assert!(Instant::now() < end, "{what}: {case:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether the content of a message is shown; else how it is denied.
    pub async fn read(
        &mut self,
        official: &str,
        message: &Message,
        purpose: Purpose,
    ) -> Result<Message, Denied> {
        let (name, view) = (message.name.clone(), MessageView::Full.into());
        let request = GetMessageRequest { name, view, purpose: purpose.into() };
        let answer = self.office.client.get_message(for_official(official, request)).await;
        answer.map(|answer| answer.into_inner().message.unwrap()).map_err(|status| denied(&status))
    }

    /// The bundle of a message; else how it is denied.
    pub async fn export(&mut self, message: &Message, purpose: Purpose) -> Result<bytes::Bytes, Denied> {
        let request = ExportEvidenceRequest { name: message.name.clone(), purpose: purpose.into() };
        let answer = self.evidence.export_evidence(for_official(EXPORTER, request)).await;
        answer.map(|answer| answer.into_inner().bundle).map_err(|status| denied(&status))
    }

    /// The marking that goes with an exported bundle.
    pub async fn exported_marking(&mut self, message: &Message) -> String {
        let purpose = Purpose::AdministrativeProceeding.into();
        let request = ExportEvidenceRequest { name: message.name.clone(), purpose };
        self.evidence.export_evidence(for_official(EXPORTER, request)).await.unwrap().into_inner().marking
    }

    /// Where the message stands in this side's ledger.
    pub async fn position(&mut self, message: &Message) -> u64 {
        let request = GetMessageRequest { name: message.name.clone(), ..GetMessageRequest::default() };
        let found = self.office.client.get_message(self.office.request(request)).await.unwrap().into_inner();
        found.message.unwrap().position
    }

    /// What this side's ledger says of readings of a message: official, purpose, and whether it was denied.
    pub async fn audited(&mut self, message: &Message) -> Vec<(String, Purpose, bool)> {
        let position = self.position(message).await;
        let of_message = facts(&self.home).into_iter().filter_map(|fact| match fact {
            Fact::Read(read) if read.leaves.contains(&position) => {
                let purpose = Purpose::try_from(i32::try_from(read.purpose).unwrap()).unwrap();
                Some((read.official, purpose, !read.withheld.is_empty()))
            }
            _ => None,
        });
        of_message.collect()
    }
}

/// How content is denied: status, and reason.
pub type Denied = (Code, String);

fn denied(status: &Status) -> Denied {
    (status.code(), reason(status))
}

/// Every fact of a running daemon's ledger, read from a copy.
pub fn facts(home: &Home) -> Vec<Fact> {
    let copy = backup(home, &format!("copy-{}", uuid::Uuid::now_v7()));
    let mut settings = article6::config::read(&home.config()).unwrap();
    settings.store.paths.data = copy.join("store");
    settings.store.paths.head = copy.join("head");
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (store, ..) = open_for_reading(&disk, &settings.store, &settings.terms).unwrap();
    let size = store.reader().head().size;
    (0..size).filter_map(|leaf| store.event(leaf).unwrap().event.fact.clone()).collect()
}

/// Waits until the other Party has receipted everything that a Party has sealed.
pub async fn delivered(home: &Home) {
    until(home, "all is receipted", |status| status.acknowledged_sequence == status.sealed_sequence).await;
}

/// A body as JSON, in the form of the examples.
pub fn says(value: &Value) -> Body {
    message_from_json(value).unwrap_or_else(|wrong| panic!("{wrong:?}")).1
}

/// What is wrong: a code for each field, or the reason of the refusal.
pub fn codes(status: &Status) -> Vec<String> {
    let fields: Vec<String> = violations(status).into_iter().map(|(_, code)| code).collect();
    if fields.is_empty() { vec![reason(status)] } else { fields }
}

/// A case that nobody has.
pub fn new_case() -> String {
    format!("cases/{}", uuid::Uuid::now_v7())
}

fn submission(case: &str, body: Body) -> Option<Submission> {
    Some(Submission { case: case.into(), language: "en".into(), body: Some(body), ..Submission::default() })
}
