//! From JSON to messages.

use super::{ENVELOPE_KEYS, FIXTURE_CONTENT, Flattened, JsonViolation, enums};
use crate::rules::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Map, Value as Json};

/// Most violations that are reported.
pub const MAX_VIOLATIONS: usize = 64;

const TIMESTAMP: &str = "google.protobuf.Timestamp";
const DOCUMENT: &str = "article6.assistance.v1.Document";

/// What is wrong with one value, and in words.
type Wrong = (&'static str, &'static str);
const UNKNOWN_KEY: Wrong = ("UNKNOWN_KEY", "no field of this name");
const UNKNOWN_KIND: Wrong = ("KIND_UNKNOWN", "no kind of message of this name");
const WRONG_TYPE: Wrong = ("WRONG_TYPE", "not the type of JSON value that this field has");
const DECIMAL_AS_NUMBER: Wrong =
    ("DECIMAL_AS_NUMBER", "a decimal is written as a string, such as \"41200.00\"");
const NOT_AN_INTEGER: Wrong = ("NOT_AN_INTEGER", "not an integer of the field's type");
const ENUM_UNKNOWN: Wrong = ("ENUM_UNKNOWN", "not a value of its list");
const BAD_TIMESTAMP: Wrong = ("BAD_TIMESTAMP", "not an RFC 3339 time stamp such as 2026-04-20T09:15:00Z");
const BAD_DIGEST: Wrong = ("BAD_DIGEST", "not a SHA-256 digest of 64 hexadecimal digits in lower case");
const BAD_BASE64: Wrong = ("BAD_BASE64", "not base64 (RFC 4648 section 4)");

pub(super) fn wrong_type(field: String) -> JsonViolation {
    violation(WRONG_TYPE, field)
}

pub(super) fn unknown_kind() -> JsonViolation {
    violation(UNKNOWN_KIND, "kind".to_owned())
}

fn violation((code, description): Wrong, field: String) -> JsonViolation {
    JsonViolation { code, field, description }
}

/// The envelope keys of `keys`.
pub(super) fn flattened(keys: &Map<String, Json>) -> Result<Flattened, Vec<JsonViolation>> {
    let mut wrong = Vec::new();
    let mut text = |key: &str| match keys.get(key) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(_) => {
            wrong.push(wrong_type(key.to_owned()));
            String::new()
        }
    };
    let flattened = Flattened {
        kind: text("kind"),
        agreement_id: text("agreement_id"),
        case_id: text("case_id"),
        sender_party: text("sender_party"),
        recipient_party: text("recipient_party"),
        signed_at: text("signed_at"),
        language: text("language"),
        in_reply_to: text("in_reply_to"),
    };
    if wrong.is_empty() { Ok(flattened) } else { Err(wrong) }
}

/// The message in the member `field` of a body.
pub(super) fn content(
    field: &FieldDescriptor,
    keys: &Map<String, Json>,
) -> Result<DynamicMessage, Vec<JsonViolation>> {
    let Kind::Message(content) = field.kind() else { return Err(vec![unknown_kind()]) };
    let mut reading = Reading { found: Vec::new() };
    let message = reading.message(&content, keys, field.name(), &ENVELOPE_KEYS);
    if reading.found.is_empty() { Ok(message) } else { Err(reading.found) }
}

struct Reading {
    found: Vec<JsonViolation>,
}

impl Reading {
    /// Reads `keys`; those that are no field and are not `tolerated` are reported.
    fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        keys: &Map<String, Json>,
        path: &str,
        tolerated: &[&str],
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        for (key, value) in keys {
            let path = format!("{path}.{key}");
            match descriptor.get_field_by_name(key) {
                Some(field) if !value.is_null() => {
                    if let Some(value) = self.field(&field, value, &path) {
                        message.set_field(&field, value);
                    }
                }
                // As in the protobuf mapping, null is absence.
                Some(_) => {}
                None if tolerated.contains(&key.as_str()) => {}
                None => self.report(UNKNOWN_KEY, path),
            }
        }
        message
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Json, path: &str) -> Option<Value> {
        if !field.is_list() {
            return self.value(field, value, path);
        }
        let Some(elements) = value.as_array() else {
            self.report(WRONG_TYPE, path.to_owned());
            return None;
        };
        let values = elements.iter().enumerate();
        Some(Value::List(
            values.filter_map(|(at, value)| self.value(field, value, &format!("{path}[{at}]"))).collect(),
        ))
    }

    fn value(&mut self, field: &FieldDescriptor, value: &Json, path: &str) -> Option<Value> {
        let read = match (field.kind(), value) {
            (Kind::Message(inner), Json::String(text)) if inner.full_name() == TIMESTAMP => {
                timestamp(&inner, text)
            }
            (Kind::Message(inner), Json::Object(keys)) if inner.full_name() != TIMESTAMP => {
                let tolerated: &[&str] = if inner.full_name() == DOCUMENT { &[FIXTURE_CONTENT] } else { &[] };
                Ok(Value::Message(self.message(&inner, keys, path, tolerated)))
            }
            (Kind::Enum(list), Json::String(name)) => {
                enums::number(&list, name).map(Value::EnumNumber).ok_or(ENUM_UNKNOWN)
            }
            (Kind::Bytes, Json::String(text)) if super::write::is_digest(field) => digest(text),
            (Kind::Bytes, Json::String(text)) => {
                STANDARD.decode(text).map(|bytes| Value::Bytes(bytes.into())).map_err(|_| BAD_BASE64)
            }
            (Kind::String, Json::String(text)) => Ok(Value::String(text.clone())),
            (Kind::String, Json::Number(_)) if is_decimal(field) => Err(DECIMAL_AS_NUMBER),
            (Kind::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
            (kind, Json::Number(_)) => integer(&kind, value),
            // 64-bit integers beyond what JSON numbers keep exactly travel as strings.
            (Kind::Uint64, Json::String(text)) => text.parse().map(Value::U64).map_err(|_| NOT_AN_INTEGER),
            (Kind::Int64, Json::String(text)) => text.parse().map(Value::I64).map_err(|_| NOT_AN_INTEGER),
            _ => Err(WRONG_TYPE),
        };
        read.map_err(|wrong| self.report(wrong, path.to_owned())).ok()
    }

    fn report(&mut self, wrong: Wrong, path: String) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(violation(wrong, path));
        }
    }
}

fn timestamp(descriptor: &MessageDescriptor, text: &str) -> Result<Value, Wrong> {
    if text.len() <= "2026-04-20".len() || !Format::DateOrTime.accepts(text) {
        return Err(BAD_TIMESTAMP);
    }
    let instant: prost_types::Timestamp = text.parse().map_err(|_| BAD_TIMESTAMP)?;
    let mut message = DynamicMessage::new(descriptor.clone());
    message.transcode_from(&instant).map_err(|_| BAD_TIMESTAMP)?;
    Ok(Value::Message(message))
}

fn integer(kind: &Kind, value: &Json) -> Result<Value, Wrong> {
    let read = match kind {
        Kind::Uint32 | Kind::Fixed32 => value.as_u64().and_then(|n| u32::try_from(n).ok()).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => value.as_u64().map(Value::U64),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            value.as_i64().and_then(|n| i32::try_from(n).ok()).map(Value::I32)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => value.as_i64().map(Value::I64),
        _ => return Err(WRONG_TYPE),
    };
    read.ok_or(NOT_AN_INTEGER)
}

fn digest(text: &str) -> Result<Value, Wrong> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(BAD_DIGEST);
    }
    let value = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
    let (pairs, _) = digits.as_chunks::<2>();
    Ok(Value::Bytes(pairs.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()))
}

fn is_decimal(field: &FieldDescriptor) -> bool {
    super::write::shape_of(field)
        .is_some_and(|shape| matches!(shape, crate::rules::Shape::Text { format: Format::Decimal, .. }))
}
