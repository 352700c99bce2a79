//! What is common to bodies of all kinds.

use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{Body, Document, Handling, Kind};

/// The kind of a body; `None` if it has no content.
pub fn kind_of(body: &Body) -> Option<Kind> {
    let kind = match body.content.as_ref()? {
        Content::AssistanceRequest(_) => Kind::AssistanceRequest,
        Content::OralRequestNote(_) => Kind::OralRequestNote,
        Content::ClarificationRequest(_) => Kind::ClarificationRequest,
        Content::ClarificationReply(_) => Kind::ClarificationReply,
        Content::AcceptanceNotice(_) => Kind::AcceptanceNotice,
        Content::ForwardingNotice(_) => Kind::ForwardingNotice,
        Content::ConditionsNotice(_) => Kind::ConditionsNotice,
        Content::ConditionsReply(_) => Kind::ConditionsReply,
        Content::ActionAdvice(_) => Kind::ActionAdvice,
        Content::ProgressNotice(_) => Kind::ProgressNotice,
        Content::Response(_) => Kind::Response,
        Content::NonExecutionNotice(_) => Kind::NonExecutionNotice,
        Content::WithdrawalNotice(_) => Kind::WithdrawalNotice,
        Content::CustodyNotice(_) => Kind::CustodyNotice,
        Content::CostNotice(_) => Kind::CostNotice,
        Content::OtherUseConsentRequest(_) => Kind::OtherUseConsentRequest,
        Content::OtherUseConsentDecision(_) => Kind::OtherUseConsentDecision,
        Content::ConfidentialityNotice(_) => Kind::ConfidentialityNotice,
        Content::Consultation(_) => Kind::Consultation,
        Content::Accord(_) => Kind::Accord,
        Content::DesignationNotice(_) => Kind::DesignationNotice,
        Content::OutcomeReport(_) => Kind::OutcomeReport,
        Content::CaseClose(_) => Kind::CaseClose,
        Content::SpontaneousInformation(_) => Kind::SpontaneousInformation,
    };
    Some(kind)
}

/// The documents that accompany a body, in the order in which the envelope commits to them (Article 5.1);
/// empty for a kind that carries none.
pub fn documents(body: &Body) -> &[Document] {
    match &body.content {
        Some(Content::AssistanceRequest(message)) => &message.documents,
        Some(Content::ClarificationReply(message)) => &message.documents,
        Some(Content::Response(message)) => &message.documents,
        Some(Content::Consultation(message)) => &message.documents,
        Some(Content::SpontaneousInformation(message)) => &message.documents,
        _ => &[],
    }
}

/// How the body as a whole is to be handled (Article 3).
pub(super) fn handling(content: &Content) -> Option<&Handling> {
    match content {
        Content::AssistanceRequest(message) => message.handling.as_ref(),
        Content::OralRequestNote(message) => message.handling.as_ref(),
        Content::ClarificationReply(message) => message.supplement.as_ref()?.handling.as_ref(),
        Content::Response(message) => message.handling.as_ref(),
        Content::SpontaneousInformation(message) => message.handling.as_ref(),
        _ => None,
    }
}
