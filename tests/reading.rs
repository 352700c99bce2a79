//! What may be read for what (Articles 3.1, 3.2 and 4).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::case_service_client::CaseServiceClient;
use article6::backoffice::v1::{
    GetCaseRequest, GetMessageRequest, MessageView, Submission, SubmitMessageRequest,
};
use article6::commands::json::message_from_json;
use article6::crypto::Digest;
use article6::door::Dialled;
use article6::wire::assistance::v1::{Body, Purpose};
use serde_json::{Value, json};
use std::time::Instant;
use support::parties::{Office, PATIENCE, Parties, body, case_of, edit, for_official, reason, serve};

const OFFICER: &str = "US-CO-0001";
const DESIGNATED: &str = "US-DO-0011";
const RELEASER: &str = "US-RO-0001";

fn submission(case: &str, body: Body) -> Option<Submission> {
    Some(Submission { case: case.into(), language: "en".into(), body: Some(body), ..Submission::default() })
}

/// Article 3.2: confidential content is for the cleared; 3.1: another use needs consent for the item; 4: no use as evidence.
#[tokio::test(flavor = "multi_thread")]
async fn content_is_read_for_what_the_supplier_permits() {
    let parties = Parties::new();
    let officials = format!(
        "[[officials]]\nid = \"{OFFICER}\"\nroles = [\"CASE_OFFICER\"]\n[[officials]]\nid = \"{RELEASER}\"\nroles = [\"RELEASING_OFFICER\"]\ncleared = true\n\n[store]\n"
    );
    edit(&parties.us, "[store]\n", &officials);
    let (us_daemon, kz_daemon) = (serve(&parties.us), serve(&parties.kz));
    let (mut us, mut kz) = (Office::open(&parties.us).await, Office::open(&parties.kz).await);
    let case = case_of("drafts", "reading");
    let mut number = 0;
    let mut say = |body: Body| {
        number += 1;
        SubmitMessageRequest { request_id: format!("s{number}"), submission: submission(&case, body) }
    };
    let from = |value: Value| message_from_json(&value).unwrap().1;
    us.client.submit_message(us.request(say(body(1)))).await.unwrap();
    let arrived = |mut cases: CaseServiceClient<Dialled>, official: &'static str, count: usize| {
        let case = case.clone();
        async move {
            let end = Instant::now() + PATIENCE;
            loop {
                let get = GetCaseRequest { name: case.clone() };
                if let Ok(found) = cases.get_case(for_official(official, get)).await {
                    let found = found.into_inner().case.unwrap();
                    if found.history.len() >= count {
                        return found;
                    }
                }
                assert!(Instant::now() < end, "{count} messages do not arrive");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    };
    let us_cases = CaseServiceClient::new(parties.us.connect(PATIENCE).await.unwrap());
    let kz_cases = CaseServiceClient::new(parties.kz.connect(PATIENCE).await.unwrap());
    arrived(kz_cases.clone(), "KZ-DO-0007", 1).await;
    let offer = json!({"kind": "CONDITIONS_NOTICE", "version": 1, "grounds": ["SECURITY"], "reasons": "r", "conditions": [
        {"condition_id": "c1", "kind": "NO_EVIDENCE_USE", "text": "not as evidence"}]});
    kz.client.submit_message(kz.request(say(from(offer)))).await.unwrap();
    arrived(us_cases.clone(), DESIGNATED, 2).await;
    us.client
        .submit_message(
            us.request(say(from(json!({"kind": "CONDITIONS_REPLY", "version": 1, "reply": "ACCEPT"})))),
        )
        .await
        .unwrap();
    let executing = arrived(kz_cases.clone(), "KZ-DO-0007", 3).await;
    let results: Vec<Value> = executing.measures.iter().map(|it| json!({"measure_id": it.measure_id, "outcome": "NOT_EXECUTED", "grounds": ["NOT_HELD"], "reasons": "none"})).collect();
    let procedures: Vec<Value> = executing
        .procedures
        .iter()
        .map(|it| json!({"procedure_id": it.procedure_id, "outcome": "FOLLOWED"}))
        .collect();
    let answer = json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": results, "procedures": procedures, "conditions_applied": ["c1"]});
    let answer =
        kz.client.submit_message(kz.request(say(from(answer)))).await.unwrap().into_inner().message.unwrap();
    arrived(us_cases.clone(), DESIGNATED, 4).await;

    async fn read(us: &mut Office, official: &str, name: &str, purpose: Purpose) -> String {
        let get =
            GetMessageRequest { name: name.into(), view: MessageView::Full.into(), purpose: purpose.into() };
        match us.client.get_message(for_official(official, get)).await {
            Ok(_) => "read".into(),
            Err(status) => reason(&status),
        }
    }
    let name = answer.name.clone();
    assert_eq!(read(&mut us, DESIGNATED, &name, Purpose::AdministrativeProceeding).await, "read");
    assert_eq!(read(&mut us, DESIGNATED, &name, Purpose::JudicialProceeding).await, "NO_EVIDENCE_USE");
    assert_eq!(read(&mut us, DESIGNATED, &name, Purpose::Other).await, "CONSENT_REQUIRED");
    assert_eq!(read(&mut us, RELEASER, &name, Purpose::Other).await, "CONSENT_REQUIRED");

    // Asked, decided for this item, and withdrawn again.
    let item = Digest::from_slice(&answer.envelope_digest).unwrap().to_string();
    let ask = json!({"kind": "OTHER_USE_CONSENT_REQUEST", "request_id": "0198f000-0000-7000-8000-0000000000aa", "item_ids": [item], "purpose": "a civil suit", "recipient": "a court"});
    us.client.submit_message(us.request(say(from(ask)))).await.unwrap();
    arrived(kz_cases.clone(), "KZ-DO-0007", 5).await;
    let decide = |decision: &str| json!({"kind": "OTHER_USE_CONSENT_DECISION", "request_id": "0198f000-0000-7000-8000-0000000000aa", "decision": decision, "item_ids": [item]});
    kz.client.submit_message(kz.request(say(from(decide("GRANTED"))))).await.unwrap();
    arrived(us_cases.clone(), DESIGNATED, 6).await;
    assert_eq!(read(&mut us, RELEASER, &name, Purpose::Other).await, "read");
    assert_eq!(read(&mut us, DESIGNATED, &name, Purpose::JudicialProceeding).await, "read");
    kz.client.submit_message(kz.request(say(from(decide("WITHDRAWN"))))).await.unwrap();
    arrived(us_cases.clone(), DESIGNATED, 7).await;
    assert_eq!(read(&mut us, RELEASER, &name, Purpose::Other).await, "CONSENT_REQUIRED");

    // A late notice of the supplier binds from its receipt; the receiver cannot lift it.
    assert_eq!(read(&mut us, OFFICER, &name, Purpose::AdministrativeProceeding).await, "read");
    let notice = |confidential: bool| json!({"kind": "CONFIDENTIALITY_NOTICE", "item_ids": [item], "confidential": confidential, "reasons": "an informant"});
    let lifted = us.client.submit_message(us.request(say(from(notice(true))))).await.unwrap_err();
    assert_eq!(support::parties::violations(&lifted)[0].1, "NOT_SUPPLIED");
    kz.client.submit_message(kz.request(say(from(notice(true))))).await.unwrap();
    arrived(us_cases.clone(), DESIGNATED, 8).await;
    assert_eq!(read(&mut us, OFFICER, &name, Purpose::AdministrativeProceeding).await, "CLEARANCE_REQUIRED");
    assert_eq!(read(&mut us, DESIGNATED, &name, Purpose::AdministrativeProceeding).await, "read");
    us_daemon.stop().unwrap();
    kz_daemon.stop().unwrap();
}
