//! Rules of requests (Articles 2, 3, 5 and 7).

use super::super::examples::*;
use super::super::{Code, check_body};
use super::{breaks, found};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;

#[track_caller]
fn request_breaks(change: impl FnOnce(&mut AssistanceRequest), code: Code, field: &str) {
    breaks(request(), Content::AssistanceRequest, change, code, &format!("assistance_request.{field}"));
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
    request_breaks(|it| proceedings(it).stage.clear(), StageRequired, "proceedings.stage");
    request_passes(|it| {
        cooperation(it);
        proceedings(it).stage.clear();
    });
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
    let address = || Address { city: "Almaty".into(), country: "KZ".into(), ..Default::default() };
    request_breaks(
        |it| it.parties[0].addresses = vec![address()],
        AddressEmpty,
        "parties[0].addresses[0].lines",
    );
    let lines = vec!["14 Fixture Avenue".to_owned()];
    request_passes(|it| it.parties[0].addresses = vec![Address { lines: lines.clone(), ..address() }]);
    let mut nowhere = request();
    nowhere.parties[0].addresses = vec![Address { lines, city: String::new(), ..address() }];
    let city = "assistance_request.parties[0].addresses[0].city".to_owned();
    assert_eq!(found(Content::AssistanceRequest(nowhere)), vec![("REQUIRED", city)]);
    request_breaks(|it| it.goods = vec![goods(1), goods(1)], NameRepeated, "goods[1].line");
    let code = GoodsItem { national_code: "9018120000".into(), ..goods(1) };
    request_breaks(|it| it.goods = vec![code], NomenclatureRequired, "goods[0].nomenclature");
    let code = GoodsItem { nomenclature: "NIGP".into(), ..goods(1) };
    request_breaks(|it| it.goods = vec![code], NomenclatureUnknown, "goods[0].nomenclature");
    for year in ["1991", "2018", "2027"] {
        let code = GoodsItem { hs_code: "901812".into(), hs_edition: year.into(), ..goods(1) };
        request_breaks(|it| it.goods = vec![code], HsEditionUnknown, "goods[0].hs_edition");
    }
    let lorry = |mode: &str| Transport {
        mode: mode.into(),
        identity_kind: IdentityKind::RoadRegistration.into(),
        identity: "A 1".into(),
        ..Default::default()
    };
    request_passes(|it| it.transport = vec![lorry("3"), lorry("9")]);
    request_breaks(|it| it.transport = vec![lorry("0")], TransportModeUnknown, "transport[0].mode");
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
    let plain =
        || Handling { intended_purposes: vec![Purpose::AssessDutiesTaxes.into()], ..Default::default() };
    let mut aimless = request();
    aimless.handling = Some(Handling::default());
    let purposes = "assistance_request.handling.intended_purposes".to_owned();
    assert_eq!(found(Content::AssistanceRequest(aimless)), vec![("TOO_FEW", purposes)]);
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
    let large = |n: usize| Document { size_bytes: 512 << 20, ..document(&format!("D{n}"), DocForm::Copy) };
    request_passes(|it| it.documents = (0..4).map(large).collect());
    breaks((0..5).map(large).collect(), DocumentsTooLarge, "");
}
