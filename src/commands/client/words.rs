//! A message for people and for scripts.

use crate::backoffice::v1::{
    Content, Delivery, DeliveryState, Direction, FeedKind, Message, WatchMessagesResponse,
};
use crate::commands::json::{message_to_json, to_json};
use crate::crypto::Digest;
use crate::wire::assistance::v1::Kind;
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::RejectionReason;
use prost::Message as _;
use serde_json::{Map, Value};

/// The message as one object: the protobuf mapping with short enum values, its digest in hexadecimal, and its body as
/// it could be sent.
pub fn json(message: &Message) -> Value {
    let mut keys = message_to_json(message).unwrap_or_default();
    if let Some(digest) = Digest::from_slice(&message.envelope_digest) {
        keys.insert("envelope_digest".into(), digest.to_string().into());
    }
    let body = message.content.as_ref().and_then(|content| content.body.as_ref());
    if let (Some(body), Some(Value::Object(content))) = (body, keys.get_mut("content")) {
        content.insert("body".into(), to_json(body));
    }
    Value::Object(keys)
}

/// A feed item as one object.
pub fn item_json(item: &WatchMessagesResponse) -> Value {
    let mut keys = Map::new();
    keys.insert("cursor".into(), item.cursor.as_str().into());
    keys.insert("kind".into(), short(item.kind().as_str_name(), "FEED_KIND_").into());
    if let Some(message) = &item.message {
        keys.insert("message".into(), json(message));
    }
    Value::Object(keys)
}

/// A message as a file that `send` reads: the envelope's keys beside the body's. `None` without its content.
pub fn document(message: &Message) -> Option<Value> {
    let content = message.content.as_ref()?;
    let envelope = Envelope::decode(content.envelope.clone()).ok()?;
    let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut keys = Map::new();
    for (key, value) in [
        ("kind", kind(message)),
        ("agreement_id", envelope.agreement_id),
        ("case_id", bare(&message.case)),
        ("sender_party", message.sender.clone()),
        ("recipient_party", message.recipient.clone()),
        ("language", message.language.clone()),
        ("signed_at", message.signed_at.map(|time| time.to_string()).unwrap_or_default()),
        ("in_reply_to", bare(&message.in_reply_to)),
    ] {
        if !value.is_empty() {
            keys.insert(key.into(), value.into());
        }
    }
    if let Some(Value::Object(body)) = content.body.as_ref().map(to_json) {
        keys.extend(body);
    }
    Some(Value::Object(keys))
}

/// A feed item on one line.
pub fn item_line(item: &WatchMessagesResponse) -> Option<String> {
    let message = item.message.as_ref()?;
    let what = match item.kind() {
        FeedKind::Outcome => "outcome ",
        FeedKind::Revised => "revised ",
        FeedKind::Received | FeedKind::Unspecified => "received",
    };
    Some(format!("{}  {what}  {}", time(message.recorded_at.as_ref()), line(message)))
}

/// The message on one line.
pub fn line(message: &Message) -> String {
    format!("{}  {}  sequence {}  {}", message.name, kind(message), message.sequence, state(message))
}

/// `ASSISTANCE_REQUEST` and the like; the bare number of a kind that this version does not know.
pub fn kind(message: &Message) -> String {
    match Kind::try_from(message.kind) {
        Ok(kind) => short(kind.as_str_name(), "KIND_"),
        Err(_) => message.kind.to_string(),
    }
}

/// `QUEUED` and the like.
pub fn state(message: &Message) -> String {
    let state = message.delivery.as_ref().map(Delivery::state).unwrap_or_default();
    short(state.as_str_name(), "DELIVERY_STATE_")
}

/// `SENT` or `RECEIVED`.
pub fn direction(message: &Message) -> String {
    short(message.direction().as_str_name(), "DIRECTION_")
}

/// What the state of the message's delivery means.
pub fn meaning(message: &Message) -> String {
    let Some(delivery) = &message.delivery else { return "the daemon did not say".into() };
    let received = message.direction() == Direction::Received;
    match delivery.state() {
        DeliveryState::Queued => {
            "sealed and durable here; no receipt of the other Party yet, delivery goes on".into()
        }
        DeliveryState::Delivered if received => {
            "durable here; no back-office client has taken it over yet".into()
        }
        DeliveryState::Delivered => match &delivery.delivered_at {
            Some(at) => {
                format!("the other Party recorded it at {}; its signed receipt is here", time(Some(at)))
            }
            None => "the other Party holds it durably; its signed receipt is here".into(),
        },
        DeliveryState::Retrieved => "a back-office client has taken it over".into(),
        DeliveryState::Rejected => {
            let reason = RejectionReason::try_from(delivery.rejection).unwrap_or_default();
            let reason = short(reason.as_str_name(), "REJECTION_REASON_");
            format!(
                "the other Party turned it down ({reason}); its signed refusal is here: send a new message"
            )
        }
        DeliveryState::Stalled => format!(
            "no way to the other Party for too long ({}); retries go on and nothing is lost: tell the daemon's operator",
            delivery.stalled_reason
        ),
        DeliveryState::Unspecified => "the daemon is of a later version than this client".into(),
    }
}

/// Everything but the content, one fact a line.
pub fn facts(message: &Message) -> Vec<(&'static str, String)> {
    let stated = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let official = match message.releasing_official.as_str() {
        "" => stated(&message.acting_official),
        releasing => Some(format!("{}, released by {releasing}", message.acting_official)),
    };
    let list = |items: Vec<String>| Some(items.join("; ")).filter(|text| !text.is_empty());
    let lacks = message.deficiencies.iter().map(|lack| match lack.article.as_str() {
        "" => format!("{} {}", lack.field, lack.code),
        article => format!("{} {} (Article {article})", lack.field, lack.code),
    });
    let warned = message.warnings.iter().map(|it| format!("{} {}", it.field, it.code));
    let document = |status: &crate::backoffice::v1::DocumentStatus| {
        format!("{} {}", status.doc_id, short(status.state().as_str_name(), "DOCUMENT_STATE_"))
    };
    [
        ("name", stated(&message.name)),
        ("case", stated(&message.case)),
        ("kind", Some(kind(message))),
        ("way", Some(format!("{} {} -> {}", direction(message), message.sender, message.recipient))),
        ("sequence", Some(message.sequence.to_string())),
        ("in reply to", stated(&message.in_reply_to)),
        ("official", official),
        ("language", stated(&message.language)),
        ("signed", Some(time(message.signed_at.as_ref()))),
        ("recorded", Some(time(message.recorded_at.as_ref()))),
        ("state", Some(state(message))),
        ("meaning", Some(meaning(message))),
        ("documents", list(message.documents.iter().map(document).collect())),
        ("lacks", list(lacks.collect())),
        ("look at", list(warned.collect())),
        ("digest", Digest::from_slice(&message.envelope_digest).map(|digest| digest.to_string())),
        ("content", message.content.as_ref().map(content)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// Seconds are enough for people.
pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    let whole = time.map(|time| prost_types::Timestamp { nanos: 0, ..*time });
    whole.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

fn content(content: &Content) -> String {
    let body = content.body.as_ref().map(to_json).and_then(|body| serde_json::to_string_pretty(&body).ok());
    match body {
        Some(body) => format!("\n{body}"),
        None if content.unavailable => "the sender could no longer produce it".into(),
        None => "this client does not understand it".into(),
    }
}

/// A value of an enum without what its type puts before it.
pub fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::assistance::v1::{Body, OralRequestNote, body};

    fn message() -> Message {
        let envelope = Envelope { agreement_id: "US-KZ-1997".into(), ..Envelope::default() };
        let note = OralRequestNote { summary: "x".into(), medium: 1, ..OralRequestNote::default() };
        Message {
            name: "messages/0198f000-0000-7000-8000-00000000000a".into(),
            case: "cases/0198f000-0000-7000-8000-000000000003".into(),
            kind: Kind::OralRequestNote.into(),
            direction: Direction::Received.into(),
            sender: "KZ".into(),
            recipient: "US".into(),
            sequence: 7,
            language: "en".into(),
            envelope_digest: vec![0xab; 32].into(),
            signed_at: Some(prost_types::Timestamp { seconds: 0, nanos: 5 }),
            delivery: Some(Delivery { state: DeliveryState::Delivered.into(), ..Delivery::default() }),
            content: Some(Content {
                body: Some(Body { content: Some(body::Content::OralRequestNote(note)) }),
                envelope: envelope.encode_to_vec().into(),
                ..Content::default()
            }),
            ..Message::default()
        }
    }

    #[test]
    fn scripts_get_short_names_and_hexadecimal_digests() {
        let json = json(&message());
        assert_eq!(
            (json["kind"].as_str(), json["direction"].as_str()),
            (Some("ORAL_REQUEST_NOTE"), Some("RECEIVED"))
        );
        assert_eq!(json["delivery"]["state"], "DELIVERED");
        assert_eq!(json["envelope_digest"], "ab".repeat(32));
        assert_eq!(json["content"]["body"]["medium"], "VOICE_TELEPHONE");
        let item = WatchMessagesResponse { cursor: "c".into(), kind: 1, message: Some(message()) };
        assert_eq!(item_json(&item)["kind"], "RECEIVED");
    }

    #[test]
    fn a_kept_message_can_be_read_as_a_file_to_send() {
        let document = document(&message()).unwrap();
        let (flattened, body) = crate::commands::json::message_from_json(&document).unwrap();
        assert_eq!(flattened.case_id, "0198f000-0000-7000-8000-000000000003");
        assert_eq!(
            (flattened.agreement_id.as_str(), flattened.kind.as_str()),
            ("US-KZ-1997", "ORAL_REQUEST_NOTE")
        );
        assert_eq!(Some(body), message().content.unwrap().body);
    }

    #[test]
    fn every_state_has_words_that_depend_on_the_direction() {
        let mut message = message();
        assert!(meaning(&message).contains("no back-office client"));
        message.direction = Direction::Sent.into();
        assert!(meaning(&message).contains("receipt"));
        assert_eq!(line(&message), format!("{}  ORAL_REQUEST_NOTE  sequence 7  DELIVERED", message.name));
        assert!(
            facts(&message).iter().any(|(name, value)| *name == "signed" && value == "1970-01-01T00:00:00Z")
        );
    }
}
