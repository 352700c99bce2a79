//! The mapping on small documents; the fixtures of whole requests are in `tests/fixtures.rs`.

use super::*;
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{DesignationNotice, OralRequestNote};
use serde_json::json;

fn read(kind: &str, keys: Value) -> Result<Body, Vec<(&'static str, String)>> {
    body_from_json(kind, keys.as_object().unwrap())
        .map_err(|found| found.into_iter().map(|violation| (violation.code, violation.field)).collect())
}

fn refused(kind: &str, keys: Value, code: &'static str, field: &str) {
    assert_eq!(read(kind, keys.clone()), Err(vec![(code, field.to_owned())]), "{keys}");
}

#[test]
fn values_are_read_by_their_field() {
    let body = read(
        "ORAL_REQUEST_NOTE",
        json!({"kind": "ORAL_REQUEST_NOTE", "made_at": "2026-05-09T21:40:00Z", "medium": "VIDEO",
               "accepted_orally": true, "exigency": null, "handling": {"caveats": ["CAVEAT_SOURCE_PROTECTION"]}}),
    );
    let Ok(Body { content: Some(Content::OralRequestNote(note)) }) = body else { panic!("{body:?}") };
    assert_eq!(note.made_at, Some(prost_types::Timestamp { seconds: 1_778_362_800, nanos: 0 }));
    assert_eq!((note.medium, note.accepted_orally), (2, true));
    assert_eq!(note.handling.unwrap().caveats, [3]);
}

#[test]
fn what_does_not_fit_is_reported_at_its_path() {
    let note = |key: &str, value: Value, code, field: &str| {
        refused("ORAL_REQUEST_NOTE", json!({key: value}), code, &format!("oral_request_note.{field}"));
    };
    note("summry", json!("x"), "UNKNOWN_KEY", "summry");
    note("fixture_content", json!("x"), "UNKNOWN_KEY", "fixture_content");
    note("summary", json!(1), "WRONG_TYPE", "summary");
    note("accepted_orally", json!("true"), "WRONG_TYPE", "accepted_orally");
    note("medium", json!("TELEPATHY"), "ENUM_UNKNOWN", "medium");
    note("medium", json!("UNSPECIFIED"), "ENUM_UNKNOWN", "medium");
    note("medium", json!(0), "ENUM_UNKNOWN", "medium");
    note("medium", json!(99), "ENUM_UNKNOWN", "medium");
    note("medium", json!(1.5), "ENUM_UNKNOWN", "medium");
    note("made_at", json!("2026-05-09"), "BAD_TIMESTAMP", "made_at");
    note("made_at", json!({"seconds": 1}), "WRONG_TYPE", "made_at");
    note("measures", json!({}), "WRONG_TYPE", "measures");
    note("measures", json!([{}, {"participants": 1.5}]), "NOT_AN_INTEGER", "measures[1].participants");
    note("measures", json!([null]), "WRONG_TYPE", "measures[0]");
    refused(
        "ASSISTANCE_REQUEST",
        json!({"goods": [{"quantity": 12.5}]}),
        "DECIMAL_AS_NUMBER",
        "assistance_request.goods[0].quantity",
    );
    for quoted in ["1.5", "x", "", "-1"] {
        note("measures", json!([{"participants": quoted}]), "NOT_AN_INTEGER", "measures[0].participants");
    }
    refused(
        "ORAL_REQUEST_NOTE",
        json!({"made_at": "2026-05-09T21:40:00Z", "madeAt": "2026-05-09T21:40:00Z"}),
        "KEY_REPEATED",
        "oral_request_note.made_at",
    );
    for digest in ["ab".repeat(31), "AB".repeat(32), "xy".repeat(32)] {
        refused(
            "CASE_CLOSE",
            json!({"last_envelope_seen": digest}),
            "BAD_DIGEST",
            "case_close.last_envelope_seen",
        );
    }
    refused("LETTER", json!({}), "KIND_UNKNOWN", "kind");
    assert_eq!(message_from_json(&json!([])).unwrap_err()[0].code, "WRONG_TYPE");
    assert_eq!(message_from_json(&json!({"kind": 1})).unwrap_err()[0].field, "kind");
    assert_eq!(
        read("CASE_CLOSE", (0..99).map(|n| (n.to_string(), json!(n))).collect()).unwrap_err().len(),
        64
    );
}

/// What a generic writer of the protobuf mapping makes of a message is the same message.
#[test]
fn other_spellings_of_the_mapping_are_read() {
    let digest = [0xfb; 32];
    let ours = json!({"kind": "RESPONSE", "agreement_id": "US-KZ-1997", "case_id": "c", "requested_ref": "r",
        "type": "CORRECTION", "corrects": "fb".repeat(32),
        "goods": [{"line": 7, "packages": 12, "description": "d"}]});
    let theirs = json!({"kind": "RESPONSE", "agreementId": "US-KZ-1997", "caseId": "c", "requestedRef": "r",
        "type": 3, "corrects": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest),
        "goods": [{"line": "7", "packages": "12", "description": "d"}]});
    assert_eq!(message_from_json(&theirs), message_from_json(&ours));
    let mut url = theirs.clone();
    url["corrects"] =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest).into();
    assert_eq!(message_from_json(&url), message_from_json(&ours));
    let both = json!({"kind": "CASE_CLOSE", "case_id": "c", "caseId": "c"});
    assert_eq!(message_from_json(&both).unwrap_err()[0].code, "KEY_REPEATED");
}

#[test]
fn envelope_keys_name_no_field_of_any_content() {
    let body = crate::wire::descriptors().get_message_by_name("article6.assistance.v1.Body").unwrap();
    for member in body.fields() {
        let prost_reflect::Kind::Message(content) = member.kind() else { panic!("{}", member.name()) };
        for key in ENVELOPE_KEYS {
            assert!(content.get_field_by_name(key).is_none(), "{}.{key}", member.name());
        }
    }
}

#[test]
fn bodies_are_written_as_they_are_read() {
    let bodies = [
        Content::DesignationNotice(DesignationNotice { list_version: u64::MAX, ..Default::default() }),
        Content::OralRequestNote(OralRequestNote {
            made_at: Some(prost_types::Timestamp { seconds: -1, nanos: 5 }),
            ..Default::default()
        }),
    ];
    for content in bodies {
        let body = Body { content: Some(content) };
        assert_eq!(message_from_json(&to_json(&body)).unwrap().1, body);
    }
    assert_eq!(to_json(&Body::default()), Value::Null);
}
