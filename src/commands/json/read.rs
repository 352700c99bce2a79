//! From JSON to messages.

use super::{ENVELOPE_KEYS, FIXTURE_CONTENT, Flattened, JsonViolation, enums};
use crate::rules::Format;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

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
const KEY_REPEATED: Wrong = ("KEY_REPEATED", "given twice: under its own name and in lowerCamelCase");
const BAD_DIGEST: Wrong =
    ("BAD_DIGEST", "not a SHA-256 digest of 64 hexadecimal digits in lower case, nor its 32 bytes in base64");
const BAD_BASE64: Wrong = ("BAD_BASE64", "not base64 (RFC 4648 section 4 or 5)");

/// The protobuf mapping takes either alphabet, with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&alphabet::STANDARD, LENIENT), GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT)];

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
    let mut text = |key: &str| {
        let camel = camel_case(key);
        let second = if camel == key { None } else { keys.get(&camel) };
        match (keys.get(key).filter(|value| !value.is_null()), second.filter(|value| !value.is_null())) {
            (None, None) => return String::new(),
            (Some(_), Some(_)) => wrong.push(violation(KEY_REPEATED, key.to_owned())),
            (Some(Json::String(text)), None) | (None, Some(Json::String(text))) => return text.clone(),
            (Some(_), None) | (None, Some(_)) => wrong.push(wrong_type(key.to_owned())),
        }
        String::new()
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
    let camel = ENVELOPE_KEYS.map(camel_case);
    let envelope: Vec<_> = ENVELOPE_KEYS.into_iter().chain(camel.iter().map(String::as_str)).collect();
    let message = reading.message(&content, keys, field.name(), &envelope);
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
        let mut seen = BTreeSet::new();
        for (key, value) in keys {
            let found = descriptor.get_field_by_name(key).or_else(|| descriptor.get_field_by_json_name(key));
            match found {
                Some(field) if !value.is_null() => {
                    // Paths name fields as the protos do, however the document spells them.
                    let path = format!("{path}.{}", field.name());
                    if !seen.insert(field.number()) {
                        self.report(KEY_REPEATED, path);
                    } else if let Some(value) = self.field(&field, value, &path) {
                        message.set_field(&field, value);
                    }
                }
                // As in the protobuf mapping, null is absence.
                Some(_) => {}
                None if tolerated.contains(&key.as_str()) => {}
                None => self.report(UNKNOWN_KEY, format!("{path}.{key}")),
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
            (Kind::Enum(list), Json::Number(number)) => enum_number(&list, number).ok_or(ENUM_UNKNOWN),
            (Kind::Bytes, Json::String(text)) => {
                base64(text).map(|bytes| Value::Bytes(bytes.into())).ok_or(BAD_BASE64)
            }
            (Kind::String, Json::String(text)) => Ok(Value::String(text.clone())),
            (Kind::String, Json::Number(_)) if is_decimal(field) => Err(DECIMAL_AS_NUMBER),
            (Kind::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
            (kind, Json::Number(_)) => integer(&kind, value),
            // Many writers quote integers: those of 64 bits are not all exact as JSON numbers.
            (kind, Json::String(text)) => match serde_json::from_str(text) {
                Ok(number @ Json::Number(_)) => integer(&kind, &number),
                _ => integer(&kind, &Json::Null),
            },
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

/// 0 states nothing, and a number that the enum does not define is refused as its name would be.
fn enum_number(list: &EnumDescriptor, number: &serde_json::Number) -> Option<Value> {
    let number = number.as_i64().and_then(|number| i32::try_from(number).ok())?;
    (number != 0 && list.get_value(number).is_some()).then_some(Value::EnumNumber(number))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.iter().find_map(|alphabet| alphabet.decode(text).ok())
}

/// The lowerCamelCase spelling of a name.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        text + &initial.to_ascii_uppercase() + rest
    })
}

fn digest(text: &str) -> Result<Value, Wrong> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        let bytes = base64(text).filter(|bytes| bytes.len() == 32).ok_or(BAD_DIGEST)?;
        return Ok(Value::Bytes(bytes.into()));
    }
    let value = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
    let (pairs, _) = digits.as_chunks::<2>();
    Ok(Value::Bytes(pairs.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()))
}

fn is_decimal(field: &FieldDescriptor) -> bool {
    super::write::shape_of(field)
        .is_some_and(|shape| matches!(shape, crate::rules::Shape::Text { format: Format::Decimal, .. }))
}
