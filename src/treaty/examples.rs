//! A small valid message of each kind, for tests.

use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;
use prost::Message as _;
use prost_types::Timestamp;

/// One valid body for every kind; a kind that is not enabled is valid but for that.
pub(super) fn all() -> Vec<Content> {
    vec![
        Content::AssistanceRequest(request()),
        Content::OralRequestNote(oral_note()),
        Content::ClarificationRequest(clarification_request()),
        Content::ClarificationReply(clarification_reply()),
        Content::AcceptanceNotice(acceptance()),
        Content::ForwardingNotice(forwarding()),
        Content::ConditionsNotice(conditions()),
        Content::ConditionsReply(ConditionsReply {
            version: 1,
            reply: ReplyKind::Accept.into(),
            ..Default::default()
        }),
        Content::ActionAdvice(advice()),
        Content::ProgressNotice(ProgressNotice { text: "Samples taken.".into(), ..Default::default() }),
        Content::Response(response()),
        Content::NonExecutionNotice(non_execution()),
        Content::WithdrawalNotice(WithdrawalNotice::default()),
        Content::CustodyNotice(custody(CustodyEvent::Sent)),
        Content::CostNotice(costs()),
        Content::OtherUseConsentRequest(consent_request()),
        Content::OtherUseConsentDecision(consent_decision(ConsentKind::Granted)),
        Content::ConfidentialityNotice(confidentiality()),
        Content::Consultation(consultation()),
        Content::Accord(accord()),
        Content::DesignationNotice(designation()),
        Content::OutcomeReport(OutcomeReport { outcome: Outcome::Pending.into(), ..Default::default() }),
        Content::CaseClose(CaseClose { last_envelope_seen: digest(1) }),
        Content::SpontaneousInformation(spontaneous()),
    ]
}

/// The bytes of a body with this content.
pub(super) fn encode(content: Content) -> Vec<u8> {
    Body { content: Some(content) }.encode_to_vec()
}

pub(super) fn request() -> AssistanceRequest {
    AssistanceRequest {
        requesting_ref: "KZ-1".into(),
        ground: vec![Ground::Offence.into()],
        authority: Some(Authority {
            service: "State Revenue Committee".into(),
            originating_office: "Almaty".into(),
            designated_official_id: "KZ-DO-0007".into(),
            releasing_official_id: "KZ-DO-0002".into(),
            contact_phone: "+7 000 000 00 07".into(),
        }),
        proceedings: Some(Proceedings {
            natures: vec![Nature::Administrative.into()],
            stage: "AUDIT".into(),
            ..Default::default()
        }),
        object: "Copies of invoices.".into(),
        reason: "The papers disagree.".into(),
        parties: vec![party("P1")],
        description: "Three consignments.".into(),
        legal_elements: vec![LegalElement {
            jurisdiction: "KZ".into(),
            citation: "Customs code".into(),
            summary: "Duty to declare.".into(),
        }],
        flow: vec![Flow::Import.into()],
        offences: vec![Offence { kind: OffenceKind::Undervaluation.into(), ..Default::default() }],
        measures: vec![measure("M1", MeasureKind::ProvideDocuments, "8.1")],
        ..Default::default()
    }
}

pub(super) fn party(name: &str) -> SubjectParty {
    SubjectParty {
        party_ref: name.into(),
        kind: PartyKind::Legal.into(),
        name: "Example LLP".into(),
        ..Default::default()
    }
}

pub(super) fn measure(id: &str, kind: MeasureKind, article: &str) -> Measure {
    Measure {
        measure_id: id.into(),
        kind: kind.into(),
        article: article.into(),
        text: "As agreed.".into(),
        ..Default::default()
    }
}

pub(super) fn document(id: &str, form: DocForm) -> Document {
    Document {
        doc_id: id.into(),
        type_code: "380".into(),
        title: "Invoice".into(),
        form: form.into(),
        ..Default::default()
    }
}

pub(super) fn goods(line: u32) -> GoodsItem {
    GoodsItem { line, description: "Scanners".into(), ..Default::default() }
}

pub(super) fn oral_note() -> OralRequestNote {
    OralRequestNote {
        made_at: Some(instant()),
        medium: Medium::VoiceTelephone.into(),
        requesting_official_id: "US-DO-0011".into(),
        receiving_official_id: "KZ-DO-0009".into(),
        noted_by_party: "KZ".into(),
        requesting_party: "US".into(),
        exigency: "The vehicle leaves.".into(),
        summary: "Inspect it.".into(),
        ..Default::default()
    }
}

pub(super) fn clarification_request() -> ClarificationRequest {
    let missing =
        Missing { missing_id: "Q1".into(), concerns: "5.2(d)".into(), question: "Which address?".into() };
    ClarificationRequest { missing: vec![missing], ..Default::default() }
}

pub(super) fn clarification_reply() -> ClarificationReply {
    let answer = Answer { missing_id: "Q1".into(), unknown: true, ..Default::default() };
    ClarificationReply { answers: vec![answer], ..Default::default() }
}

fn acceptance() -> AcceptanceNotice {
    AcceptanceNotice {
        requested_ref: "US-1".into(),
        contact_official_id: "US-DO-0011".into(),
        ..Default::default()
    }
}

pub(super) fn forwarding() -> ForwardingNotice {
    ForwardingNotice {
        agency_name: "Coast guard".into(),
        agency_country: "US".into(),
        transmitted_at: Some(instant()),
        ..Default::default()
    }
}

pub(super) fn conditions() -> ConditionsNotice {
    let condition = Condition {
        condition_id: "C1".into(),
        kind: ConditionKind::NoEvidenceUse.into(),
        text: "Not in court.".into(),
        ..Default::default()
    };
    ConditionsNotice {
        version: 1,
        conditions: vec![condition],
        grounds: vec![Art4Ground::Security.into()],
        reasons: "Security.".into(),
        ..Default::default()
    }
}

pub(super) fn advice() -> ActionAdvice {
    ActionAdvice {
        measure_id: "M1".into(),
        at: Some(instant()),
        time_zone: "Asia/Almaty".into(),
        place: "Almaty".into(),
        contact_official_id: "KZ-DO-0009".into(),
        ..Default::default()
    }
}

pub(super) fn response() -> Response {
    let result = MeasureResult {
        measure_id: "M1".into(),
        outcome: MeasureOutcome::Executed.into(),
        ..Default::default()
    };
    Response {
        r#type: ResponseType::Final.into(),
        requested_ref: "US-1".into(),
        results: vec![result],
        ..Default::default()
    }
}

pub(super) fn non_execution() -> NonExecutionNotice {
    NonExecutionNotice {
        grounds: vec![NonExecutionGround::NotHeld.into()],
        reasons: "No such record.".into(),
        decided_at: Some(instant()),
        ..Default::default()
    }
}

pub(super) fn custody(event: CustodyEvent) -> CustodyNotice {
    CustodyNotice {
        item_id: "KZ-2026-1".into(),
        event: event.into(),
        at: Some(instant()),
        ..Default::default()
    }
}

pub(super) fn costs() -> CostNotice {
    let amount = Money { amount: "100.00".into(), currency: "USD".into(), ..Default::default() };
    let line =
        CostLine { kind: CostKind::InterpreterCost.into(), amount: Some(amount), ..Default::default() };
    CostNotice { stage: CostStage::Statement.into(), lines: vec![line] }
}

pub(super) fn consent_request() -> OtherUseConsentRequest {
    OtherUseConsentRequest {
        request_id: UUID.into(),
        item_ids: vec![digest(1)],
        purpose: "Statistics.".into(),
        recipient: "Statistical office".into(),
        ..Default::default()
    }
}

pub(super) fn consent_decision(decision: ConsentKind) -> OtherUseConsentDecision {
    OtherUseConsentDecision {
        request_id: UUID.into(),
        decision: decision.into(),
        item_ids: vec![digest(1)],
        ..Default::default()
    }
}

fn confidentiality() -> ConfidentialityNotice {
    ConfidentialityNotice {
        item_ids: vec![digest(1)],
        confidential: true,
        reasons: "The inquiry goes on.".into(),
    }
}

fn consultation() -> Consultation {
    Consultation {
        thread_id: UUID.into(),
        subject: "Languages".into(),
        text: "May we write in Russian?".into(),
        ..Default::default()
    }
}

pub(super) fn accord() -> Accord {
    Accord {
        r#type: AccordType::Directive.into(),
        number: 2,
        supersedes: 1,
        title: "Languages".into(),
        text: "English and Russian.".into(),
        effective_on: "2026-07-01".into(),
        digest: digest(2),
        signatures: vec![signature("US"), signature("KZ")],
        ..Default::default()
    }
}

pub(super) fn designation() -> DesignationNotice {
    DesignationNotice {
        list_version: 1,
        officials: vec![official("KZ-DO-0007")],
        signature: Some(signature("KZ")),
    }
}

pub(super) fn official(id: &str) -> Official {
    Official {
        id: id.into(),
        name: "DOE, Jordan".into(),
        office: "Almaty".into(),
        contact: "+7 000 000 00 07".into(),
        valid_from: "2026-01-01".into(),
        ..Default::default()
    }
}

fn signature(party: &str) -> HeadSignature {
    HeadSignature {
        party: party.into(),
        signatory: "Head of service".into(),
        signed_at: Some(instant()),
        key_id: digest(3),
        signature: vec![0x30; 64].into(),
    }
}

fn spontaneous() -> SpontaneousInformation {
    SpontaneousInformation {
        subject: "Consignment".into(),
        text: "It may be diverted.".into(),
        offences: vec![Offence { kind: OffenceKind::TransitDiversion.into(), ..Default::default() }],
        ..Default::default()
    }
}

const UUID: &str = "0198f000-0000-7000-8000-000000000001";

pub(super) fn digest(byte: u8) -> bytes::Bytes {
    vec![byte; 32].into()
}

fn instant() -> Timestamp {
    Timestamp { seconds: 1_790_000_000, nanos: 0 }
}
