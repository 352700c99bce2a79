//! Execution and its results (Article 7).

use super::super::code::Code;
use super::super::findings::{Findings, Place, blank};
use super::{handling, particulars};
use crate::wire::assistance::v1::{
    ActionAdvice, MeasureOutcome, MeasureResult, NonExecutionNotice, PresenceOutcome, ProcedureDisposition,
    ProcedureOutcome, ProgressNotice, Response, ResponseType,
};

/// Late advice says why it is late (Article 7.6).
pub(super) fn advice(it: &ActionAdvice, at: &Place<'_>, out: &mut Findings) {
    let codes = (Code::LateAdviceReasonRequired, Code::LateAdviceReasonUnexpected);
    out.text_iff(it.after_the_fact, &it.reason, codes, at, "reason");
}

/// A notice says something.
pub(super) fn progress(it: &ProgressNotice, at: &Place<'_>, out: &mut Findings) {
    let nothing = it.procedures.is_empty() && it.presence.is_empty() && it.sought.is_empty();
    if nothing && blank(&it.text) && !it.agency_notified_of_withdrawal {
        out.add(Code::ProgressEmpty, at);
    }
    dispositions(&it.procedures, at, out);
    out.names(it.presence.iter().map(|it| &it.official_id), at, "presence", "official_id");
    for (index, decision) in it.presence.iter().enumerate() {
        let qualified = matches!(decision.decision(), PresenceOutcome::Deny | PresenceOutcome::Conditions);
        let silent = qualified && blank(&decision.text);
        out.add_if(silent, Code::PresenceTextRequired, &at.element("presence", index), "text");
    }
    for (index, sought) in it.sought.iter().enumerate() {
        out.period(&sought.sought_on, &sought.decided_on, &at.element("sought", index), "decided_on");
    }
}

/// A response supplies something, and disposes of what it disposes of once (Article 7.7).
pub(super) fn response(it: &Response, at: &Place<'_>, out: &mut Findings) {
    let kind = it.r#type();
    if kind == ResponseType::Final {
        out.add_if(it.results.is_empty(), Code::ResultsRequired, at, "results");
    } else if supplies_nothing(it) {
        out.add(Code::ResponseEmpty, at);
    }
    let correction = kind == ResponseType::Correction;
    out.add_if(correction && it.corrects.is_empty(), Code::CorrectsRequired, at, "corrects");
    out.add_if(!correction && !it.corrects.is_empty(), Code::CorrectsUnexpected, at, "corrects");

    out.names(it.results.iter().map(|it| &it.measure_id), at, "results", "measure_id");
    for (index, entry) in it.results.iter().enumerate() {
        result(entry, &at.element("results", index), out);
    }
    dispositions(&it.procedures, at, out);
    out.distinct(&it.conditions_applied, at, "conditions_applied");
    particulars::parties(&it.parties, at, out);
    particulars::goods(&it.goods, at, out);
    particulars::transport(&it.transport, at, out);
    handling::documents(&it.documents, &[], &it.conditions_applied, at, out);
    if let Some(own) = &it.handling {
        handling::handling(own, &it.conditions_applied, &at.field("handling"), out);
    }
}

/// Non-execution is notified with its grounds and a statement of the reasons (Article 7.7).
pub(super) fn non_execution(it: &NonExecutionNotice, at: &Place<'_>, out: &mut Findings) {
    out.add_if(it.grounds.is_empty(), Code::NonExecutionGroundsRequired, at, "grounds");
    out.distinct(&it.grounds, at, "grounds");
    out.text(&it.reasons, Code::NonExecutionReasonsRequired, at, "reasons");
}

fn supplies_nothing(it: &Response) -> bool {
    it.results.is_empty()
        && it.procedures.is_empty()
        && it.documents.is_empty()
        && it.parties.is_empty()
        && it.goods.is_empty()
        && it.transport.is_empty()
        && it.declarations.is_empty()
}

fn result(it: &MeasureResult, at: &Place<'_>, out: &mut Findings) {
    out.distinct(&it.grounds, at, "grounds");
    match it.outcome() {
        MeasureOutcome::Partly | MeasureOutcome::NotExecuted => {
            out.add_if(it.grounds.is_empty(), Code::ResultGroundsRequired, at, "grounds");
            out.text(&it.reasons, Code::ResultReasonsRequired, at, "reasons");
        }
        MeasureOutcome::Executed => {
            out.add_if(!it.grounds.is_empty(), Code::ResultReasonsUnexpected, at, "grounds");
            out.add_if(!it.reasons.is_empty(), Code::ResultReasonsUnexpected, at, "reasons");
        }
        MeasureOutcome::Unspecified => {}
    }
}

/// Each procedure is disposed of once; what cannot be followed states the law (Article 7.5).
fn dispositions(list: &[ProcedureDisposition], at: &Place<'_>, out: &mut Findings) {
    out.names(list.iter().map(|it| &it.procedure_id), at, "procedures", "procedure_id");
    for (index, it) in list.iter().enumerate() {
        let place = at.element("procedures", index);
        let cannot = it.outcome() == ProcedureOutcome::Cannot;
        let codes = (Code::ProcedureLawRequired, Code::ProcedureLawUnexpected);
        out.text_iff(cannot, &it.law, codes, &place, "law");
    }
}
