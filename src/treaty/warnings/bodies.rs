//! Each kind of message: where it has codes.

use super::notes::Notes;
use super::parts::{declarations, documents, goods, measures, parties, to_follow, transport};
use crate::treaty::codes::List;
use crate::treaty::findings::Place;
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{
    Accord, AssistanceRequest, CostNotice, Ground, MeasureKind, OralRequestNote, Response,
    SpontaneousInformation,
};

/// What jurisdiction is stated where the agreement itself is cited.
const TREATY: &str = "TREATY";

pub(super) fn content(content: &Content, out: &mut Notes) {
    match content {
        Content::AssistanceRequest(it) => request(it, &Place::root("assistance_request"), out),
        Content::OralRequestNote(it) => oral_note(it, &Place::root("oral_request_note"), out),
        Content::ClarificationReply(it) => {
            let at = Place::root("clarification_reply");
            documents(&it.documents, &at, out);
            if let Some(supplement) = &it.supplement {
                request(supplement, &at.field("supplement"), out);
            }
        }
        Content::ForwardingNotice(it) => {
            let at = Place::root("forwarding_notice");
            out.listed(List::Country, &it.agency_country, &at.field("agency_country"));
        }
        Content::Response(it) => response(it, &Place::root("response"), out),
        Content::CostNotice(it) => costs(it, &Place::root("cost_notice"), out),
        Content::Consultation(it) => documents(&it.documents, &Place::root("consultation"), out),
        Content::Accord(it) => accord(it, &Place::root("accord"), out),
        Content::DesignationNotice(it) => {
            let at = Place::root("designation_notice");
            if let Some(signature) = &it.signature {
                out.listed(List::Country, &signature.party, &at.field("signature").field("party"));
            }
        }
        Content::SpontaneousInformation(it) => spontaneous(it, &Place::root("spontaneous_information"), out),
        Content::ClarificationRequest(_)
        | Content::AcceptanceNotice(_)
        | Content::ConditionsNotice(_)
        | Content::ConditionsReply(_)
        | Content::ActionAdvice(_)
        | Content::ProgressNotice(_)
        | Content::NonExecutionNotice(_)
        | Content::WithdrawalNotice(_)
        | Content::CustodyNotice(_)
        | Content::OtherUseConsentRequest(_)
        | Content::OtherUseConsentDecision(_)
        | Content::ConfidentialityNotice(_)
        | Content::OutcomeReport(_)
        | Content::CaseClose(_) => {}
    }
}

/// A request, or what is added to one.
fn request(it: &AssistanceRequest, at: &Place<'_>, out: &mut Notes) {
    parties(&it.parties, at, out);
    for (index, element) in it.legal_elements.iter().enumerate() {
        if element.jurisdiction != TREATY {
            let place = at.element("legal_elements", index);
            out.listed(List::Country, &element.jurisdiction, &place.field("jurisdiction"));
        }
    }
    declarations(&it.declarations, at, out);
    goods(&it.goods, at, out);
    transport(&it.transport, at, out);
    measures(&it.measures, at, out);
    records(it, at, out);
    documents(&it.documents, at, out);
    to_follow(&it.documents_to_follow, at, out);
}

/// Article 8.4 ties what is taken from records to an offence. A supplement states no ground of its own.
fn records(it: &AssistanceRequest, at: &Place<'_>, out: &mut Notes) {
    if it.ground.is_empty() || it.ground().any(|ground| ground == Ground::Offence) {
        return;
    }
    for (index, measure) in it.measures.iter().enumerate() {
        if measure.kind() == MeasureKind::RecordsConsultation {
            let text = "Records are consulted for particulars relating to an offence, and none is the ground of this request \
                        (Article 8.4).";
            out.add("RECORDS_WITHOUT_OFFENCE", &at.element("measures", index).field("kind"), text);
        }
    }
}

fn oral_note(it: &OralRequestNote, at: &Place<'_>, out: &mut Notes) {
    out.listed(List::Country, &it.noted_by_party, &at.field("noted_by_party"));
    measures(&it.measures, at, out);
    out.listed(List::Country, &it.requesting_party, &at.field("requesting_party"));
}

fn response(it: &Response, at: &Place<'_>, out: &mut Notes) {
    documents(&it.documents, at, out);
    parties(&it.parties, at, out);
    goods(&it.goods, at, out);
    transport(&it.transport, at, out);
    declarations(&it.declarations, at, out);
}

fn costs(it: &CostNotice, at: &Place<'_>, out: &mut Notes) {
    for (index, line) in it.lines.iter().enumerate() {
        if let Some(amount) = &line.amount {
            let place = at.element("lines", index);
            out.listed(List::Currency, &amount.currency, &place.field("amount").field("currency"));
        }
    }
}

fn accord(it: &Accord, at: &Place<'_>, out: &mut Notes) {
    if let Some(settings) = &it.settings {
        out.languages(&settings.languages, &at.field("settings"), "languages");
    }
    for (index, signature) in it.signatures.iter().enumerate() {
        out.listed(List::Country, &signature.party, &at.element("signatures", index).field("party"));
    }
}

fn spontaneous(it: &SpontaneousInformation, at: &Place<'_>, out: &mut Notes) {
    parties(&it.parties, at, out);
    goods(&it.goods, at, out);
    transport(&it.transport, at, out);
    declarations(&it.declarations, at, out);
    documents(&it.documents, at, out);
}
