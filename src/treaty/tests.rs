//! The rules of completeness, each broken once.

use super::examples::*;
use super::{Code, check_body, deficiencies, effect, kind_of};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;
use prost::Message as _;

/// Code and field of everything found in a body.
fn found(content: Content) -> Vec<(&'static str, String)> {
    deficiencies(&encode(content)).into_iter().map(|it| (it.code, it.field)).collect()
}

/// Asserts that a change to the valid `message` is found under exactly one code, at one field.
#[track_caller]
fn breaks<M>(mut message: M, wrap: fn(M) -> Content, change: impl FnOnce(&mut M), code: Code, field: &str) {
    change(&mut message);
    assert_eq!(found(wrap(message)), vec![(code.name(), field.to_owned())]);
}

#[track_caller]
fn request_breaks(change: impl FnOnce(&mut AssistanceRequest), code: Code, field: &str) {
    breaks(request(), Content::AssistanceRequest, change, code, &format!("assistance_request.{field}"));
}

#[track_caller]
fn response_breaks(change: impl FnOnce(&mut Response), code: Code, field: &str) {
    breaks(response(), Content::Response, change, code, &format!("response.{field}"));
}

#[track_caller]
fn request_passes(change: impl FnOnce(&mut AssistanceRequest)) {
    let mut message = request();
    change(&mut message);
    assert_eq!(found(Content::AssistanceRequest(message)), vec![]);
}

fn proceedings(it: &mut AssistanceRequest) -> &mut Proceedings {
    it.proceedings.as_mut().unwrap()
}

fn authority(it: &mut AssistanceRequest) -> &mut Authority {
    it.authority.as_mut().unwrap()
}

/// A request for technical cooperation.
fn cooperation(it: &mut AssistanceRequest) {
    it.ground = vec![Ground::TechnicalCooperation.into()];
    proceedings(it).natures = vec![Nature::None.into()];
    it.flow.clear();
    it.offences.clear();
    it.measures = vec![Measure {
        tc_kind: TcKind::ATraining.into(),
        ..measure("M1", MeasureKind::TechnicalCooperation, "2.4(a)")
    }];
}

#[test]
fn a_minimal_message_of_each_kind_passes() {
    let examples = all();
    assert_eq!(examples.len(), 24);
    for (content, number) in examples.into_iter().zip(1..) {
        let body = Body { content: Some(content) };
        let checked = check_body(&body.encode_to_vec());
        let kind = kind_of(&body).unwrap();
        assert_eq!(i32::from(kind), number);
        assert_eq!(effect(&body).kind, number);
        if kind == Kind::SpontaneousInformation {
            assert_eq!(checked.unwrap_err()[0].code, "KIND_NOT_ENABLED");
        } else {
            assert_eq!(checked, Ok((kind, body)));
        }
    }
}

#[test]
fn each_group_of_article_5_2_has_its_own_code() {
    use Code::*;
    request_breaks(|it| it.authority = None, AuthorityRequired, "authority");
    request_breaks(|it| authority(it).service.clear(), AuthorityRequired, "authority.service");
    request_breaks(
        |it| authority(it).contact_phone = " ".into(),
        AuthorityRequired,
        "authority.contact_phone",
    );
    request_breaks(|it| it.proceedings = None, NatureRequired, "proceedings");
    request_breaks(|it| proceedings(it).natures.clear(), NatureRequired, "proceedings.natures");
    request_breaks(|it| it.object.clear(), ObjectRequired, "object");
    request_breaks(|it| it.reason = "\n".into(), ReasonRequired, "reason");
    request_breaks(|it| it.parties.clear(), PartiesRequired, "parties");
    request_breaks(|it| it.parties[0].name.clear(), PartyNameRequired, "parties[0].name");
    request_breaks(|it| it.description.clear(), DescriptionRequired, "description");
    request_breaks(|it| it.legal_elements.clear(), LegalElementsRequired, "legal_elements");
    request_passes(|it| {
        it.parties.clear();
        it.parties_unknown = true;
    });
}

#[test]
fn the_article_of_a_finding_is_that_of_its_code() {
    let mut message = request();
    message.reason.clear();
    let list = check_body(&encode(Content::AssistanceRequest(message))).unwrap_err();
    assert_eq!((list.len(), list[0].article), (1, "5.2(c)"));
}

#[test]
fn grounds_decide_what_a_request_needs() {
    use Code::*;
    request_breaks(|it| it.ground.clear(), GroundRequired, "ground");
    request_breaks(|it| it.measures.clear(), MeasuresRequired, "measures");
    request_breaks(|it| it.flow.clear(), FlowRequired, "flow");
    request_breaks(|it| it.offences.clear(), OffenceRequired, "offences");
    request_passes(|it| it.flow = vec![Flow::Transit.into()]);
    request_passes(|it| {
        it.ground = vec![Ground::Assessment.into()];
        it.offences.clear();
    });
    request_breaks(|it| it.ground.push(Ground::Offence.into()), ValueRepeated, "ground[1]");
    request_breaks(|it| proceedings(it).natures = vec![4], NatureNoneMisplaced, "proceedings.natures");
    let tc = || Measure { tc_kind: 1, ..measure("M2", MeasureKind::TechnicalCooperation, "2.4") };
    request_breaks(|it| it.measures.push(tc()), CooperationMisplaced, "measures[1].kind");
}

#[test]
fn technical_cooperation_stands_alone() {
    use Code::*;
    request_passes(cooperation);
    let breaks = |change: fn(&mut AssistanceRequest), code, field: &str| {
        let both = |it: &mut AssistanceRequest| {
            cooperation(it);
            change(it);
        };
        request_breaks(both, code, field);
    };
    breaks(|it| it.ground.push(Ground::Assessment.into()), CooperationNotAlone, "ground");
    breaks(|it| it.parties[0].roles = vec!["SUSPECT".into()], CooperationWithSuspect, "parties[0].roles");
    breaks(|it| proceedings(it).natures.push(1), NatureNoneNotAlone, "proceedings.natures");
    breaks(|it| it.measures[0].tc_kind = 0, TcKindRequired, "measures[0].tc_kind");
}

#[test]
fn particulars_agree_with_one_another() {
    use Code::*;
    request_breaks(|it| it.offences[0].kind = 25, OffenceTextRequired, "offences[0].text");
    request_breaks(|it| it.offences[0].text = "x".into(), OffenceTextUnexpected, "offences[0].text");
    let nobody = vec!["P9".to_owned()];
    request_breaks(|it| it.offences[0].party_refs = nobody, ReferenceUnresolved, "offences[0].party_refs[0]");
    request_breaks(|it| it.parties.push(party("P1")), NameRepeated, "parties[1].party_ref");
    let birth = "1988-02-29";
    request_breaks(
        |it| it.parties[0].date_of_birth = birth.into(),
        BirthOfLegalPerson,
        "parties[0].date_of_birth",
    );
    let address = Address { country: "KZ".into(), ..Default::default() };
    request_breaks(|it| it.parties[0].addresses = vec![address], AddressEmpty, "parties[0].addresses[0]");
    request_breaks(|it| it.goods = vec![goods(1), goods(1)], NameRepeated, "goods[1].line");
    let code = GoodsItem { national_code: "9018120000".into(), ..goods(1) };
    request_breaks(|it| it.goods = vec![code], NomenclatureRequired, "goods[0].nomenclature");
    let much = GoodsItem { quantity: "12".into(), ..goods(1) };
    request_breaks(|it| it.goods = vec![much], UnitRequired, "goods[0].unit");
    request_breaks(
        |it| authority(it).releasing_official_id = "KZ-DO-0007".into(),
        SameOfficial,
        "authority.releasing_official_id",
    );
    let soon = Urgency { level: UrgencyLevel::Urgent.into(), ..Default::default() };
    request_breaks(|it| it.urgency = Some(soon), UrgencyReasonRequired, "urgency.reason");
    let later = Urgency { level: UrgencyLevel::Routine.into(), ..Default::default() };
    request_passes(|it| it.urgency = Some(later));
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
fn measures_rest_on_their_paragraphs() {
    use Code::*;
    request_breaks(|it| it.measures[0].article = "7.3".into(), MeasureArticle, "measures[0].article");
    request_breaks(
        |it| it.measures[0].document_form = DocForm::Original.into(),
        OriginalReasonRequired,
        "measures[0].why_copies_insufficient",
    );
    request_breaks(
        |it| it.measures[0].why_copies_insufficient = "Ink.".into(),
        OriginalReasonUnexpected,
        "measures[0].why_copies_insufficient",
    );
    request_breaks(|it| it.measures[0].tc_kind = 1, TcKindUnexpected, "measures[0].tc_kind");
    let presence = measure("M2", MeasureKind::PresenceOfOfficials, "7.4");
    request_breaks(|it| it.measures.push(presence), OfficialsRequired, "measures[1].official_ids");
    let records = measure("M2", MeasureKind::RecordsConsultation, "8.4");
    request_breaks(|it| it.measures.push(records), ConsultingOfficialsRequired, "measures[1].official_ids");
    let same = measure("M1", MeasureKind::GatherInformation, "2.2");
    request_breaks(|it| it.measures.push(same), NameRepeated, "measures[1].measure_id");
    let dated = Measure {
        from_date: "2026-02-01".into(),
        to_date: "2026-01-31".into(),
        ..measure("M2", MeasureKind::Inspect, "7.3")
    };
    request_breaks(|it| it.measures.push(dated), DatesReversed, "measures[1].to_date");
    let witness = || measure("M2", MeasureKind::WitnessAppearance, "8.3");
    request_passes(|it| it.measures.push(witness()));
    let investigative = |it: &mut AssistanceRequest| {
        it.measures.push(witness());
        proceedings(it).natures = vec![Nature::Investigative.into()];
    };
    request_breaks(investigative, WitnessNeedsProceeding, "measures[1].kind");
    let lost = Procedure {
        procedure_id: "PR1".into(),
        measure_id: "M9".into(),
        text: "Film it.".into(),
        reason: "Evidence.".into(),
    };
    request_breaks(|it| it.procedures = vec![lost], ReferenceUnresolved, "procedures[0].measure_id");
}

#[test]
fn handling_states_its_reasons() {
    use Code::*;
    let breaks = |handling: Handling, code, field: &str| {
        request_breaks(|it| it.handling = Some(handling), code, &format!("handling.{field}"));
    };
    let plain = Handling::default;
    let secret = Handling { confidential: true, confidential_reasons: "Inquiry.".into(), ..plain() };
    breaks(
        Handling { confidential: true, ..plain() },
        ConfidentialityReasonsRequired,
        "confidential_reasons",
    );
    let reasons = Handling { confidential_reasons: "Inquiry.".into(), ..plain() };
    breaks(reasons, ConfidentialityReasonsUnexpected, "confidential_reasons");
    breaks(Handling { caveats: vec![1], ..plain() }, CaveatNeedsConfidentiality, "caveats[0]");
    request_passes(|it| it.handling = Some(Handling { caveats: vec![1, 2, 3], ..secret.clone() }));
    for caveat in [Caveat::NotForEvidence, Caveat::ReturnOrDestroy, Caveat::PostponedUse] {
        let bound = Handling { caveats: vec![caveat.into()], ..secret.clone() };
        breaks(bound.clone(), CaveatNeedsCondition, "caveats[0]");
        let applied = Response { handling: Some(bound), conditions_applied: vec!["C1".into()], ..response() };
        assert_eq!(found(Content::Response(applied)), vec![]);
    }
    breaks(Handling { source_evaluation: "D".into(), ..plain() }, EvaluationUnknown, "source_evaluation");
    breaks(
        Handling { information_evaluation: "5".into(), ..plain() },
        EvaluationUnknown,
        "information_evaluation",
    );
}

#[test]
fn documents_agree_with_their_form() {
    use Code::*;
    let breaks = |list: Vec<Document>, code, field: &str| {
        request_breaks(|it| it.documents = list, code, &format!("documents{field}"));
    };
    let copy = || document("D1", DocForm::Copy);
    breaks(vec![copy(), copy()], NameRepeated, "[1].doc_id");
    breaks(vec![document("D1", DocForm::AuthenticatedCopy)], AuthenticationRequired, "[0].authentication");
    let original = Document { size_bytes: 1, ..document("D1", DocForm::Original) };
    breaks(vec![original], DocumentContentUnexpected, "[0].form");
    let own = Document { translation_of: "D1".into(), ..document("D1", DocForm::Translation) };
    breaks(vec![own], ReferenceUnresolved, "[0].translation_of");
    let translation = Document { translation_of: "D1".into(), ..document("D2", DocForm::Translation) };
    request_passes(|it| it.documents = vec![translation, copy()]);
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
fn what_is_no_body_is_refused() {
    assert!(check_body(b"").is_err());
    assert!(check_body(&[0xff; 8]).is_err());
    assert!(!deficiencies(&[0x0a, 0x7f]).is_empty());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = check_body(&bytes);
    }

    #[test]
    fn a_damaged_body_never_panics(kind in 0..24usize, place in 0..400usize, value: u8) {
        let mut bytes = encode(all().swap_remove(kind));
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(place % length.max(1)) {
            *byte = value;
        }
        let _ = check_body(&bytes);
        if let Ok(body) = Body::decode(bytes.as_slice()) {
            let _ = effect(&body);
        }
    }
}
