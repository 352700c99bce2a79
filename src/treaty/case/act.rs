//! What a message does: its kind, with the part of its content on which the rules depend.

use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{
    ConsentKind, CostStage, CustodyEvent, Effect, Kind, ReplyKind, ResponseType,
};

/// Declares the acts once: variant, name.
macro_rules! acts {
    ($($variant:ident $name:literal;)*) => {
        /// What a message does to its case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act {
            $(#[doc = $name] $variant,)*
        }

        impl Act {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its stable name, in capitals.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

acts! {
    Request "ASSISTANCE_REQUEST";
    Confirmation "ASSISTANCE_REQUEST_CONFIRMING";
    OralNote "ORAL_REQUEST_NOTE";
    Clarification "CLARIFICATION_REQUEST";
    ClarificationReply "CLARIFICATION_REPLY";
    Acceptance "ACCEPTANCE_NOTICE";
    Forwarding "FORWARDING_NOTICE";
    Conditions "CONDITIONS_NOTICE";
    ConditionsAccepted "CONDITIONS_REPLY_ACCEPT";
    ConditionsDeclined "CONDITIONS_REPLY_DECLINE";
    ConditionsCountered "CONDITIONS_REPLY_COUNTER";
    Advice "ACTION_ADVICE";
    Progress "PROGRESS_NOTICE";
    AgencyTold "PROGRESS_NOTICE_AGENCY_TOLD";
    Interim "RESPONSE_INTERIM";
    Final "RESPONSE_FINAL";
    Correction "RESPONSE_CORRECTION";
    NonExecution "NON_EXECUTION_NOTICE";
    Withdrawal "WITHDRAWAL_NOTICE";
    OriginalSent "CUSTODY_NOTICE_SENT";
    OriginalReceived "CUSTODY_NOTICE_RECEIVED";
    OriginalReturnSent "CUSTODY_NOTICE_RETURN_SENT";
    OriginalReturned "CUSTODY_NOTICE_RETURN_RECEIVED";
    OriginalLost "CUSTODY_NOTICE_LOST_OR_DAMAGED";
    LossAcknowledged "CUSTODY_NOTICE_LOSS_ACKNOWLEDGED";
    DestructionCertified "CUSTODY_NOTICE_DESTROYED_CERTIFIED";
    CostEstimate "COST_NOTICE_ESTIMATE";
    CostApproved "COST_NOTICE_APPROVED";
    CostDeclined "COST_NOTICE_DECLINED";
    CostStatement "COST_NOTICE_STATEMENT";
    CostSettled "COST_NOTICE_SETTLED";
    CostDisputed "COST_NOTICE_DISPUTED";
    ConsentAsked "OTHER_USE_CONSENT_REQUEST";
    ConsentGranted "OTHER_USE_CONSENT_DECISION_GRANTED";
    ConsentDenied "OTHER_USE_CONSENT_DECISION_DENIED";
    ConsentWithdrawn "OTHER_USE_CONSENT_DECISION_WITHDRAWN";
    Confidentiality "CONFIDENTIALITY_NOTICE";
    Consultation "CONSULTATION";
    Accord "ACCORD";
    Designation "DESIGNATION_NOTICE";
    Outcome "OUTCOME_REPORT";
    Close "CASE_CLOSE";
    Spontaneous "SPONTANEOUS_INFORMATION";
}

impl Act {
    /// What an effect does; `None` where it names no kind, or no member of a list that the kind rests on.
    pub fn of(effect: &Effect) -> Option<Self> {
        Some(match (Kind::try_from(effect.kind).ok()?, &effect.detail) {
            (Kind::AssistanceRequest, Some(Detail::Request(it))) if it.confirms_oral => Self::Confirmation,
            (Kind::AssistanceRequest, _) => Self::Request,
            (Kind::OralRequestNote, _) => Self::OralNote,
            (Kind::ClarificationRequest, _) => Self::Clarification,
            (Kind::ClarificationReply, _) => Self::ClarificationReply,
            (Kind::AcceptanceNotice, _) => Self::Acceptance,
            (Kind::ForwardingNotice, _) => Self::Forwarding,
            (Kind::ConditionsNotice, _) => Self::Conditions,
            (Kind::ConditionsReply, Some(Detail::ConditionsReply(it))) => reply(it.reply())?,
            (Kind::ActionAdvice, _) => Self::Advice,
            (Kind::ProgressNotice, Some(Detail::Progress(it))) if it.agency_notified_of_withdrawal => {
                Self::AgencyTold
            }
            (Kind::ProgressNotice, _) => Self::Progress,
            (Kind::Response, Some(Detail::Response(it))) => response(it.r#type())?,
            (Kind::NonExecutionNotice, _) => Self::NonExecution,
            (Kind::WithdrawalNotice, _) => Self::Withdrawal,
            (Kind::CustodyNotice, Some(Detail::Custody(it))) => custody(it.event())?,
            (Kind::CostNotice, Some(Detail::Cost(it))) => cost(it.stage())?,
            (Kind::OtherUseConsentRequest, _) => Self::ConsentAsked,
            (Kind::OtherUseConsentDecision, Some(Detail::Items(it))) => consent(it.decision())?,
            (Kind::ConfidentialityNotice, _) => Self::Confidentiality,
            (Kind::Consultation, _) => Self::Consultation,
            (Kind::Accord, _) => Self::Accord,
            (Kind::DesignationNotice, _) => Self::Designation,
            (Kind::OutcomeReport, _) => Self::Outcome,
            (Kind::CaseClose, _) => Self::Close,
            (Kind::SpontaneousInformation, _) => Self::Spontaneous,
            _ => return None,
        })
    }

    /// A request or an oral note: what opens a case where none has.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Request | Self::Confirmation | Self::OralNote)
    }

    /// A response of any type.
    pub const fn supplies(self) -> bool {
        matches!(self, Self::Interim | Self::Final | Self::Correction)
    }
}

fn reply(kind: ReplyKind) -> Option<Act> {
    match kind {
        ReplyKind::Unspecified => None,
        ReplyKind::Accept => Some(Act::ConditionsAccepted),
        ReplyKind::Decline => Some(Act::ConditionsDeclined),
        ReplyKind::Counter => Some(Act::ConditionsCountered),
    }
}

fn response(kind: ResponseType) -> Option<Act> {
    match kind {
        ResponseType::Unspecified => None,
        ResponseType::Interim => Some(Act::Interim),
        ResponseType::Final => Some(Act::Final),
        ResponseType::Correction => Some(Act::Correction),
    }
}

fn custody(event: CustodyEvent) -> Option<Act> {
    match event {
        CustodyEvent::Unspecified => None,
        CustodyEvent::Sent => Some(Act::OriginalSent),
        CustodyEvent::Received => Some(Act::OriginalReceived),
        CustodyEvent::ReturnSent => Some(Act::OriginalReturnSent),
        CustodyEvent::ReturnReceived => Some(Act::OriginalReturned),
        CustodyEvent::LostOrDamaged => Some(Act::OriginalLost),
        CustodyEvent::LossAcknowledged => Some(Act::LossAcknowledged),
        CustodyEvent::DestroyedCertified => Some(Act::DestructionCertified),
    }
}

fn cost(stage: CostStage) -> Option<Act> {
    match stage {
        CostStage::Unspecified => None,
        CostStage::Estimate => Some(Act::CostEstimate),
        CostStage::Approved => Some(Act::CostApproved),
        CostStage::Declined => Some(Act::CostDeclined),
        CostStage::Statement => Some(Act::CostStatement),
        CostStage::Settled => Some(Act::CostSettled),
        CostStage::Disputed => Some(Act::CostDisputed),
    }
}

fn consent(decision: ConsentKind) -> Option<Act> {
    match decision {
        ConsentKind::Unspecified => None,
        ConsentKind::Granted | ConsentKind::GrantedWithConditions => Some(Act::ConsentGranted),
        ConsentKind::Denied => Some(Act::ConsentDenied),
        ConsentKind::Withdrawn => Some(Act::ConsentWithdrawn),
    }
}
