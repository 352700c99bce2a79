//! Whole requests, as officials of both services would write them: each is accepted, and each stops being
//! accepted as soon as one bound of one field is broken. The bounds come from the rules, so a new bound is
//! tried here without a new test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use article6::commands::json::{ENVELOPE_KEYS, FIXTURE_CONTENT, message_from_json, to_json};
use article6::rules::{self, Field, Format, MessageRules, Shape};
use article6::treaty;
use article6::wire::assistance::v1::Body;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Map, Value, json};

const BODY: &str = "article6.assistance.v1.Body";
const FIXTURES: [(&str, &str); 7] = [
    ("01", include_str!("fixtures/01_undervaluation.json")),
    ("02", include_str!("fixtures/02_origin_verification.json")),
    ("03a", include_str!("fixtures/03a_narcotics_oral_note.json")),
    ("03b", include_str!("fixtures/03b_narcotics_written_confirmation.json")),
    ("04", include_str!("fixtures/04_classification_valuation_information.json")),
    ("05", include_str!("fixtures/05_stolen_vehicle.json")),
    ("06", include_str!("fixtures/06_technical_cooperation.json")),
];

#[test]
fn each_fixture_complies_and_survives_the_mapping() {
    for (name, document) in fixtures() {
        assert_eq!(judge(&document), [], "{name}");
        let (flattened, body) = message_from_json(&document).unwrap();
        assert_eq!(flattened.agreement_id, "US-KZ-1997", "{name}");
        let (kind, judged) = treaty::check_body(&body.encode_to_vec()).unwrap();
        assert_eq!(kind.as_str_name(), format!("KIND_{}", flattened.kind), "{name}");
        assert_eq!(judged, body, "{name}");
        let written = to_json(&body);
        assert_eq!(message_from_json(&written).unwrap().1, body, "{name}");
        assert_eq!(without_defaults(&written), without_defaults(&content_alone(document)), "{name}");
    }
}

#[test]
fn each_required_field_is_missed_by_its_name() {
    let mut tried = 0;
    each_field(&mut |document, pointer, path, field| {
        if field.required {
            tried += 1;
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let mut changed = document.clone();
            changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
            assert_found(&changed, "REQUIRED", path);
            // The agreement may have a code of its own for what is missing, but at the same path.
            let body = message_from_json(&changed).unwrap().1.encode_to_vec();
            let found = treaty::check_body(&body).unwrap_err();
            assert!(found.iter().any(|violation| violation.field == path), "{path}, but found {found:?}");
        }
    });
    assert!(tried > 250, "{tried}");
}

#[test]
fn what_article_5_2_asks_for_has_codes_of_its_own() {
    let (_, document) = fixtures().next().unwrap();
    for (key, code, article) in [
        ("authority", "AUTHORITY_REQUIRED", "5.2(a)"),
        ("proceedings", "NATURE_REQUIRED", "5.2(b)"),
        ("object", "OBJECT_REQUIRED", "5.2(c)"),
        ("reason", "REASON_REQUIRED", "5.2(c)"),
        ("parties", "PARTIES_REQUIRED", "5.2(d)"),
        ("description", "DESCRIPTION_REQUIRED", "5.2(e)"),
        ("legal_elements", "LEGAL_ELEMENTS_REQUIRED", "5.2(e)"),
        ("ground", "GROUND_REQUIRED", "2"),
        ("flow", "FLOW_REQUIRED", "1.1"),
        ("offences", "OFFENCE_REQUIRED", "1.3"),
        ("measures", "MEASURES_REQUIRED", "7"),
    ] {
        let mut changed = document.clone();
        changed.as_object_mut().unwrap().remove(key).unwrap();
        let bytes = message_from_json(&changed).unwrap().1.encode_to_vec();
        let found = treaty::check_body(&bytes).unwrap_err();
        assert_eq!((found[0].code, found[0].article, found.len()), (code, article, 1), "{found:?}");
    }
}

#[test]
fn each_bound_is_noticed_at_its_path() {
    let mut tried = 0;
    each_field(&mut |document, pointer, path, field| {
        for (value, code, at) in breaches(field, document.pointer(pointer).unwrap(), path) {
            tried += 1;
            let mut changed = document.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert_found(&changed, code, &at);
        }
    });
    assert!(tried > 1000, "{tried}");
}

#[test]
fn keys_and_types_that_do_not_belong_are_refused() {
    each_field(&mut |document, pointer, path, field| {
        let mut changed = document.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let renamed = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        let value = renamed.remove(key).unwrap();
        renamed.insert(format!("{key}_"), value);
        assert_found(&changed, "UNKNOWN_KEY", &format!("{path}_"));
        if matches!(field.shape, Shape::Text { format: Format::Decimal, .. }) {
            let mut changed = document.clone();
            *changed.pointer_mut(pointer).unwrap() = json!(41200.5);
            assert_found(&changed, "DECIMAL_AS_NUMBER", path);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_complies_decodes_and_survives_the_mapping(
        fixture in 0..FIXTURES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let document: Value = serde_json::from_str(FIXTURES[fixture].1).unwrap();
        let mut bytes = message_from_json(&document).unwrap().1.encode_to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if rules::check(BODY, &bytes).is_empty() {
            let body = Body::decode(bytes.as_slice()).unwrap();
            prop_assert_eq!(message_from_json(&to_json(&body)).unwrap().1, body);
        }
    }
}

/// Values that break one bound of the field each, with the code and path that must be reported.
fn breaches(field: &Field, value: &Value, path: &str) -> Vec<(Value, &'static str, String)> {
    let mut breaches = Vec::new();
    if let Some(first) = value.as_array().and_then(|elements| elements.first()) {
        if field.max_items < 1000 {
            let many = usize::try_from(field.max_items).unwrap() + 1;
            breaches.push((json!(vec![first; many]), "TOO_MANY", path.to_owned()));
        }
        if field.min_items > 0 {
            breaches.push((json!([]), "TOO_FEW", path.to_owned()));
        }
    }
    let mut one = |broken: Value, code| {
        if field.repeated {
            breaches.push((json!([broken]), code, format!("{path}[0]")));
        } else {
            breaches.push((broken, code, path.to_owned()));
        }
    };
    match field.shape {
        Shape::Text { min, max, format } => {
            let least = usize::try_from(min.max(1)).unwrap();
            one(json!("\u{7}".repeat(least)), "CONTROL_CHARACTER");
            if max < u32::MAX {
                one(json!("1".repeat(usize::try_from(max).unwrap() + 1)), "TEXT_TOO_LONG");
            }
            if min > 1 {
                one(json!("1"), "TEXT_TOO_SHORT");
            }
            if format != Format::Text {
                one(json!("é".repeat(least)), format.code());
            }
        }
        Shape::Number { min, max, .. } if max < i128::from(u32::MAX) && !value.is_boolean() => {
            one(json!(u64::try_from(max).unwrap() + 1), "OUT_OF_RANGE");
            if min > 0 {
                one(json!(0), "REQUIRED");
            }
        }
        Shape::Enum(_) => one(json!("NO_SUCH_VALUE"), "ENUM_UNKNOWN"),
        Shape::Bytes { .. } => one(json!("00"), "BAD_DIGEST"),
        _ => {}
    }
    breaches
}

/// What is wrong with a document: code and path, from the mapping or, if that succeeds, from the rules.
fn judge(document: &Value) -> Vec<(&'static str, String)> {
    match message_from_json(document) {
        Err(found) => found.into_iter().map(|violation| (violation.code, violation.field)).collect(),
        Ok((_, body)) => {
            let found = rules::check(BODY, &body.encode_to_vec());
            found.into_iter().map(|violation| (violation.code, violation.field)).collect()
        }
    }
}

fn assert_found(document: &Value, code: &str, path: &str) {
    let found = judge(document);
    assert!(found.iter().any(|(c, p)| *c == code && p == path), "{code} at {path}, but found {found:?}");
}

fn fixtures() -> impl Iterator<Item = (&'static str, Value)> {
    FIXTURES.into_iter().map(|(name, text)| (name, serde_json::from_str(text).unwrap()))
}

/// Calls `visit` for every field that a fixture sets, with the document, the field's JSON pointer, its path
/// and its rules.
fn each_field(visit: &mut dyn FnMut(&Value, &str, &str, &Field)) {
    for (_, document) in fixtures() {
        let content = document["kind"].as_str().unwrap().to_ascii_lowercase();
        let body = rules::rules_for(BODY).unwrap();
        let field = body.fields().iter().find(|field| field.name == content).unwrap();
        within(body.message_in(field).unwrap(), &document, "", &content, visit);
    }
}

fn within(
    rules: &'static MessageRules,
    document: &Value,
    pointer: &str,
    path: &str,
    visit: &mut dyn FnMut(&Value, &str, &str, &Field),
) {
    for (key, value) in document.pointer(pointer).unwrap().as_object().unwrap() {
        let Some(field) = rules.fields().iter().find(|field| field.name == *key) else { continue };
        let (pointer, path) = (format!("{pointer}/{key}"), format!("{path}.{key}"));
        visit(document, &pointer, &path, field);
        match (rules.message_in(field), value) {
            (Some(inner), Value::Object(_)) => within(inner, document, &pointer, &path, visit),
            (Some(inner), Value::Array(elements)) => {
                for at in 0..elements.len() {
                    within(inner, document, &format!("{pointer}/{at}"), &format!("{path}[{at}]"), visit);
                }
            }
            _ => {}
        }
    }
}

/// The document without what belongs to the envelope.
fn content_alone(mut document: Value) -> Value {
    document
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "kind" || !ENVELOPE_KEYS.contains(&key.as_str()));
    document
}

/// The document without what says nothing: protobuf does not tell it from absence.
fn without_defaults(value: &Value) -> Value {
    match value {
        Value::Object(keys) => {
            let kept = keys.iter().filter(|(key, value)| {
                let says_nothing = matches!(value, Value::Bool(false) | Value::Null)
                    || value.as_str() == Some("")
                    || value.as_array().is_some_and(Vec::is_empty);
                !says_nothing && *key != FIXTURE_CONTENT
            });
            Value::Object(
                kept.map(|(key, value)| (key.clone(), without_defaults(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(elements) => elements.iter().map(without_defaults).collect(),
        other => other.clone(),
    }
}
