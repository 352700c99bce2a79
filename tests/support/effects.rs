//! Effects of the messages that `tests/python/case_model.py` speaks of.

use article6::crypto::Digest;
use article6::treaty::Effect;
use article6::wire::assistance::v1::effect::Detail;
use article6::wire::assistance::v1::{
    ConditionKind, ConditionOffered, ConditionsEffect, ConditionsReplyEffect, ConsentKind, CostEffect,
    CostStage, CustodyEffect, CustodyEvent, ItemsEffect, Kind, ProgressEffect, ReplyKind, RequestEffect,
    ResponseEffect, ResponseType,
};
use serde_json::Value;

fn digest(name: &str, names: &mut Vec<String>) -> bytes::Bytes {
    names.push(name.to_owned());
    Digest::of(name.as_bytes()).to_bytes()
}

/// The effect of a message of the model. Names of items are added to `names`, since effects hold their digests.
pub fn effect(kind: &str, argument: &Value, requesting: &str, names: &mut Vec<String>) -> Effect {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = |value: &Value| u32::try_from(value.as_u64().expect("a version")).expect("small");
    let request = |confirms_oral| {
        let requesting_party = requesting.to_owned();
        Detail::Request(RequestEffect { confirms_oral, requesting_party, ..RequestEffect::default() })
    };
    let response = |kind: ResponseType| {
        Some(Detail::Response(ResponseEffect { r#type: kind.into(), ..ResponseEffect::default() }))
    };
    let reply = |kind: ReplyKind| {
        Some(Detail::ConditionsReply(ConditionsReplyEffect {
            version: version(argument),
            reply: kind.into(),
        }))
    };
    let (kind, detail) = match kind {
        "REQUEST" => (Kind::AssistanceRequest, Some(request(argument == "confirms"))),
        "ORAL" => (Kind::OralRequestNote, Some(request(false))),
        "CLARIFY" => (Kind::ClarificationRequest, None),
        "CLARIFY_REPLY" => (Kind::ClarificationReply, None),
        "ACCEPT" => (Kind::AcceptanceNotice, None),
        "FORWARD" => (Kind::ForwardingNotice, None),
        "CONDITIONS" => {
            let conditions = argument[1].as_array().expect("names").iter().map(|name| {
                names.push(text(name));
                ConditionOffered {
                    condition_id: text(name),
                    kind: ConditionKind::ReturnOrDestroy.into(),
                    until: String::new(),
                }
            });
            let mut conditions: Vec<_> = conditions.collect();
            conditions.push(ConditionOffered {
                condition_id: "other".into(),
                kind: ConditionKind::UseLimit.into(),
                until: String::new(),
            });
            let offer = ConditionsEffect { version: version(&argument[0]), conditions };
            (Kind::ConditionsNotice, Some(Detail::Conditions(offer)))
        }
        "COND_ACCEPT" => (Kind::ConditionsReply, reply(ReplyKind::Accept)),
        "COND_DECLINE" => (Kind::ConditionsReply, reply(ReplyKind::Decline)),
        "COND_COUNTER" => (Kind::ConditionsReply, reply(ReplyKind::Counter)),
        "ADVICE" => (Kind::ActionAdvice, None),
        "PROGRESS" => {
            let told = ProgressEffect {
                agency_notified_of_withdrawal: argument == "told",
                ..ProgressEffect::default()
            };
            (Kind::ProgressNotice, Some(Detail::Progress(told)))
        }
        "INTERIM" => (Kind::Response, response(ResponseType::Interim)),
        "FINAL" => (Kind::Response, response(ResponseType::Final)),
        "CORRECTION" => (Kind::Response, response(ResponseType::Correction)),
        "NONEXEC" => (Kind::NonExecutionNotice, None),
        "WITHDRAW" => (Kind::WithdrawalNotice, None),
        "CUSTODY" => {
            let event = CustodyEvent::from_str_name(&format!("CUSTODY_EVENT_{}", text(&argument[0])));
            let item = digest(&text(&argument[1]), names);
            let custody = CustodyEffect { item, event: event.expect("an event").into() };
            (Kind::CustodyNotice, Some(Detail::Custody(custody)))
        }
        "COST" => {
            let stage = CostStage::from_str_name(&format!("COST_STAGE_{}", text(argument)));
            (Kind::CostNotice, Some(Detail::Cost(CostEffect { stage: stage.expect("a stage").into() })))
        }
        "CONSENT_REQUEST" => {
            let asked = ItemsEffect { request_id: text(argument), ..ItemsEffect::default() };
            (Kind::OtherUseConsentRequest, Some(Detail::Items(asked)))
        }
        "CONSENT_DECISION" => {
            let decision = ConsentKind::from_str_name(&format!("CONSENT_KIND_{}", text(&argument[0])));
            let decided = ItemsEffect {
                request_id: text(&argument[1]),
                decision: decision.expect("a decision").into(),
                ..ItemsEffect::default()
            };
            (Kind::OtherUseConsentDecision, Some(Detail::Items(decided)))
        }
        "ITEM" => (Kind::Consultation, None),
        "OUTCOME" => (Kind::OutcomeReport, None),
        "CLOSE" => (Kind::CaseClose, None),
        other => panic!("{other} is no kind of the model"),
    };
    Effect { kind: kind.into(), detail, ..Effect::default() }
}
