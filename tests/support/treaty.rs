//! What a test of the settings needs: heads of service who sign, administrators who order, and bodies of any kind.

use super::bundles::article6;
use super::parties::{Office, PATIENCE, Parties, for_official};
use article6::backoffice::v1::order_service_client::OrderServiceClient;
use article6::backoffice::v1::treaty_service_client::TreatyServiceClient;
use article6::backoffice::v1::{
    ApproveOrderRequest, GetTreatyRequest, GetTreatyResponse, ListOrdersRequest, Message, OrderRecord,
    ProposeOrderRequest, RejectOrderRequest, Submission, SubmitMessageRequest,
};
use article6::commands::certs::write_development_pki;
use article6::commands::homes::Home;
use article6::commands::json::{message_from_json, to_json};
use article6::door::Dialled;
use article6::wire::assistance::v1::body::Content;
use article6::wire::assistance::v1::{
    Accord, Body, DesignationNotice, Offence, OffenceKind, SpontaneousInformation,
};
use article6::wire::ledger::v1::order::Action;
use article6::wire::ledger::v1::{Order, OrderText};
use std::io::Write as _;
use std::path::PathBuf;
use tonic::Status;

/// The heads of both services, with keys that no daemon has.
pub struct Heads {
    pub us: Head,
    pub kz: Head,
}

/// A head of service.
pub struct Head {
    folder: PathBuf,
}

impl Heads {
    pub fn new(parties: &Parties) -> Self {
        let folder = parties.dir.path().join("heads");
        write_development_pki(&folder, ["US", "KZ"]).unwrap();
        Self { us: Head { folder: folder.join("us") }, kz: Head { folder: folder.join("kz") } }
    }
}

impl Head {
    fn certificate(&self) -> PathBuf {
        self.folder.join("signing.pem")
    }

    /// What `article6 head sign` makes of a body.
    pub fn sign(&self, party: &str, body: &Body) -> Result<Body, String> {
        let file = self.folder.join("message.json");
        std::fs::write(&file, to_json(body).to_string()).unwrap();
        let (key, certificate) = (self.folder.join("signing.key"), self.certificate());
        let output = article6(&[
            "head",
            "sign",
            file.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--certificate",
            certificate.to_str().unwrap(),
            "--environment",
            "TEST",
            "--agreement",
            "US-KZ-1997",
            "--party",
            party,
            "--signatory",
            "The head of service",
        ]);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(message_from_json(&serde_json::from_slice(&output.stdout).unwrap()).unwrap().1)
    }

    pub fn sign_list(&self, party: &str, list: DesignationNotice) -> DesignationNotice {
        match self.sign(party, &Body { content: Some(Content::DesignationNotice(list)) }).unwrap().content {
            Some(Content::DesignationNotice(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    pub fn sign_accord(&self, party: &str, accord: Accord) -> Accord {
        match self.sign(party, &Body { content: Some(Content::Accord(accord)) }).unwrap().content {
            Some(Content::Accord(accord)) => accord,
            other => panic!("{other:?}"),
        }
    }
}

fn append(home: &Home, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(home.config()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Lets a home's daemon know both heads.
pub fn prepare_heads(home: &Home, heads: &Heads) {
    let [own, peer] = if home.party == "US" { [&heads.us, &heads.kz] } else { [&heads.kz, &heads.us] };
    append(
        home,
        &format!(
            "\n[treaty]\nhead_certificate = {:?}\npeer_head_certificate = {:?}\n",
            own.certificate(),
            peer.certificate()
        ),
    );
}

/// Two treaty administrators and an auditor for a home.
pub fn administrators(home: &Home) {
    let party = home.party;
    for (name, role) in
        [("TA-1", "TREATY_ADMINISTRATOR"), ("TA-2", "TREATY_ADMINISTRATOR"), ("AU-1", "AUDITOR")]
    {
        append(home, &format!("\n[[officials]]\nid = \"{party}-{name}\"\nroles = [\"{role}\"]\n"));
    }
}

/// Orders and what is in force, at one daemon.
pub struct Chancery {
    orders: OrderServiceClient<Dialled>,
    treaty: TreatyServiceClient<Dialled>,
    reader: &'static str,
}

impl Chancery {
    pub async fn open(home: &Home) -> Self {
        let dialled = home.connect(PATIENCE).await.unwrap();
        let reader = if home.party == "US" { "US-DO-0011" } else { "KZ-DO-0007" };
        Self {
            orders: OrderServiceClient::new(dialled.clone()),
            treaty: TreatyServiceClient::new(dialled),
            reader,
        }
    }

    pub async fn treaty(&mut self) -> GetTreatyResponse {
        self.treaty.get_treaty(for_official(self.reader, GetTreatyRequest {})).await.unwrap().into_inner()
    }

    pub async fn propose(
        &mut self,
        official: &str,
        request_id: &str,
        action: Action,
    ) -> Result<OrderRecord, Status> {
        let request = ProposeOrderRequest {
            request_id: request_id.into(),
            order: Some(Order { action: Some(action) }),
            text: Some(text()),
        };
        let answer = self.orders.propose_order(for_official(official, request)).await?;
        Ok(answer.into_inner().order.unwrap())
    }

    pub async fn approve(&mut self, official: &str, name: &str) -> Result<OrderRecord, Status> {
        let request = ApproveOrderRequest { name: name.into(), text: Some(text()) };
        let answer = self.orders.approve_order(for_official(official, request)).await?;
        Ok(answer.into_inner().order.unwrap())
    }

    pub async fn reject(&mut self, official: &str, name: &str) -> Result<OrderRecord, Status> {
        let request = RejectOrderRequest { name: name.into(), text: Some(text()) };
        let answer = self.orders.reject_order(for_official(official, request)).await?;
        Ok(answer.into_inner().order.unwrap())
    }

    pub async fn orders(&mut self, official: &str) -> Vec<OrderRecord> {
        let request = for_official(official, ListOrdersRequest::default());
        self.orders.list_orders(request).await.unwrap().into_inner().orders
    }
}

fn text() -> OrderText {
    OrderText { reason: "As the ministry told us.".into(), evidence_ref: "Note 12/34".into() }
}

/// Submits a body of any kind, in a case of its own.
pub async fn submit_body(office: &mut Office, request_id: &str, content: Content) -> Result<Message, Status> {
    let submission = Submission {
        case: super::parties::case_of(office.official, request_id),
        language: "en".into(),
        body: Some(Body { content: Some(content) }),
        ..Submission::default()
    };
    let request = SubmitMessageRequest { request_id: request_id.into(), submission: Some(submission) };
    Ok(office.client.submit_message(office.request(request)).await?.into_inner().message.unwrap())
}

/// Information that nobody asked for.
pub fn spontaneous() -> Content {
    Content::SpontaneousInformation(SpontaneousInformation {
        subject: "Consignment".into(),
        text: "It may be diverted.".into(),
        offences: vec![Offence { kind: OffenceKind::TransitDiversion.into(), ..Offence::default() }],
        ..SpontaneousInformation::default()
    })
}
