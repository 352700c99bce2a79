//! Rules of what follows a request.

use super::super::Code;
use super::super::examples::*;
use super::{breaks, found};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;

#[track_caller]
fn response_breaks(change: impl FnOnce(&mut Response), code: Code, field: &str) {
    breaks(response(), Content::Response, change, code, &format!("response.{field}"));
}

#[test]
fn an_amount_has_the_decimals_its_currency_bears() {
    let mut message = costs();
    for (amount, currency, passes) in [
        ("1.0000", "USD", true),
        ("1.00000", "USD", false),
        ("1.00", "JPY", true),
        ("1.000", "JPY", false),
        ("1.00000", "KWD", true),
        ("1.000000", "KWD", false),
        ("1.000000", "CLF", true),
        ("1.0000", "XAU", true),
        ("1.00000", "QQQ", false),
    ] {
        let money = Money { amount: amount.into(), currency: currency.into(), ..Default::default() };
        message.lines[0].amount = Some(money);
        let list = found(Content::CostNotice(message.clone()));
        let expected = if passes {
            vec![]
        } else {
            vec![("AMOUNT_SCALE", "cost_notice.lines[0].amount.amount".to_owned())]
        };
        assert_eq!(list, expected, "{amount} {currency}");
    }
}

#[test]
fn results_state_reasons_unless_executed() {
    use Code::*;
    let partly = |it: &mut Response, grounds: Vec<i32>, reasons: &str| {
        it.results[0].outcome = MeasureOutcome::Partly.into();
        it.results[0].grounds = grounds;
        it.results[0].reasons = reasons.into();
    };
    response_breaks(|it| partly(it, vec![6], " "), ResultReasonsRequired, "results[0].reasons");
    response_breaks(|it| partly(it, vec![], "Lost."), ResultGroundsRequired, "results[0].grounds");
    response_breaks(|it| it.results[0].reasons = "x".into(), ResultReasonsUnexpected, "results[0].reasons");
    response_breaks(|it| it.results[0].grounds = vec![6], ResultReasonsUnexpected, "results[0].grounds");
    response_breaks(|it| it.results.push(it.results[0].clone()), NameRepeated, "results[1].measure_id");
    response_breaks(|it| it.results.clear(), ResultsRequired, "results");
    response_breaks(|it| it.corrects = digest(1), CorrectsUnexpected, "corrects");
    response_breaks(|it| it.r#type = ResponseType::Correction.into(), CorrectsRequired, "corrects");
    let cannot = ProcedureDisposition { procedure_id: "PR1".into(), outcome: 3, ..Default::default() };
    response_breaks(|it| it.procedures = vec![cannot], ProcedureLawRequired, "procedures[0].law");
    breaks(
        non_execution(),
        Content::NonExecutionNotice,
        |it| it.reasons = " \n".into(),
        NonExecutionReasonsRequired,
        "non_execution_notice.reasons",
    );
    let interim = Response { r#type: 1, results: vec![], ..response() };
    assert_eq!(found(Content::Response(interim)), vec![("RESPONSE_EMPTY", "response".to_owned())]);
}

#[test]
fn notices_state_what_they_must() {
    use Code::*;
    breaks(
        advice(),
        Content::ActionAdvice,
        |it| it.after_the_fact = true,
        LateAdviceReasonRequired,
        "action_advice.reason",
    );
    breaks(
        advice(),
        Content::ActionAdvice,
        |it| it.reason = "Haste.".into(),
        LateAdviceReasonUnexpected,
        "action_advice.reason",
    );
    breaks(ProgressNotice::default(), Content::ProgressNotice, |_| {}, ProgressEmpty, "progress_notice");
    breaks(
        conditions(),
        Content::ConditionsNotice,
        |it| it.conditions[0].kind = ConditionKind::PostponeUntil.into(),
        ConditionUntilRequired,
        "conditions_notice.conditions[0].until",
    );
    let counter = ConditionsReply { version: 1, reply: ReplyKind::Counter.into(), ..Default::default() };
    breaks(counter, Content::ConditionsReply, |_| {}, CounterTextRequired, "conditions_reply.text");
    breaks(
        costs(),
        Content::CostNotice,
        |it| it.lines[0].government_employee = true,
        GovernmentInterpreter,
        "cost_notice.lines[0].government_employee",
    );
    breaks(
        custody(CustodyEvent::DestroyedCertified),
        Content::CustodyNotice,
        |_| {},
        DigestsRequired,
        "custody_notice.digests",
    );
    breaks(
        custody(CustodyEvent::Received),
        Content::CustodyNotice,
        |_| {},
        ItemConditionRequired,
        "custody_notice.condition",
    );
    breaks(
        consent_decision(ConsentKind::GrantedWithConditions),
        Content::OtherUseConsentDecision,
        |_| {},
        ConsentConditionsRequired,
        "other_use_consent_decision.conditions",
    );
}

#[test]
fn accords_and_designations_are_of_one_piece() {
    use Code::*;
    breaks(accord(), Content::Accord, |it| it.supersedes = 2, SupersedesLater, "accord.supersedes");
    breaks(
        accord(),
        Content::Accord,
        |it| it.signatures[1].party = "US".into(),
        SignatureRepeated,
        "accord.signatures[1].party",
    );
    let settle = |it: &mut Accord| {
        it.r#type = AccordType::Interpretation.into();
        it.settings = Some(Settings::default());
    };
    breaks(accord(), Content::Accord, settle, SettingsMisplaced, "accord.settings");
    breaks(
        designation(),
        Content::DesignationNotice,
        |it| it.officials.push(official("KZ-DO-0007")),
        NameRepeated,
        "designation_notice.officials[1].id",
    );
}

#[test]
fn a_supplement_may_be_incomplete_but_not_contradictory() {
    use Code::*;
    let reply = |supplement| ClarificationReply { supplement: Some(supplement), ..clarification_reply() };
    let plain = AssistanceRequest { parties: vec![party("P2")], ..Default::default() };
    assert_eq!(found(Content::ClarificationReply(reply(plain))), vec![]);
    let annexed = AssistanceRequest { documents: vec![document("D1", DocForm::Copy)], ..Default::default() };
    breaks(
        reply(annexed),
        Content::ClarificationReply,
        |_| {},
        DocumentsMisplaced,
        "clarification_reply.supplement.documents",
    );
    let nothing = ClarificationReply::default();
    breaks(nothing, Content::ClarificationReply, |_| {}, ClarificationEmpty, "clarification_reply");
}

#[test]
fn texts_that_carry_a_message_are_not_blank() {
    use Code::*;
    const BLANK: &str = " \n";
    breaks(
        clarification_request(),
        Content::ClarificationRequest,
        |it| it.missing[0].question = BLANK.into(),
        QuestionRequired,
        "clarification_request.missing[0].question",
    );
    breaks(
        clarification_reply(),
        Content::ClarificationReply,
        |it| it.answers[0].unknown = false,
        AnswerRequired,
        "clarification_reply.answers[0].text",
    );
    let note = |change: fn(&mut OralRequestNote), code, field| {
        breaks(oral_note(), Content::OralRequestNote, change, code, field);
    };
    note(|it| it.exigency = BLANK.into(), ExigencyRequired, "oral_request_note.exigency");
    note(|it| it.summary.clear(), SummaryRequired, "oral_request_note.summary");
    breaks(
        forwarding(),
        Content::ForwardingNotice,
        |it| it.agency_name = BLANK.into(),
        AgencyRequired,
        "forwarding_notice.agency_name",
    );
    let offer = |change: fn(&mut ConditionsNotice), code, field| {
        breaks(conditions(), Content::ConditionsNotice, change, code, field);
    };
    offer(|it| it.reasons = BLANK.into(), ConditionsReasonsRequired, "conditions_notice.reasons");
    offer(
        |it| it.conditions[0].text = BLANK.into(),
        ConditionTextRequired,
        "conditions_notice.conditions[0].text",
    );
    breaks(
        consent_request(),
        Content::OtherUseConsentRequest,
        |it| it.purpose = BLANK.into(),
        ConsentPurposeRequired,
        "other_use_consent_request.purpose",
    );
}

#[test]
fn what_belongs_to_one_case_only_is_refused_in_the_other() {
    use Code::*;
    breaks(
        non_execution(),
        Content::NonExecutionNotice,
        |it| it.grounds.clear(),
        NonExecutionGroundsRequired,
        "non_execution_notice.grounds",
    );
    breaks(
        custody(CustodyEvent::Sent),
        Content::CustodyNotice,
        |it| it.digests = vec![digest(1)],
        DigestsUnexpected,
        "custody_notice.digests",
    );
    breaks(
        consent_decision(ConsentKind::Granted),
        Content::OtherUseConsentDecision,
        |it| it.conditions = "Once.".into(),
        ConsentConditionsUnexpected,
        "other_use_consent_decision.conditions",
    );
    let followed = ProcedureDisposition { law: "Code".into(), ..disposition(ProcedureOutcome::Followed) };
    response_breaks(|it| it.procedures = vec![followed], ProcedureLawUnexpected, "procedures[0].law");
    for (decision, due) in [(1, false), (2, true), (3, true)] {
        let presence = PresenceDecision { official_id: "US-DO-0011".into(), decision, text: String::new() };
        let notice = ProgressNotice { presence: vec![presence], ..Default::default() };
        let list = found(Content::ProgressNotice(notice));
        assert_eq!(list.iter().any(|it| it.0 == PresenceTextRequired.name()), due);
    }
}

fn disposition(outcome: ProcedureOutcome) -> ProcedureDisposition {
    ProcedureDisposition { procedure_id: "PR1".into(), outcome: outcome.into(), ..Default::default() }
}
