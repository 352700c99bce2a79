//! From messages to JSON.

use super::enums;
use crate::rules::{self, Shape};
use crate::wire::assistance::v1::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;

/// Largest integer that every reader of JSON keeps exactly (RFC 8259 section 6).
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// The body as one object: its kind, then the fields that are set, so that reading it yields the body
/// again. `null` for a body without content.
pub fn to_json(body: &Body) -> Json {
    let Some(descriptor) = crate::wire::descriptors().get_message_by_name("article6.assistance.v1.Body")
    else {
        return Json::Null;
    };
    let mut dynamic = DynamicMessage::new(descriptor);
    if dynamic.transcode_from(body).is_err() {
        return Json::Null;
    }
    let mut keys = Map::new();
    let Some((field, Value::Message(content))) = dynamic.fields().next() else { return Json::Null };
    keys.insert("kind".to_owned(), Json::String(field.name().to_ascii_uppercase()));
    keys.extend(object(content));
    Json::Object(keys)
}

/// Any message of the protos as an object of the fields that are set. `None` for one the descriptors do not know.
pub fn message_to_json<M: prost::Message + prost::Name>(message: &M) -> Option<Map<String, Json>> {
    let descriptor = crate::wire::descriptors().get_message_by_name(&M::full_name())?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).ok()?;
    Some(object(&dynamic))
}

/// Whether the field holds a SHA-256 digest: bytes, and exactly 32 of them.
pub(super) fn is_digest(field: &FieldDescriptor) -> bool {
    matches!(shape_of(field), Some(Shape::Bytes { min: 32, max: 32 }))
}

/// The rules of one field.
pub(super) fn shape_of(field: &FieldDescriptor) -> Option<&'static Shape> {
    let rules = rules::rules_for(field.parent_message().full_name())?;
    rules.fields().iter().find(|candidate| candidate.number == field.number()).map(|found| &found.shape)
}

fn object(message: &DynamicMessage) -> Map<String, Json> {
    message.fields().map(|(field, value)| (field.name().to_owned(), json(&field, value))).collect()
}

fn json(field: &FieldDescriptor, value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::I32(number) => Json::from(*number),
        Value::U32(number) => Json::from(*number),
        Value::I64(number) => wide(number.unsigned_abs(), Json::from(*number)),
        Value::U64(number) => wide(*number, Json::from(*number)),
        Value::F32(number) => Json::from(*number),
        Value::F64(number) => Json::from(*number),
        Value::String(text) => Json::String(text.clone()),
        Value::Bytes(bytes) if is_digest(field) => Json::String(hexadecimal(bytes)),
        Value::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::EnumNumber(number) => match field.kind() {
            Kind::Enum(list) => enums::name(&list, *number).map_or_else(|| Json::from(*number), Json::String),
            _ => Json::from(*number),
        },
        Value::Message(message) => match message.transcode_to::<prost_types::Timestamp>() {
            Ok(instant) if message.descriptor().full_name() == "google.protobuf.Timestamp" => {
                Json::String(instant.to_string())
            }
            _ => Json::Object(object(message)),
        },
        Value::List(values) => values.iter().map(|value| json(field, value)).collect(),
        // No proto of this project has a map.
        Value::Map(_) => Json::Null,
    }
}

fn wide(magnitude: u64, number: Json) -> Json {
    if magnitude <= LARGEST_EXACT { number } else { Json::String(number.to_string()) }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
