//! Texts and their translations.

use crate::play::{By, Play, request, with};
use crate::runner::conforms;
use article6::backoffice::v1::Message;
use article6::treaty::documents;
use article6::wire::assistance::v1::Purpose;
use serde_json::{Value, json};

conforms![final_translation_replaces_nothing, final_original_and_translation_shown_together];

fn document(id: &str, text: &str, language: &str, translation_of: &str) -> Value {
    let form = if translation_of.is_empty() { "COPY" } else { "TRANSLATION" };
    json!({"doc_id": id, "type_code": "380", "title": "Invoice", "language": language, "form": form,
        "media_type": "text/plain", "size_bytes": text.len(), "translation_of": translation_of,
        "sha256": article6::crypto::Digest::of(text.as_bytes()).to_string()})
}

fn original() -> Value {
    document("D1", "Шот-фактура", "kk", "")
}

fn translation() -> Value {
    document("D2", "Invoice", "en", "D1")
}

/// The message with its content, as the requested side reads it.
async fn reads(play: &mut Play, message: &Message) -> Message {
    play.rd.read("KZ-DO-0007", message, Purpose::AssessDutiesTaxes).await.unwrap()
}

async fn final_translation_replaces_nothing() {
    let mut play = Play::open(&with(request(), "documents", json!([original()]))).await;
    let opening = play.case(By::Rd).await.history[0].message.clone();
    let opening = Message { name: opening, ..Message::default() };
    let before = reads(&mut play, &opening).await.content.unwrap();
    play.say(
        By::Rd,
        &json!({"kind": "CLARIFICATION_REQUEST",
        "missing": [{"missing_id": "Q1", "concerns": "documents", "question": "Is there a translation?"}]}),
    )
    .await;
    // A document that is a translation of nothing in its message is refused; with its original it goes.
    let reply = |documents: Value| {
        json!({"kind": "CLARIFICATION_REPLY", "documents": documents,
        "answers": [{"missing_id": "Q1", "text": "It is here."}]})
    };
    assert_eq!(play.refused(By::Rq, &reply(json!([translation()]))).await, ["REFERENCE_UNRESOLVED"]);
    let later = play.say(By::Rq, &reply(json!([original(), translation()]))).await;
    let after = reads(&mut play, &opening).await.content.unwrap();
    assert_eq!((before.body_bytes, before.envelope), (after.body_bytes, after.envelope));
    let body = reads(&mut play, &later).await.content.unwrap().body.unwrap();
    assert_eq!(documents(&body)[0].sha256, documents(&after.body.unwrap())[0].sha256);
}

async fn final_original_and_translation_shown_together() {
    let both = json!([translation(), original()]);
    let mut play = Play::open(&with(request(), "documents", both)).await;
    let name = play.case(By::Rd).await.history[0].message.clone();
    let shown = reads(&mut play, &Message { name, ..Message::default() }).await;
    assert_eq!(shown.documents.iter().map(|it| it.doc_id.as_str()).collect::<Vec<_>>(), ["D2", "D1"]);
    let body = shown.content.unwrap().body.unwrap();
    let links: Vec<_> =
        documents(&body).iter().map(|it| (it.doc_id.as_str(), it.translation_of.as_str())).collect();
    assert_eq!(links, [("D2", "D1"), ("D1", "")]);
}
