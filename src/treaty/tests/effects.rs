//! Effects: what the case needs, and nothing that names or describes.

use super::super::effect;
use super::super::examples::*;
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::*;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind as FieldKind, ReflectMessage as _, Value};

/// Stands in every text of a message that is not an identifier, a code or a date.
const CANARY: &str = "canary of the content";

fn of(content: Content) -> Effect {
    effect(&Body { content: Some(content) })
}

#[test]
fn an_effect_holds_no_text() {
    let holds = |bytes: Vec<u8>| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    let mut planted_in = 0;
    for content in all() {
        let body = Body { content: Some(content) };
        let descriptor =
            crate::wire::descriptors().get_message_by_name("article6.assistance.v1.Body").unwrap();
        let mut message = DynamicMessage::decode(descriptor, body.encode_to_vec().as_slice()).unwrap();
        plant(&mut message);
        let planted = Body::decode(message.encode_to_vec().as_slice()).unwrap();
        assert_eq!(super::super::kind_of(&planted), super::super::kind_of(&body));
        planted_in += usize::from(holds(planted.encode_to_vec()));
        assert!(!holds(effect(&planted).encode_to_vec()), "{planted:?}");
    }
    assert_eq!(planted_in, 23, "all kinds but the closing of a case");
}

/// Overwrites all free texts: those whose rule gives them no shape.
fn plant(message: &mut DynamicMessage) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    for field in fields {
        if field.is_list() {
            let mut list = message.get_field(&field).as_list().unwrap().to_vec();
            list.iter_mut().for_each(|value| plant_value(value, is_free_text(&field)));
            message.set_field(&field, Value::List(list));
        } else if message.has_field(&field) || is_free_text(&field) {
            let mut value = message.get_field(&field).into_owned();
            plant_value(&mut value, is_free_text(&field));
            message.set_field(&field, value);
        }
    }
}

fn plant_value(value: &mut Value, free: bool) {
    match value {
        Value::String(text) if free => CANARY.clone_into(text),
        Value::Message(inner) => plant(inner),
        _ => {}
    }
}

fn is_free_text(field: &prost_reflect::FieldDescriptor) -> bool {
    let rule = crate::wire::descriptors().get_extension_by_name("article6.rules.v1.rule").unwrap();
    let options = field.options();
    let rule = options.get_extension(&rule);
    let format = rule.as_message().and_then(|rule| rule.get_field_by_name("format")?.as_enum_number());
    field.kind() == FieldKind::String && format.unwrap_or(0) == 0
}

#[test]
fn a_request_tells_what_is_asked() {
    let mut message = request();
    message.confirms_oral = true;
    message.documents = vec![document("D1", DocForm::Copy)];
    message.handling = Some(Handling { confidential: true, ..Default::default() });
    let effect = of(Content::AssistanceRequest(message));
    assert_eq!((effect.documents, effect.confidential), (1, true));
    let Some(Detail::Request(detail)) = effect.detail else { panic!("{effect:?}") };
    assert!(detail.confirms_oral);
    assert_eq!(detail.measures[0].measure_id, "M1");
    assert_eq!(detail.measures[0].kind(), MeasureKind::ProvideDocuments);
}

#[test]
fn an_oral_note_tells_who_requests() {
    let Some(Detail::Request(detail)) = of(Content::OralRequestNote(oral_note())).detail else { panic!() };
    assert_eq!(detail.requesting_party, "US");
}

#[test]
fn conditions_tell_their_kinds() {
    let Some(Detail::Conditions(detail)) = of(Content::ConditionsNotice(conditions())).detail else {
        panic!()
    };
    assert_eq!((detail.version, detail.conditions[0].kind()), (1, ConditionKind::NoEvidenceUse));
}

#[test]
fn a_response_tells_what_it_disposes_of() {
    let Some(Detail::Response(detail)) = of(Content::Response(response())).detail else { panic!() };
    assert_eq!(detail.r#type(), ResponseType::Final);
    assert_eq!(detail.results[0].outcome(), MeasureOutcome::Executed);
}

#[test]
fn an_item_is_known_by_its_digest() {
    let sent = of(Content::CustodyNotice(custody(CustodyEvent::Sent))).detail;
    let back = of(Content::CustodyNotice(custody(CustodyEvent::ReturnReceived))).detail;
    let (Some(Detail::Custody(sent)), Some(Detail::Custody(back))) = (sent, back) else { panic!() };
    assert_eq!(sent.item, back.item);
    assert_eq!(sent.item.len(), 32);
}

#[test]
fn a_body_without_content_has_the_empty_effect() {
    assert_eq!(effect(&Body::default()), Effect::default());
}
