//! Items, costs, consents, accords and designations (Articles 3, 6.1, 8.2, 9 and 11).

use super::super::code::Code;
use super::super::findings::{Findings, Place};
use super::{handling, particulars};
use crate::wire::assistance::v1::{
    Accord, AccordType, ConfidentialityNotice, ConsentKind, CostKind, CostNotice, CustodyEvent,
    CustodyNotice, DesignationNotice, OtherUseConsentDecision, OtherUseConsentRequest,
    SpontaneousInformation,
};
use std::collections::HashSet;

/// The state of an item is stated where it may be disputed (Article 8.2); a certificate of destruction lists
/// what was destroyed, and nothing else does (Article 4).
pub(super) fn custody(it: &CustodyNotice, at: &Place<'_>, out: &mut Findings) {
    let event = it.event();
    let inspected =
        matches!(event, CustodyEvent::Received | CustodyEvent::ReturnReceived | CustodyEvent::LostOrDamaged);
    if inspected {
        out.text(&it.condition, Code::ItemConditionRequired, at, "condition");
    }
    let destroyed = event == CustodyEvent::DestroyedCertified;
    out.add_if(destroyed && it.digests.is_empty(), Code::DigestsRequired, at, "digests");
    out.add_if(!destroyed && !it.digests.is_empty(), Code::DigestsUnexpected, at, "digests");
    out.distinct(&it.digests, at, "digests");
}

/// Interpreting by a government employee is not charged (Article 9.1).
pub(super) fn costs(it: &CostNotice, at: &Place<'_>, out: &mut Findings) {
    for (index, line) in it.lines.iter().enumerate() {
        let place = at.element("lines", index);
        let waived = line.kind() == CostKind::InterpreterCost && line.government_employee;
        out.add_if(waived, Code::GovernmentInterpreter, &place, "government_employee");
        particulars::money(line.amount.as_ref(), &place, "amount", out);
    }
}

/// The use is stated, item by item (Article 3.1).
pub(super) fn consent_request(it: &OtherUseConsentRequest, at: &Place<'_>, out: &mut Findings) {
    out.text(&it.purpose, Code::ConsentPurposeRequired, at, "purpose");
    out.distinct(&it.item_ids, at, "item_ids");
}

/// Conditions are stated with consent that is subject to them, and only then (Article 3.1).
pub(super) fn consent_decision(it: &OtherUseConsentDecision, at: &Place<'_>, out: &mut Findings) {
    let conditional = it.decision() == ConsentKind::GrantedWithConditions;
    let codes = (Code::ConsentConditionsRequired, Code::ConsentConditionsUnexpected);
    out.text_iff(conditional, &it.conditions, codes, at, "conditions");
    out.distinct(&it.item_ids, at, "item_ids");
}

/// Confidentiality has reasons, and so has its end (Article 3.2).
pub(super) fn confidentiality(it: &ConfidentialityNotice, at: &Place<'_>, out: &mut Findings) {
    out.text(&it.reasons, Code::ConfidentialityReasonsRequired, at, "reasons");
    out.distinct(&it.item_ids, at, "item_ids");
}

/// An accord replaces an earlier one; only a directive makes settings; each Party signs once (Article 11).
pub(super) fn accord(it: &Accord, at: &Place<'_>, out: &mut Findings) {
    out.add_if(it.supersedes != 0 && it.supersedes >= it.number, Code::SupersedesLater, at, "supersedes");
    let misplaced = it.settings.is_some() && it.r#type() == AccordType::Interpretation;
    out.add_if(misplaced, Code::SettingsMisplaced, at, "settings");
    let mut signed = HashSet::new();
    for (index, signature) in it.signatures.iter().enumerate() {
        if !signed.insert(&signature.party) {
            out.add(Code::SignatureRepeated, &at.element("signatures", index).field("party"));
        }
    }
}

/// Every official is listed once, for a period that does not end before it starts (Article 6.1).
pub(super) fn designation(it: &DesignationNotice, at: &Place<'_>, out: &mut Findings) {
    out.names(it.officials.iter().map(|it| &it.id), at, "officials", "id");
    for (index, official) in it.officials.iter().enumerate() {
        let place = at.element("officials", index);
        out.period(&official.valid_from, &official.valid_to, &place, "valid_to");
        out.distinct(&official.scope, &place, "scope");
    }
}

/// What it supplies is handled as what a response supplies (Articles 2.1 and 3).
pub(super) fn spontaneous(it: &SpontaneousInformation, at: &Place<'_>, out: &mut Findings) {
    let known = particulars::parties(&it.parties, at, out);
    particulars::offences(&it.offences, Some(&known), at, out);
    particulars::goods(&it.goods, at, out);
    particulars::transport(&it.transport, at, out);
    handling::documents(&it.documents, &[], &[], at, out);
    if let Some(own) = &it.handling {
        handling::handling(own, &[], &at.field("handling"), out);
    }
}
