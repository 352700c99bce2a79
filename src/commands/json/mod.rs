//! Bodies as JSON, for commands and tests: the protobuf mapping (protobuf.dev, "ProtoJSON Format") with
//! the proto's field names, enum values without their prefix (`OFFENCE`, not `GROUND_OFFENCE`) and
//! SHA-256 digests in hexadecimal.
//!
//! Reading also takes what other writers of the mapping write: lowerCamelCase names, full names and numbers of enum
//! values, quoted integers, base64 in either alphabet. It is strict all the same: an unknown key, a value of another
//! type or a float for a decimal is reported, all at once and each at its path. Bounds are not looked at; [`crate::rules`] does that on the result.

mod enums;
mod read;
mod write;

use crate::wire::assistance::v1::Body;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};
use serde_json::{Map, Value};

pub use read::MAX_VIOLATIONS;
pub use write::{message_to_json, to_json};

/// Keys that stand beside the content of a body but belong to the envelope around it.
pub const ENVELOPE_KEYS: [&str; 8] = [
    "kind",
    "agreement_id",
    "case_id",
    "sender_party",
    "recipient_party",
    "signed_at",
    "language",
    "in_reply_to",
];
/// A key of documents that only test data have: the bytes of the document as text.
pub const FIXTURE_CONTENT: &str = "fixture_content";

/// One thing in a JSON document that is not what the mapping asks for. Holds no value of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonViolation {
    /// Stable code.
    pub code: &'static str,
    /// Path of the value, as in [`crate::rules::Violation`].
    pub field: String,
    /// The code in words.
    pub description: &'static str,
}

/// What a JSON document says of the envelope; empty where it says nothing. Nothing here is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flattened {
    /// Kind of the message in short form: `ASSISTANCE_REQUEST`.
    pub kind: String,
    /// The agreement.
    pub agreement_id: String,
    /// The case, as a UUID.
    pub case_id: String,
    /// Country code of the sender.
    pub sender_party: String,
    /// Country code of the recipient.
    pub recipient_party: String,
    /// When the message was signed, RFC 3339.
    pub signed_at: String,
    /// Language of the texts, BCP 47.
    pub language: String,
    /// The message that this one answers.
    pub in_reply_to: String,
}

/// A message whose envelope keys stand beside its content, as the keys of one object.
///
/// # Errors
/// Every violation of the mapping, at most [`MAX_VIOLATIONS`].
pub fn message_from_json(message: &Value) -> Result<(Flattened, Body), Vec<JsonViolation>> {
    let Some(keys) = message.as_object() else { return Err(vec![read::wrong_type(String::new())]) };
    let flattened = read::flattened(keys)?;
    let body = body_from_json(&flattened.kind, keys)?;
    Ok((flattened, body))
}

/// The body of the given kind whose content has these keys; [`ENVELOPE_KEYS`] are passed over.
///
/// # Errors
/// Every violation of the mapping, at most [`MAX_VIOLATIONS`]; `KIND_UNKNOWN` for a kind that no body
/// carries.
pub fn body_from_json(kind: &str, keys: &Map<String, Value>) -> Result<Body, Vec<JsonViolation>> {
    let Some((body, content)) = content_field(kind) else {
        return Err(vec![read::unknown_kind()]);
    };
    let content_value = read::content(&content, keys)?;
    let mut message = DynamicMessage::new(body);
    message.set_field(&content, prost_reflect::Value::Message(content_value));
    message.transcode_to().map_err(|_| vec![read::wrong_type(String::new())])
}

/// `Body` and its member for `ASSISTANCE_REQUEST` and the like.
fn content_field(kind: &str) -> Option<(MessageDescriptor, FieldDescriptor)> {
    let body = crate::wire::descriptors().get_message_by_name("article6.assistance.v1.Body")?;
    let field = body.fields().find(|field| field.name().to_ascii_uppercase() == kind)?;
    Some((body, field))
}

#[cfg(test)]
mod tests;
