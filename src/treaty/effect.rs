//! What a message does to the state of its case, without names and text.

use super::body::{documents, handling, kind_of};
use crate::crypto::Digest;
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{
    Accord, AccordEffect, AdviceEffect, AssistanceRequest, Body, ConditionOffered, ConditionsEffect,
    ConditionsNotice, ConditionsReplyEffect, CostEffect, CustodyEffect, DesignationEffect, DesignationNotice,
    DocForm, Effect, ForwardingEffect, ItemsEffect, Measure, MeasureAsked, MeasureDisposed, Official,
    OfficialDesignated, OralRequestNote, ProcedureDisposed, ProcedureDisposition, ProgressEffect,
    RequestEffect, Response, ResponseEffect, Settings, SettingsEffect, UrgencyLevel,
};

/// The effect of a body on its case. Total: a deficient body has an effect too, since it is stored; what it
/// leaves out stays at its default. A body without content has the empty effect.
pub fn effect(body: &Body) -> Effect {
    let Some(content) = &body.content else { return Effect::default() };
    Effect {
        kind: kind_of(body).map_or(0, i32::from),
        documents: count(documents(body).len()),
        documents_to_follow: count(to_follow(content)),
        confidential: handling(content).is_some_and(|handling| handling.confidential),
        detail: detail(content),
    }
}

fn to_follow(content: &Content) -> usize {
    match content {
        Content::AssistanceRequest(it) => it.documents_to_follow.len(),
        Content::ClarificationReply(it) => {
            it.supplement.as_ref().map_or(0, |it| it.documents_to_follow.len())
        }
        _ => 0,
    }
}

fn detail(content: &Content) -> Option<Detail> {
    Some(match content {
        Content::AssistanceRequest(it) => Detail::Request(request(it)),
        Content::OralRequestNote(it) => Detail::Request(oral_note(it)),
        Content::ClarificationReply(it) => Detail::Request(request(it.supplement.as_ref()?)),
        Content::ForwardingNotice(it) => {
            Detail::Forwarding(ForwardingEffect { measure_ids: it.measure_ids.clone() })
        }
        Content::ConditionsNotice(it) => Detail::Conditions(conditions(it)),
        Content::ConditionsReply(it) => {
            Detail::ConditionsReply(ConditionsReplyEffect { version: it.version, reply: it.reply })
        }
        Content::ActionAdvice(it) => Detail::Advice(AdviceEffect {
            measure_id: it.measure_id.clone(),
            after_the_fact: it.after_the_fact,
        }),
        Content::ProgressNotice(it) => Detail::Progress(ProgressEffect {
            procedures: disposed(&it.procedures),
            agency_notified_of_withdrawal: it.agency_notified_of_withdrawal,
            measures_sought: count(it.sought.len()),
        }),
        Content::Response(it) => Detail::Response(response(it)),
        Content::CustodyNotice(it) => Detail::Custody(CustodyEffect {
            item: Digest::of(it.item_id.as_bytes()).as_bytes().to_vec().into(),
            event: it.event,
        }),
        Content::CostNotice(it) => Detail::Cost(CostEffect { stage: it.stage }),
        Content::OtherUseConsentRequest(it) => Detail::Items(ItemsEffect {
            request_id: it.request_id.clone(),
            item_ids: it.item_ids.clone(),
            ..ItemsEffect::default()
        }),
        Content::OtherUseConsentDecision(it) => Detail::Items(ItemsEffect {
            request_id: it.request_id.clone(),
            item_ids: it.item_ids.clone(),
            decision: it.decision,
            valid_until: it.valid_until.clone(),
            ..ItemsEffect::default()
        }),
        Content::ConfidentialityNotice(it) => Detail::Items(ItemsEffect {
            item_ids: it.item_ids.clone(),
            confidential: it.confidential,
            ..ItemsEffect::default()
        }),
        Content::Accord(it) => Detail::Accord(accord(it)),
        Content::DesignationNotice(it) => Detail::Designation(designation(it)),
        Content::OutcomeReport(it) => Detail::Outcome(it.outcome),
        Content::CaseClose(it) => Detail::LastEnvelopeSeen(it.last_envelope_seen.clone()),
        Content::ClarificationRequest(_)
        | Content::AcceptanceNotice(_)
        | Content::NonExecutionNotice(_)
        | Content::WithdrawalNotice(_)
        | Content::Consultation(_)
        | Content::SpontaneousInformation(_) => return None,
    })
}

fn request(it: &AssistanceRequest) -> RequestEffect {
    RequestEffect {
        confirms_oral: it.confirms_oral,
        advise_time_and_place: it.advise_time_and_place,
        measures: asked(&it.measures),
        procedure_ids: it.procedures.iter().map(|it| it.procedure_id.clone()).collect(),
        urgent: it.urgency.as_ref().is_some_and(|urgency| urgency.level() == UrgencyLevel::Urgent),
        ..RequestEffect::default()
    }
}

fn oral_note(it: &OralRequestNote) -> RequestEffect {
    RequestEffect {
        requesting_party: it.requesting_party.clone(),
        accepted_orally: it.accepted_orally,
        measures: asked(&it.measures),
        ..RequestEffect::default()
    }
}

fn asked(measures: &[Measure]) -> Vec<MeasureAsked> {
    measures
        .iter()
        .map(|it| MeasureAsked {
            measure_id: it.measure_id.clone(),
            kind: it.kind,
            document_form: it.document_form,
        })
        .collect()
}

fn conditions(it: &ConditionsNotice) -> ConditionsEffect {
    let conditions = it
        .conditions
        .iter()
        .map(|it| ConditionOffered {
            condition_id: it.condition_id.clone(),
            kind: it.kind,
            until: it.until.clone(),
        })
        .collect();
    ConditionsEffect { version: it.version, conditions }
}

fn response(it: &Response) -> ResponseEffect {
    let results = it
        .results
        .iter()
        .map(|it| MeasureDisposed { measure_id: it.measure_id.clone(), outcome: it.outcome })
        .collect();
    ResponseEffect {
        r#type: it.r#type,
        results,
        procedures: disposed(&it.procedures),
        conditions_applied: it.conditions_applied.clone(),
        corrects: it.corrects.clone(),
        authenticated_copy: it.documents.iter().any(|it| it.form() == DocForm::AuthenticatedCopy),
    }
}

fn disposed(list: &[ProcedureDisposition]) -> Vec<ProcedureDisposed> {
    list.iter()
        .map(|it| ProcedureDisposed { procedure_id: it.procedure_id.clone(), outcome: it.outcome })
        .collect()
}

fn accord(it: &Accord) -> AccordEffect {
    AccordEffect {
        r#type: it.r#type,
        number: it.number,
        supersedes: it.supersedes,
        digest: it.digest.clone(),
        signatures: count(it.signatures.len()),
        effective_on: it.effective_on.clone(),
        settings: it.settings.as_ref().map(settings),
        signature_digests: it.signatures.iter().map(|it| Digest::of(&it.signature).to_bytes()).collect(),
    }
}

/// The reference itself is text, and stays with the body.
fn settings(it: &Settings) -> SettingsEffect {
    SettingsEffect {
        languages: it.languages.clone(),
        written_form_agreed: !it.written_form_ref.is_empty(),
        delivered_moment: it.delivered_moment,
        spontaneous_information_enabled: it.spontaneous_information_enabled,
        alert_targets: it.alert_targets,
        wind_down_completion: it.wind_down_completion,
    }
}

fn designation(it: &DesignationNotice) -> DesignationEffect {
    let designated = |it: &Official| OfficialDesignated {
        id: it.id.clone(),
        valid_from: it.valid_from.clone(),
        valid_to: it.valid_to.clone(),
        revoked_at: it.revoked_at,
        scope: it.scope.clone(),
    };
    DesignationEffect {
        list_version: it.list_version,
        officials: it.officials.iter().map(designated).collect(),
        signature_digest: it
            .signature
            .as_ref()
            .map_or_else(Default::default, |it| Digest::of(&it.signature).to_bytes()),
    }
}

/// A body of bounded size holds fewer entries than any `u32`.
fn count(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}
