//! Completeness and consistency of each kind, on the decoded message.
//!
//! Nothing here looks beyond the message. A rule that bounds already state is repeated only where the
//! agreement has a code of its own for it, or where text must not be blank.

mod conduct;
mod execution;
mod handling;
mod instruments;
mod measures;
mod particulars;
mod request;

use super::findings::{Findings, Place};
use crate::rules::Violation;
use crate::wire::assistance::v1::body::Content;

/// What the content of a body lacks, or says that it must not.
pub(super) fn check(content: &Content) -> Vec<Violation> {
    let mut found = Findings::default();
    let out = &mut found;
    match content {
        Content::AssistanceRequest(it) => request::request(it, &Place::root("assistance_request"), out),
        Content::OralRequestNote(it) => request::oral_note(it, &Place::root("oral_request_note"), out),
        Content::ClarificationRequest(it) => {
            conduct::clarification_request(it, &Place::root("clarification_request"), out);
        }
        Content::ClarificationReply(it) => {
            conduct::clarification_reply(it, &Place::root("clarification_reply"), out);
        }
        Content::ForwardingNotice(it) => conduct::forwarding(it, &Place::root("forwarding_notice"), out),
        Content::ConditionsNotice(it) => conduct::conditions(it, &Place::root("conditions_notice"), out),
        Content::ConditionsReply(it) => conduct::conditions_reply(it, &Place::root("conditions_reply"), out),
        Content::ActionAdvice(it) => execution::advice(it, &Place::root("action_advice"), out),
        Content::ProgressNotice(it) => execution::progress(it, &Place::root("progress_notice"), out),
        Content::Response(it) => execution::response(it, &Place::root("response"), out),
        Content::NonExecutionNotice(it) => {
            execution::non_execution(it, &Place::root("non_execution_notice"), out);
        }
        Content::CustodyNotice(it) => instruments::custody(it, &Place::root("custody_notice"), out),
        Content::CostNotice(it) => instruments::costs(it, &Place::root("cost_notice"), out),
        Content::OtherUseConsentRequest(it) => {
            instruments::consent_request(it, &Place::root("other_use_consent_request"), out);
        }
        Content::OtherUseConsentDecision(it) => {
            instruments::consent_decision(it, &Place::root("other_use_consent_decision"), out);
        }
        Content::ConfidentialityNotice(it) => {
            instruments::confidentiality(it, &Place::root("confidentiality_notice"), out);
        }
        Content::Consultation(it) => {
            handling::documents(&it.documents, &[], &[], &Place::root("consultation"), out);
        }
        Content::Accord(it) => instruments::accord(it, &Place::root("accord"), out),
        Content::DesignationNotice(it) => {
            instruments::designation(it, &Place::root("designation_notice"), out)
        }
        // Whether a directive allows it is not for the message to tell (Article 2.1).
        Content::SpontaneousInformation(it) => {
            instruments::spontaneous(it, &Place::root("spontaneous_information"), out);
        }
        Content::AcceptanceNotice(_)
        | Content::WithdrawalNotice(_)
        | Content::OutcomeReport(_)
        | Content::CaseClose(_) => {}
    }
    found.into_list()
}
