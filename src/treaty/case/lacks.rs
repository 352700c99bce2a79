//! What a message should say in view of its case. The sender's daemon refuses it; where the other Party's did not, the
//! message has its effect and is shown as deficient.

use super::{Act, Case, Entry, Party, Side};
use crate::crypto::Digest;
use crate::rules::Violation;
use crate::treaty::code::Code;
use crate::treaty::findings::{Findings, Place};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{
    Body, DocForm, MeasureKind, MeasureOutcome, NonExecutionGround, ProcedureDisposition, RequestEffect,
    Response, ResponseType,
};
use bytes::Bytes;

/// What a message of `sender` lacks in a case as it is before the message; empty when nothing.
pub fn lacks(case: &Case, sender: Party, recipient: Party, body: &Body) -> Vec<Violation> {
    let mut out = Findings::default();
    let side = case.side(sender);
    match &body.content {
        Some(Content::Response(it)) => response(case, it, &Place::root("response"), &mut out),
        Some(Content::NonExecutionNotice(it)) => {
            let at = Place::root("non_execution_notice");
            out.add_if(unsought(case, &it.grounds), Code::MeasureNotSought, &at, "grounds");
        }
        Some(Content::ForwardingNotice(it)) => {
            let at = Place::root("forwarding_notice");
            let abroad = Party::from_code(&it.agency_country) != Some(sender);
            out.add_if(abroad, Code::AgencyCountry, &at, "agency_country");
            for (index, name) in it.measure_ids.iter().enumerate() {
                if !case.measures.contains_key(name) {
                    out.add(Code::MeasureUnknown, &at.element("measure_ids", index));
                }
            }
        }
        Some(Content::ActionAdvice(it)) => {
            let unknown = !case.measures.contains_key(&it.measure_id);
            out.add_if(unknown, Code::MeasureUnknown, &Place::root("action_advice"), "measure_id");
        }
        Some(Content::ProgressNotice(it)) => {
            procedures(case, &it.procedures, &Place::root("progress_notice"), &mut out);
        }
        Some(Content::OralRequestNote(it)) => {
            let at = Place::root("oral_request_note");
            let stranger = |code: &str| ![Some(sender), Some(recipient)].contains(&Party::from_code(code));
            out.add_if(stranger(&it.requesting_party), Code::PartyUnknown, &at, "requesting_party");
            out.add_if(stranger(&it.noted_by_party), Code::PartyUnknown, &at, "noted_by_party");
        }
        // Who asks for another use has received the item; who asks for confidentiality has supplied it.
        Some(Content::OtherUseConsentRequest(it)) => {
            items(case, &it.item_ids, side, &Place::root("other_use_consent_request"), &mut out);
        }
        Some(Content::OtherUseConsentDecision(it)) => {
            items(case, &it.item_ids, side.other(), &Place::root("other_use_consent_decision"), &mut out);
        }
        Some(Content::ConfidentialityNotice(it)) => {
            items(case, &it.item_ids, side.other(), &Place::root("confidentiality_notice"), &mut out);
        }
        Some(Content::CaseClose(it)) => {
            let wrong = Digest::from_slice(&it.last_envelope_seen) != Some(case.last_envelope(side.other()));
            out.add_if(wrong, Code::LastEnvelope, &Place::root("case_close"), "last_envelope_seen");
        }
        _ => {}
    }
    out.into_list()
}

/// Items that are known to have been supplied by `wrong`. A document is not known by its digest here.
fn items(case: &Case, items: &[Bytes], wrong: Side, at: &Place<'_>, out: &mut Findings) {
    let known =
        |id: &Bytes| case.supplied.iter().find(|(digest, _)| digest.as_bytes().as_slice() == id.as_ref());
    for (index, id) in items.iter().enumerate() {
        if known(id).is_some_and(|(_, (side, _))| *side == wrong) {
            out.add(Code::NotSupplied, &at.element("item_ids", index));
        }
    }
}

fn unsought(case: &Case, grounds: &[i32]) -> bool {
    !case.sought && grounds.contains(&NonExecutionGround::MeasureNotObtained.into())
}

fn response(case: &Case, it: &Response, at: &Place<'_>, out: &mut Findings) {
    for (index, result) in it.results.iter().enumerate() {
        let place = at.element("results", index);
        match case.measures.get(&result.measure_id) {
            None => out.add(Code::MeasureUnknown, &place.field("measure_id")),
            Some(measure) => {
                let wanted = measure.document_form == i32::from(DocForm::AuthenticatedCopy);
                let supplied = case.authenticated_copy
                    || it.documents.iter().any(|document| document.form() == DocForm::AuthenticatedCopy);
                let whole = result.outcome() == MeasureOutcome::Executed;
                out.add_if(wanted && whole && !supplied, Code::AuthenticatedCopyMissing, &place, "outcome");
            }
        }
        out.add_if(unsought(case, &result.grounds), Code::MeasureNotSought, &place, "grounds");
    }
    procedures(case, &it.procedures, at, out);
    for (index, name) in it.conditions_applied.iter().enumerate() {
        if !case.accepted_conditions().contains_key(name) {
            out.add(Code::ConditionNotAccepted, &at.element("conditions_applied", index));
        }
    }
    match it.r#type() {
        ResponseType::Final => finality(case, it, at, out),
        ResponseType::Correction => {
            let known = case.supplied.iter().any(|(digest, (side, response))| {
                *response && *side == Side::Requested && digest.as_bytes().as_slice() == it.corrects.as_ref()
            });
            out.add_if(!known, Code::CorrectsUnknown, at, "corrects");
        }
        ResponseType::Interim | ResponseType::Unspecified => {}
    }
}

/// A final response leaves nothing that was asked for without an answer (Articles 7.5 to 7.7).
fn finality(case: &Case, it: &Response, at: &Place<'_>, out: &mut Findings) {
    for (name, measure) in &case.measures {
        let now = it.results.iter().find(|result| result.measure_id == *name).map(|result| result.outcome);
        let outcome = now.unwrap_or(measure.outcome);
        out.add_if(outcome == 0, Code::MeasureUndisposed, at, "results");
        let acted = [MeasureOutcome::Executed, MeasureOutcome::Partly].map(i32::from).contains(&outcome);
        let owed = case.advise_time_and_place && is_action(measure.kind) && acted && !measure.advised;
        out.add_if(owed, Code::AdviceMissing, at, "results");
    }
    for (name, disposition) in &case.procedures {
        let now = it.procedures.iter().any(|procedure| procedure.procedure_id == *name);
        out.add_if(*disposition == 0 && !now, Code::ProcedureUndisposed, at, "procedures");
    }
}

fn procedures(case: &Case, list: &[ProcedureDisposition], at: &Place<'_>, out: &mut Findings) {
    for (index, it) in list.iter().enumerate() {
        let place = at.element("procedures", index);
        out.add_if(
            !case.procedures.contains_key(&it.procedure_id),
            Code::ProcedureUnknown,
            &place,
            "procedure_id",
        );
    }
}

/// A measure that happens at a time and a place, which the other side may wish to know (Article 7.6).
fn is_action(kind: i32) -> bool {
    matches!(
        MeasureKind::try_from(kind),
        Ok(MeasureKind::Investigate
            | MeasureKind::QuestionExpert
            | MeasureKind::QuestionWitness
            | MeasureKind::QuestionSuspect
            | MeasureKind::Verify
            | MeasureKind::Inspect
            | MeasureKind::FactFinding)
    )
}

impl Case {
    /// Learns what was asked for and what became of it.
    pub(super) fn learn(&mut self, act: Act, entry: &Entry) {
        match &entry.effect.detail {
            Some(Detail::Request(it)) => self.ask(it),
            Some(Detail::Response(it)) => {
                self.authenticated_copy |= it.authenticated_copy;
                for result in &it.results {
                    if let Some(measure) = self.measures.get_mut(&result.measure_id) {
                        // A plain copy does not fulfil it, whatever its sender says (Article 8.1).
                        let wanted = measure.document_form == i32::from(DocForm::AuthenticatedCopy);
                        let whole = result.outcome == i32::from(MeasureOutcome::Executed);
                        let partly = wanted && whole && !self.authenticated_copy;
                        measure.outcome = if partly { MeasureOutcome::Partly.into() } else { result.outcome };
                    }
                }
                self.dispose(it.procedures.iter().map(|it| (&it.procedure_id, it.outcome)));
            }
            Some(Detail::Progress(it)) => {
                self.dispose(it.procedures.iter().map(|it| (&it.procedure_id, it.outcome)));
                self.sought |= it.measures_sought > 0;
            }
            Some(Detail::Advice(it)) if act == Act::Advice => {
                if let Some(measure) = self.measures.get_mut(&it.measure_id) {
                    measure.advised = true;
                }
            }
            // Only the supplier asks for confidentiality and lifts it.
            Some(Detail::Items(it)) if act == Act::Confidentiality => {
                let side = self.side(entry.sender);
                for item in it.item_ids.iter().filter_map(|id| Digest::from_slice(id)) {
                    if self.supplied.get(&item).is_some_and(|(supplier, _)| *supplier == side) {
                        self.confidential.insert(item, it.confidential);
                    }
                }
            }
            _ => {}
        }
    }

    fn ask(&mut self, it: &RequestEffect) {
        for measure in &it.measures {
            let asked = super::Measure {
                kind: measure.kind,
                document_form: measure.document_form,
                outcome: 0,
                advised: false,
            };
            self.measures.entry(measure.measure_id.clone()).or_insert(asked);
        }
        for name in &it.procedure_ids {
            self.procedures.entry(name.clone()).or_insert(0);
        }
        self.advise_time_and_place |= it.advise_time_and_place;
        self.urgent |= it.urgent;
    }

    fn dispose<'a>(&mut self, dispositions: impl Iterator<Item = (&'a String, i32)>) {
        for (name, outcome) in dispositions {
            if let Some(known) = self.procedures.get_mut(name) {
                *known = outcome;
            }
        }
    }
}
