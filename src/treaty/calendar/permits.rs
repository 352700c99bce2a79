//! What may be sealed in which phase (Articles 12.1 and 12.3).

use super::Phase;
use crate::treaty::Code;
use crate::treaty::case::Act;

/// Under which circumstances something is to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion {
    /// Where the agreement stands.
    pub phase: Phase,
    /// Traffic without legal effect, which needs no agreement in force.
    pub rehearsal: bool,
    /// No date is recorded.
    pub undated: bool,
    /// A directive in force lets open requests be completed after the end (Article 12.3).
    pub completion: bool,
}

/// What an act is once the agreement has ceased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterTheEnd {
    /// Winds up what was begun, or is about the agreement itself.
    WindsUp,
    /// Goes on with a request that was made before.
    Completes,
    /// Begins something.
    Begins,
}

/// Whether something may be sealed.
///
/// A written confirmation passes here: that its oral request was made before the end is for the case to tell.
///
/// # Errors
/// Why not.
pub fn permits(occasion: Occasion, act: Act) -> Result<(), Code> {
    if occasion.rehearsal && (occasion.undated || occasion.phase == Phase::BeforeForce) {
        return Ok(());
    }
    match occasion.phase {
        Phase::BeforeForce => Err(Code::AgreementNotInForce),
        Phase::InForce | Phase::Terminating => Ok(()),
        Phase::Ceased => match after_the_end(act) {
            AfterTheEnd::WindsUp => Ok(()),
            AfterTheEnd::Completes if occasion.completion => Ok(()),
            AfterTheEnd::Completes => Err(Code::CompletionNotAgreed),
            AfterTheEnd::Begins => Err(Code::AgreementCeased),
        },
    }
}

fn after_the_end(act: Act) -> AfterTheEnd {
    match act {
        Act::Request | Act::OralNote | Act::Spontaneous => AfterTheEnd::Begins,
        Act::Clarification
        | Act::ClarificationReply
        | Act::Acceptance
        | Act::Forwarding
        | Act::Conditions
        | Act::ConditionsAccepted
        | Act::ConditionsDeclined
        | Act::ConditionsCountered
        | Act::Advice
        | Act::Progress
        | Act::Interim
        | Act::Final
        | Act::Correction
        | Act::Outcome => AfterTheEnd::Completes,
        // An obligation of Article 6.2 that a withdrawal opens must be dischargeable, as all others must.
        Act::Confirmation
        | Act::AgencyTold
        | Act::NonExecution
        | Act::Withdrawal
        | Act::OriginalSent
        | Act::OriginalReceived
        | Act::OriginalReturnSent
        | Act::OriginalReturned
        | Act::OriginalLost
        | Act::LossAcknowledged
        | Act::DestructionCertified
        | Act::CostEstimate
        | Act::CostApproved
        | Act::CostDeclined
        | Act::CostStatement
        | Act::CostSettled
        | Act::CostDisputed
        | Act::ConsentAsked
        | Act::ConsentGranted
        | Act::ConsentDenied
        | Act::ConsentWithdrawn
        | Act::Confidentiality
        | Act::Close
        | Act::Consultation
        | Act::Accord
        | Act::Designation => AfterTheEnd::WindsUp,
    }
}
