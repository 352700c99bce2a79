//! The checker against encoded messages, good, bad and arbitrary.

use super::*;
use crate::wire::channel::v1::{DocumentCommitment, Envelope};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::Timestamp;

const ENVELOPE: &str = "article6.channel.v1.Envelope";

fn envelope() -> Envelope {
    Envelope {
        statement: "article6/envelope/1".to_owned(),
        environment: 2,
        agreement_id: "US-KZ-1997".to_owned(),
        epoch: 1,
        sender: "KZ".to_owned(),
        recipient: "US".to_owned(),
        signing_key_id: vec![1; 32].into(),
        sequence: 7,
        previous_digest: vec![0; 32].into(),
        statement_type: 1,
        message_id: vec![3; 16].into(),
        case_id: vec![4; 16].into(),
        kind: 1,
        signed_at: Some(Timestamp { seconds: 1_776_000_000, nanos: 5 }),
        language: "en".to_owned(),
        body_commitment: vec![5; 32].into(),
        documents: vec![DocumentCommitment { length: 3, root: vec![6; 32].into() }; 3],
        ..Envelope::default()
    }
}

/// Code and path of all violations.
fn found(bytes: &[u8]) -> Vec<(&'static str, String)> {
    check(ENVELOPE, bytes).into_iter().map(|violation| (violation.code, violation.field)).collect()
}

fn changed(change: impl FnOnce(&mut Envelope)) -> Vec<(&'static str, String)> {
    let mut envelope = envelope();
    change(&mut envelope);
    found(&envelope.encode_to_vec())
}

fn one(code: &'static str, field: &str) -> Vec<(&'static str, String)> {
    vec![(code, field.to_owned())]
}

#[test]
fn a_good_message_complies() {
    assert_eq!(changed(|_| ()), []);
}

#[test]
fn each_bound_is_reported_at_its_path() {
    assert_eq!(changed(|e| e.statement.clear()), one("REQUIRED", "statement"));
    assert_eq!(changed(|e| e.statement = "x".repeat(41)), one("TEXT_TOO_LONG", "statement"));
    assert_eq!(changed(|e| e.statement = "a\u{7}".to_owned()), one("CONTROL_CHARACTER", "statement"));
    assert_eq!(changed(|e| e.statement = "e\u{301}".to_owned()), one("NOT_NFC", "statement"));
    assert_eq!(changed(|e| e.environment = 0), one("REQUIRED", "environment"));
    assert_eq!(changed(|e| e.environment = 3), one("ENUM_UNKNOWN", "environment"));
    assert_eq!(changed(|e| e.environment = -1), one("ENUM_UNKNOWN", "environment"));
    assert_eq!(changed(|e| e.sender = "kz".to_owned()), one("BAD_FORMAT_COUNTRY", "sender"));
    assert_eq!(changed(|e| e.sequence = 0), one("REQUIRED", "sequence"));
    assert_eq!(changed(|e| e.case_id = vec![1; 15].into()), one("BYTES_TOO_SHORT", "case_id"));
    assert_eq!(changed(|e| e.in_reply_to = vec![1; 17].into()), one("BYTES_TOO_LONG", "in_reply_to"));
    assert_eq!(changed(|e| e.signed_at = None), one("REQUIRED", "signed_at"));
    assert_eq!(
        changed(|e| e.signed_at = Some(Timestamp { seconds: 253_402_300_800, nanos: 0 })),
        one("OUT_OF_RANGE", "signed_at.seconds")
    );
    assert_eq!(
        changed(|e| e.signed_at = Some(Timestamp { seconds: 0, nanos: -1 })),
        one("OUT_OF_RANGE", "signed_at.nanos")
    );
    assert_eq!(changed(|e| e.documents[2].length = 536_870_913), one("OUT_OF_RANGE", "documents[2].length"));
    assert_eq!(changed(|e| e.documents = vec![e.documents[0].clone(); 101]), one("TOO_MANY", "documents"));
}

#[test]
fn what_a_decoder_would_drop_is_reported() {
    let with = |tail: &[u8]| found(&[envelope().encode_to_vec().as_slice(), tail].concat());
    assert_eq!(with(&[0xf8, 0x07, 1]), one("UNKNOWN_FIELD", "127"));
    assert_eq!(with(&[0x20, 1]), one("DUPLICATE_FIELD", "epoch"));
    assert_eq!(
        with(&[0x0a, 1, 0xff]),
        [("INVALID_UTF8", "statement".to_owned()), ("DUPLICATE_FIELD", "statement".to_owned())]
    );
    assert_eq!(with(&[0x0a, 9, b'x']), one("MALFORMED", ""));
    assert_eq!(with(&[0x08, 1]), one("MALFORMED", ""), "another wire type than the field has");
    assert_eq!(with(&[0xc2, 0x01, 1, 0x08]), one("MALFORMED", "documents[3]"));
    let wide = [0x50, 0xff, 0xff, 0xff, 0xff, 0x1f];
    assert_eq!(with(&wide), one("OUT_OF_RANGE", "peer_epoch"), "wider than 32 bits");
}

#[test]
fn a_oneof_has_at_most_one_member() {
    let event = "article6.ledger.v1.Event";
    let rules = rules_for(event).unwrap();
    assert!(rules.choices.iter().any(|choice| choice.name == "fact" && choice.members.len() > 1));
    let members: Vec<u8> = rules.choices[0].members[..2]
        .iter()
        .flat_map(|at| {
            let mut key = Vec::new();
            prost::encoding::encode_key(
                rules.fields[*at].number,
                prost::encoding::WireType::LengthDelimited,
                &mut key,
            );
            key.push(0);
            key
        })
        .collect();
    assert!(check(event, &members).iter().any(|v| v.code == "DUPLICATE_FIELD" && v.field == "fact"));
}

#[test]
fn reports_are_capped() {
    assert_eq!(found(&[0xf8, 0x07, 1].repeat(1000)).len(), MAX_VIOLATIONS);
}

#[test]
fn an_unknown_message_complies_with_nothing() {
    assert_eq!(check("article6.none.v1.None", &[])[0].code, "MALFORMED");
    assert!(rules_for("google.protobuf.FileDescriptorProto").is_none());
}

#[test]
fn the_articles_come_from_the_comments() {
    let violations =
        check(ENVELOPE, &Envelope { acting_official: "a b".to_owned(), ..envelope() }.encode_to_vec());
    assert_eq!((violations[0].code, violations[0].article), ("BAD_FORMAT_IDENTIFIER", "6.1"));
}

#[test]
fn the_table_holds_every_field_of_every_message() {
    for message in crate::wire::descriptors().all_messages() {
        let Some(rules) = rules_for(message.full_name()) else {
            assert_eq!(message.parent_file().name(), "google/protobuf/descriptor.proto");
            continue;
        };
        assert_eq!(rules.fields.len(), message.fields().len(), "{}", message.full_name());
        for field in &rules.fields {
            assert_eq!(rules.field(field.number).unwrap().1.name, field.name);
            match field.shape {
                Shape::Message(_) => {
                    assert!(rules.message_in(field).is_some(), "{}.{}", rules.name, field.name)
                }
                Shape::Float { .. } => panic!("{}.{} is a float", rules.name, field.name),
                _ => {}
            }
        }
    }
}

#[test]
fn everything_of_the_agreement_is_bounded() {
    // What a side derives for itself never crosses and needs no bounds.
    let derived = |name: &str| {
        let message = crate::wire::descriptors().get_message_by_name(name).unwrap();
        message.parent_file().name() == "article6/assistance/v1/effect.proto"
    };
    let bounded = |name: &str| name.starts_with("article6.assistance.") && !derived(name);
    for rules in table::table().messages.iter().filter(|rules| bounded(&rules.name)) {
        for field in &rules.fields {
            let name = format!("{}.{}", rules.name, field.name);
            assert!(!field.repeated || field.max_items < 1000, "{name}: any number of elements");
            match field.shape {
                Shape::Text {
                    max: u32::MAX, format: Format::Text | Format::Digits | Format::Code, ..
                } => {
                    panic!("{name}: text of any length")
                }
                Shape::Text { max: u32::MAX, format: Format::MediaType, .. } => {}
                Shape::Bytes { max: u32::MAX, .. } => panic!("{name}: bytes of any length"),
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for rules in &table::table().messages {
            prop_assert!(rules.check(&bytes).len() <= MAX_VIOLATIONS);
        }
    }

    #[test]
    fn mutations_are_judged(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = envelope().encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // What complies decodes.
        if check(ENVELOPE, &bytes).is_empty() {
            prop_assert!(Envelope::decode(bytes.as_slice()).is_ok());
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(check(ENVELOPE, &bytes).len() <= MAX_VIOLATIONS);
    }
}
