//! Documents, originals, witnesses and records.

use crate::chancery::{designate, official, scoped, with_heads};
use crate::play::{BOTH, By, Play, measure, request, request_delivered, request_refused, with};
use crate::runner::conforms;
use crate::support::impostor::{Impostor, SALT};
use crate::support::parties::{Parties, serve, status};
use crate::world::{Side, new_case, says};
use article6::backoffice::v1::{CaseState, Message};
use article6::crypto::digest::commitment;
use article6::peer::v1::Delivery;
use article6::wire::assistance::v1::{DesignationScope, Kind, MeasureOutcome, Purpose};
use prost::Message as _;
use serde_json::{Value, json};

conforms![
    article_8_1_original_without_need_refused,
    article_8_1_plain_copy_leaves_the_measure_partly,
    article_8_2_close_with_an_original_out_refused,
    article_8_2_loss_needs_the_owners_acknowledgement,
    article_8_2_item_ids_are_unique_across_cases,
    article_8_3_witness_needs_a_proceeding,
    article_8_4_records_without_offence_warn,
    article_8_4_undesignated_readers_refused,
];

fn documents(form: &str) -> Value {
    with(measure("M1", "PROVIDE_DOCUMENTS", "8.1"), "document_form", json!(form))
}

async fn article_8_1_original_without_need_refused() {
    let asks = |measure: Value| with(request(), "measures", json!([measure]));
    assert_eq!(request_refused(&asks(documents("ORIGINAL"))).await, ["ORIGINAL_REASON_REQUIRED"]);
    let blank = with(documents("ORIGINAL"), "why_copies_insufficient", json!("  "));
    assert_eq!(request_refused(&asks(blank)).await, ["ORIGINAL_REASON_REQUIRED"]);
    let reasoned = with(documents("ORIGINAL"), "why_copies_insufficient", json!("The ink is examined."));
    request_delivered(&asks(reasoned)).await;
}

fn copy() -> Value {
    json!([{"doc_id": "D1", "type_code": "380", "title": "Invoice", "form": "COPY"}])
}

async fn article_8_1_plain_copy_leaves_the_measure_partly() {
    let mut play = Play::accepted(json!([documents("AUTHENTICATED_COPY")])).await;
    let whole = with(play.answered().await, "documents", copy());
    assert_eq!(play.refused(By::Rd, &whole).await, ["AUTHENTICATED_COPY_MISSING"]);
    let partly = json!([{"measure_id": "M1", "outcome": "PARTLY", "grounds": ["NOT_TRACEABLE"],
        "reasons": "The notary is away."}]);
    play.say(By::Rd, &with(whole, "results", partly)).await;
    for by in BOTH {
        assert_eq!(play.case(by).await.measures[0].outcome(), MeasureOutcome::Partly, "{by:?}");
    }
    play.stands(CaseState::Answered).await;
    whatever_its_sender_says().await;
}

/// A daemon that lets its officials say EXECUTED all the same changes nothing in it.
async fn whatever_its_sender_says() {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    status(&parties.us).await;
    let mut us = Side::open(&parties.us).await;
    let case = new_case();
    let asked = with(request(), "measures", json!([documents("AUTHENTICATED_COPY")]));
    us.says(&case, &asked).await;
    let mut peer = Impostor::new(&parties.us, &parties.kz);
    let answer = json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "KZ-1", "documents": copy(),
        "results": [{"measure_id": "M1", "outcome": "EXECUTED", "text": "Here it is."}]});
    let body = says(&answer).encode_to_vec();
    let mut fields = peer.fields();
    let id = uuid::Uuid::parse_str(case.trim_start_matches("cases/")).unwrap();
    fields.case_id = id.as_bytes().to_vec().into();
    fields.kind = u32::try_from(i32::from(Kind::Response)).unwrap();
    fields.peer_sequence_seen = 1;
    fields.body_commitment = commitment(&SALT, &body).to_bytes();
    let delivery = Delivery { body: body.into(), ..peer.delivery(&fields) };
    assert_eq!(peer.delivered(&delivery).await.1, None);
    let found = us.case(&case).await.unwrap();
    assert_eq!((found.state(), found.measures[0].outcome()), (CaseState::Answered, MeasureOutcome::Partly));
    daemon.stop().unwrap();
}

fn custody(event: &str, item: &str) -> Value {
    json!({"kind": "CUSTODY_NOTICE", "item_id": item, "event": event, "at": "2026-07-01T00:00:00Z",
        "condition": "Two sheets."})
}

/// A case that is answered while an original is out.
async fn lent(item: &str) -> Play {
    let mut play = Play::open(&request()).await;
    play.say(By::Rd, &custody("SENT", item)).await;
    play.answer().await;
    play
}

async fn article_8_2_close_with_an_original_out_refused() {
    let mut play = lent("I-1").await;
    play.close_refused("OBLIGATION_OPEN").await;
    play.say(By::Rq, &custody("RECEIVED", "I-1")).await;
    play.say(By::Rq, &custody("RETURN_SENT", "I-1")).await;
    play.close_refused("OBLIGATION_OPEN").await;
    assert_eq!(play.refused(By::Rq, &custody("RETURN_RECEIVED", "I-1")).await, ["OTHER_SIDES_PART"]);
    play.say(By::Rd, &custody("RETURN_RECEIVED", "I-1")).await;
    play.closes().await;
}

async fn article_8_2_loss_needs_the_owners_acknowledgement() {
    let mut play = lent("I-2").await;
    assert_eq!(play.refused(By::Rd, &custody("LOSS_ACKNOWLEDGED", "I-2")).await, ["LOSS_UNKNOWN"]);
    play.say(By::Rq, &custody("LOST_OR_DAMAGED", "I-2")).await;
    play.close_refused("OBLIGATION_OPEN").await;
    assert_eq!(play.refused(By::Rq, &custody("LOSS_ACKNOWLEDGED", "I-2")).await, ["OTHER_SIDES_PART"]);
    play.close_refused("OBLIGATION_OPEN").await;
    play.say(By::Rd, &custody("LOSS_ACKNOWLEDGED", "I-2")).await;
    play.closes().await;
}

async fn article_8_2_item_ids_are_unique_across_cases() {
    let mut first = lent("I-3").await;
    assert_eq!(first.refused(By::Rd, &custody("SENT", "I-3")).await, ["ITEM_EXISTS"]);
    let mut second = Play::open(&request()).await;
    assert_eq!(second.would(By::Rd, &custody("SENT", "I-3")).await, Err(vec!["ITEM_EXISTS".to_owned()]));
    assert_eq!(second.refused(By::Rd, &custody("SENT", "I-3")).await, ["ITEM_EXISTS"]);
    second.say(By::Rd, &custody("SENT", "I-4")).await;
    // Nor once it is back; nor by the other side, in a case in which it is the one that lends.
    first.say(By::Rd, &custody("RETURN_RECEIVED", "I-3")).await;
    assert_eq!(second.refused(By::Rd, &custody("SENT", "I-3")).await, ["ITEM_EXISTS"]);
    let case = new_case();
    second.rd.says(&case, &request()).await;
    second.rq.until(&case, "the request arrives", |case| !case.history.is_empty()).await;
    assert_eq!(second.rq.refused(&case, &custody("SENT", "I-3")).await, ["ITEM_EXISTS"]);
    second.rq.says(&case, &custody("SENT", "I-5")).await;
}

async fn article_8_3_witness_needs_a_proceeding() {
    let asks = |nature: &str| {
        let asked = with(request(), "measures", json!([measure("M1", "WITNESS_APPEARANCE", "8.3")]));
        with(asked, "proceedings", json!({"natures": [nature], "stage": "TRIAL"}))
    };
    assert_eq!(request_refused(&asks("INVESTIGATIVE")).await, ["WITNESS_NEEDS_PROCEEDING"]);
    request_delivered(&asks("JUDICIAL")).await;
    request_delivered(&asks("ADMINISTRATIVE")).await;
}

/// A request to let an official consult records.
fn consultation(request: Value, official: &str) -> Value {
    let records = with(measure("M1", "RECORDS_CONSULTATION", "8.4"), "official_ids", json!([official]));
    with(request, "measures", json!([records]))
}

async fn article_8_4_records_without_offence_warn() {
    for (request, warned) in [(crate::play::assessment(), true), (request(), false)] {
        let mut play = request_delivered(&consultation(request, "US-DO-0011")).await;
        let name = play.case(By::Rd).await.history[0].message.clone();
        let shown = Message { name, ..Message::default() };
        let shown = play.rd.read("KZ-DO-0007", &shown, Purpose::AssessDutiesTaxes).await.unwrap();
        let codes: Vec<&str> = shown.warnings.iter().map(|it| it.code.as_str()).collect();
        let expected: &[&str] = if warned { &["RECORDS_WITHOUT_OFFENCE"] } else { &[] };
        assert_eq!((codes.as_slice(), shown.deficiencies.len()), (expected, 0));
    }
}

async fn article_8_4_undesignated_readers_refused() {
    let (world, heads) = with_heads();
    let mut us = world.us().await;
    let presence = scoped("US-DO-0003", DesignationScope::Presence);
    let records = scoped("US-DO-0015", DesignationScope::RecordsConsultation);
    designate(&mut us, &heads, vec![official("US-DO-0011"), presence, records]).await;
    let sends = |id: &str| consultation(request(), id);
    assert_eq!(us.refused(&new_case(), &sends("US-DO-0099")).await, ["OFFICIAL_NOT_LISTED"]);
    assert_eq!(us.refused(&new_case(), &sends("US-DO-0003")).await, ["OFFICIAL_OUT_OF_SCOPE"]);
    us.says(&new_case(), &sends("US-DO-0015")).await;
    world.stop();
}
