//! From a file to a submission.

use crate::backoffice::v1::Submission;
use crate::commands::json::{Flattened, JsonViolation, message_from_json};
use crate::crypto::Digest;
use crate::wire::assistance::v1::Body;
use crate::wire::assistance::v1::body::Content;
use serde_json::Value;

/// The official that a message names as the one who acts; `None` where it names nobody.
pub type SuggestedOfficial = Option<String>;

/// Hexadecimal digits of the file's digest in a `request_id`: 128 bits, so that no two files meet.
const REQUEST_ID_DIGITS: usize = 32;

/// A message whose envelope keys stand beside its content, as what is submitted. What says for which channel the
/// message is meant is passed on, so that the daemon refuses what is not for it. [`ignored`] keys are left out: the
/// daemon signs now, and a reply names a message, which no file can know.
///
/// # Errors
/// Every violation of the mapping.
pub fn submission_from_json(message: &Value) -> Result<(Submission, SuggestedOfficial), Vec<JsonViolation>> {
    let (flattened, body) = message_from_json(message)?;
    let (official, releasing_official) = officials(&flattened, &body);
    let submission = Submission {
        case: prefixed("cases/", &flattened.case_id),
        in_reply_to: String::new(),
        language: flattened.language,
        releasing_official,
        body: Some(body),
        agreement_id: flattened.agreement_id,
        sender: flattened.sender_party,
        recipient: flattened.recipient_party,
    };
    Ok((submission, official))
}

/// The envelope keys of a file that a submission does not take over.
pub fn ignored(message: &Value) -> Vec<&'static str> {
    [("signed_at", "signedAt"), ("in_reply_to", "inReplyTo")]
        .into_iter()
        .filter(|(key, camel)| {
            [key, camel].iter().any(|key| message.get(key).is_some_and(|value| !value.is_null()))
        })
        .map(|(key, _)| key)
        .collect()
}

/// The `request_id` of a file: the same bytes always get the same one, so that repeating a command is harmless.
pub fn request_id(file: &[u8]) -> String {
    Digest::of(file).to_string().chars().take(REQUEST_ID_DIGITS).collect()
}

/// A resource name, of a name or of its identifier alone.
pub fn prefixed(collection: &str, text: &str) -> String {
    if text.is_empty() || text.starts_with(collection) {
        text.to_owned()
    } else {
        format!("{collection}{text}")
    }
}

/// Who acts and who released the message, where its body says so.
fn officials(flattened: &Flattened, body: &Body) -> (SuggestedOfficial, String) {
    let (acting, releasing) = match &body.content {
        Some(Content::AssistanceRequest(request)) => match &request.authority {
            Some(authority) => {
                (authority.designated_official_id.clone(), authority.releasing_official_id.clone())
            }
            None => Default::default(),
        },
        Some(Content::OralRequestNote(note)) => {
            let noted_by_requesting = note.noted_by_party == note.requesting_party;
            let ours = flattened.sender_party.is_empty() || flattened.sender_party == note.noted_by_party;
            let acting = match (ours, noted_by_requesting) {
                (false, _) => String::new(),
                (true, true) => note.requesting_official_id.clone(),
                (true, false) => note.receiving_official_id.clone(),
            };
            (acting, String::new())
        }
        _ => Default::default(),
    };
    (Some(acting).filter(|official| !official.is_empty()), releasing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixtures() -> Vec<(String, Vec<u8>)> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut found: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn each_fixture_becomes_a_submission_that_the_door_accepts() {
        let found = fixtures();
        assert_eq!(found.len(), 7);
        for (name, bytes) in found {
            let document: Value = serde_json::from_slice(&bytes).unwrap();
            let (submission, official) = submission_from_json(&document).unwrap();
            assert_eq!(submission.sender, document["sender_party"], "{name}");
            let official = official.unwrap();
            assert!(official.starts_with(&submission.sender), "{name}: {official}");
            let request = crate::backoffice::v1::SubmitMessageRequest {
                request_id: request_id(&bytes),
                submission: Some(submission),
            };
            let encoded = prost::Message::encode_to_vec(&request);
            let full = <crate::backoffice::v1::SubmitMessageRequest as prost::Name>::full_name();
            let violations = crate::rules::check(&full, &encoded);
            assert_eq!(violations, [], "{name}");
            assert!(ignored(&document).contains(&"signed_at"), "{name}");
        }
    }

    #[test]
    fn the_official_of_an_oral_note_is_of_the_side_that_noted_it() {
        let (_, bytes) = fixtures().into_iter().find(|(name, _)| name.starts_with("03a")).unwrap();
        let mut note: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(submission_from_json(&note).unwrap().1.as_deref(), Some("KZ-DO-0009"));
        note["noted_by_party"] = "US".into();
        assert_eq!(submission_from_json(&note).unwrap().1, None);
        note["sender_party"] = "US".into();
        assert_eq!(submission_from_json(&note).unwrap().1.as_deref(), Some("US-DO-0011"));
    }

    #[test]
    fn repeating_a_file_repeats_its_request_id() {
        assert_eq!(request_id(b"a"), request_id(b"a"));
        assert_ne!(request_id(b"a"), request_id(b"b"));
        assert!(crate::rules::Format::Identifier.accepts(&request_id(b"")));
    }

    #[test]
    fn names_may_be_given_without_their_collection() {
        assert_eq!(prefixed("cases/", "x"), "cases/x");
        assert_eq!(prefixed("cases/", "cases/x"), "cases/x");
        assert_eq!(prefixed("cases/", ""), "");
    }
}
