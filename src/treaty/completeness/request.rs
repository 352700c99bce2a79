//! Requests in writing and oral requests (Articles 2 and 5).

use super::super::code::Code;
use super::super::findings::{Findings, Place, blank};
use super::{handling, measures, particulars};
use crate::wire::assistance::v1::{
    AssistanceRequest, Authority, Ground, MeasureKind, Nature, OralRequestNote, Proceedings, SubjectParty,
    Urgency, UrgencyLevel,
};

/// Role of a party whose part in an offence is examined.
const SUSPECT: &str = "SUSPECT";

/// A request is complete (Article 5.2) and of one piece.
pub(super) fn request(it: &AssistanceRequest, at: &Place<'_>, out: &mut Findings) {
    authority(it.authority.as_ref(), at, out);
    proceedings(it.proceedings.as_ref(), cooperation(it), at, out);
    out.text(&it.object, Code::ObjectRequired, at, "object");
    out.text(&it.reason, Code::ReasonRequired, at, "reason");
    out.add_if(it.parties.is_empty() && !it.parties_unknown, Code::PartiesRequired, at, "parties");
    out.text(&it.description, Code::DescriptionRequired, at, "description");
    out.add_if(it.legal_elements.is_empty(), Code::LegalElementsRequired, at, "legal_elements");
    for (index, element) in it.legal_elements.iter().enumerate() {
        let place = at.element("legal_elements", index);
        out.text(&element.citation, Code::LegalElementsRequired, &place, "citation");
        out.text(&element.summary, Code::LegalElementsRequired, &place, "summary");
    }
    scope(it, at, out);
    urgency(it.urgency.as_ref(), at, out);
    lists(it, at, out);

    let parties = particulars::parties(&it.parties, at, out);
    particulars::offences(&it.offences, Some(&parties), at, out);
    let known = measures::measures(&it.measures, Some(&parties), at, out);
    measures::procedures(&it.procedures, Some(&known), at, out);
    annexes(it, at, out);
}

/// What is added to a request: nothing is missed in it, but what it has agrees with itself. Its references
/// may name parties and measures of the request.
pub(super) fn supplement(it: &AssistanceRequest, at: &Place<'_>, out: &mut Findings) {
    urgency(it.urgency.as_ref(), at, out);
    lists(it, at, out);
    particulars::parties(&it.parties, at, out);
    particulars::offences(&it.offences, None, at, out);
    measures::measures(&it.measures, None, at, out);
    measures::procedures(&it.procedures, None, at, out);
    out.add_if(!it.documents.is_empty(), Code::DocumentsMisplaced, at, "documents");
    annexes(it, at, out);
}

/// A note says what was asked, and why it could not wait (Article 5.1).
pub(super) fn oral_note(it: &OralRequestNote, at: &Place<'_>, out: &mut Findings) {
    out.text(&it.exigency, Code::ExigencyRequired, at, "exigency");
    out.text(&it.summary, Code::SummaryRequired, at, "summary");
    let alone = !it.receiving_official_id.is_empty() && it.requesting_official_id == it.receiving_official_id;
    out.add_if(alone, Code::SameOfficial, at, "receiving_official_id");
    measures::measures(&it.measures, Some(&Default::default()), at, out);
    if let Some(own) = &it.handling {
        handling::handling(own, &[], &at.field("handling"), out);
    }
}

fn authority(it: Option<&Authority>, at: &Place<'_>, out: &mut Findings) {
    let place = at.field("authority");
    let Some(it) = it else {
        out.add(Code::AuthorityRequired, &place);
        return;
    };
    out.text(&it.service, Code::AuthorityRequired, &place, "service");
    out.text(&it.originating_office, Code::AuthorityRequired, &place, "originating_office");
    out.text(&it.designated_official_id, Code::AuthorityRequired, &place, "designated_official_id");
    out.text(&it.contact_phone, Code::AuthorityRequired, &place, "contact_phone");
    let alone = !it.releasing_official_id.is_empty() && it.releasing_official_id == it.designated_official_id;
    out.add_if(alone, Code::SameOfficial, &place, "releasing_official_id");
}

fn proceedings(it: Option<&Proceedings>, cooperation: bool, at: &Place<'_>, out: &mut Findings) {
    let place = at.field("proceedings");
    let Some(it) = it else {
        out.add(Code::NatureRequired, &place);
        return;
    };
    out.add_if(it.natures.is_empty(), Code::NatureRequired, &place, "natures");
    out.distinct(&it.natures, &place, "natures");
    out.add_if(!cooperation && blank(&it.stage), Code::StageRequired, &place, "stage");
    if it.natures().any(|nature| nature == Nature::None) {
        out.add_if(!cooperation, Code::NatureNoneMisplaced, &place, "natures");
        out.add_if(it.natures.len() > 1, Code::NatureNoneNotAlone, &place, "natures");
    }
}

/// What depends on the ground of the request (Articles 1, 2 and 8.3).
fn scope(it: &AssistanceRequest, at: &Place<'_>, out: &mut Findings) {
    let cooperation = cooperation(it);
    out.add_if(it.ground.is_empty(), Code::GroundRequired, at, "ground");
    out.add_if(cooperation && it.ground.len() > 1, Code::CooperationNotAlone, at, "ground");
    out.add_if(it.flow.is_empty() && !cooperation, Code::FlowRequired, at, "flow");
    let offence = it.ground().any(|ground| ground == Ground::Offence);
    out.add_if(offence && it.offences.is_empty(), Code::OffenceRequired, at, "offences");
    for (index, party) in it.parties.iter().enumerate() {
        let wrong = cooperation && suspected(party);
        out.add_if(wrong, Code::CooperationWithSuspect, &at.element("parties", index), "roles");
    }
    out.add_if(it.measures.is_empty(), Code::MeasuresRequired, at, "measures");
    let heard = it.proceedings.as_ref().is_some_and(|proceedings| {
        proceedings.natures().any(|nature| matches!(nature, Nature::Judicial | Nature::Administrative))
    });
    for (index, measure) in it.measures.iter().enumerate() {
        let place = at.element("measures", index);
        let kind = measure.kind();
        let misplaced = kind == MeasureKind::TechnicalCooperation && !cooperation;
        out.add_if(misplaced, Code::CooperationMisplaced, &place, "kind");
        let unheard = kind == MeasureKind::WitnessAppearance && !heard;
        out.add_if(unheard, Code::WitnessNeedsProceeding, &place, "kind");
    }
}

fn cooperation(it: &AssistanceRequest) -> bool {
    it.ground().any(|ground| ground == Ground::TechnicalCooperation)
}

fn suspected(party: &SubjectParty) -> bool {
    party.roles.iter().any(|role| role == SUSPECT)
}

fn urgency(it: Option<&Urgency>, at: &Place<'_>, out: &mut Findings) {
    if let Some(it) = it {
        let pressing = matches!(it.level(), UrgencyLevel::Priority | UrgencyLevel::Urgent);
        let unexplained = pressing && blank(&it.reason);
        out.add_if(unexplained, Code::UrgencyReasonRequired, &at.field("urgency"), "reason");
    }
}

/// No list says a thing twice.
fn lists(it: &AssistanceRequest, at: &Place<'_>, out: &mut Findings) {
    out.distinct(&it.ground, at, "ground");
    out.distinct(&it.flow, at, "flow");
    out.distinct(&it.subject_matter, at, "subject_matter");
    out.distinct(&it.domain, at, "domain");
    out.distinct(&it.cost_undertaking, at, "cost_undertaking");
}

fn annexes(it: &AssistanceRequest, at: &Place<'_>, out: &mut Findings) {
    particulars::goods(&it.goods, at, out);
    particulars::transport(&it.transport, at, out);
    handling::documents(&it.documents, &it.documents_to_follow, &[], at, out);
    if let Some(own) = &it.handling {
        handling::handling(own, &[], &at.field("handling"), out);
    }
}
