//! Completion of a request, forwarding and conditions (Articles 4, 5.2 and 6.2).

use super::super::code::Code;
use super::super::findings::{Findings, Place, blank};
use super::{handling, request};
use crate::wire::assistance::v1::{
    ClarificationReply, ClarificationRequest, ConditionKind, ConditionsNotice, ConditionsReply,
    ForwardingNotice, ReplyKind,
};

/// Each thing that is missing has a name and a question (Article 5.2).
pub(super) fn clarification_request(it: &ClarificationRequest, at: &Place<'_>, out: &mut Findings) {
    out.names(it.missing.iter().map(|it| &it.missing_id), at, "missing", "missing_id");
    for (index, missing) in it.missing.iter().enumerate() {
        out.text(&missing.question, Code::QuestionRequired, &at.element("missing", index), "question");
    }
}

/// A reply supplies something, and answers what it answers once (Article 5.2).
pub(super) fn clarification_reply(it: &ClarificationReply, at: &Place<'_>, out: &mut Findings) {
    let empty = it.answers.is_empty() && it.documents.is_empty() && it.supplement.is_none();
    if empty {
        out.add(Code::ClarificationEmpty, at);
    }
    out.names(it.answers.iter().map(|it| &it.missing_id), at, "answers", "missing_id");
    for (index, answer) in it.answers.iter().enumerate() {
        let silent = blank(&answer.text) && !answer.unknown;
        out.add_if(silent, Code::AnswerRequired, &at.element("answers", index), "text");
    }
    handling::documents(&it.documents, &[], &[], at, out);
    if let Some(supplement) = &it.supplement {
        request::supplement(supplement, &at.field("supplement"), out);
    }
}

/// The agency is named (Article 6.2).
pub(super) fn forwarding(it: &ForwardingNotice, at: &Place<'_>, out: &mut Findings) {
    out.text(&it.agency_name, Code::AgencyRequired, at, "agency_name");
    out.references(&it.measure_ids, None, at, "measure_ids");
}

/// Conditions are offered with reasons, each in words (Article 4).
pub(super) fn conditions(it: &ConditionsNotice, at: &Place<'_>, out: &mut Findings) {
    out.text(&it.reasons, Code::ConditionsReasonsRequired, at, "reasons");
    out.distinct(&it.grounds, at, "grounds");
    out.names(it.conditions.iter().map(|it| &it.condition_id), at, "conditions", "condition_id");
    for (index, condition) in it.conditions.iter().enumerate() {
        let place = at.element("conditions", index);
        out.text(&condition.text, Code::ConditionTextRequired, &place, "text");
        let endless = condition.kind() == ConditionKind::PostponeUntil && condition.until.is_empty();
        out.add_if(endless, Code::ConditionUntilRequired, &place, "until");
    }
}

/// A counter-proposal says what is proposed (Article 4).
pub(super) fn conditions_reply(it: &ConditionsReply, at: &Place<'_>, out: &mut Findings) {
    let silent = it.reply() == ReplyKind::Counter && blank(&it.text);
    out.add_if(silent, Code::CounterTextRequired, at, "text");
}
