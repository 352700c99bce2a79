//! Who may do what in which state: one row for each act.
//!
//! Guards that depend on more than side and state stand in [`super::duties`].

use super::State::{Answered, Clarifying, Conditioned, Executing, NotExecuted, Submitted, Withdrawn};
use super::{Act, Side, State};
use crate::treaty::code::Code;

/// Whose act it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The requesting side's alone.
    Requesting,
    /// The requested side's alone.
    Requested,
    /// Either side's; the register says more where an item or a request decides.
    Either,
}

/// In which states an act is permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// In these.
    These(&'static [State]),
    /// In every state of a case that a request has opened.
    AnyState,
    /// Also where no request has opened the case.
    Anywhere,
    /// Only where no request has opened the case.
    Nowhere,
}

/// One act: who may do it, where, what it leads to, and on which paragraph that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The act.
    pub act: Act,
    /// Whose it is.
    pub by: By,
    /// Where it is permitted.
    pub within: In,
    /// The state it leads to; `None` leaves the state as it is.
    pub leads_to: Option<State>,
    /// Paragraph of the agreement.
    pub article: &'static str,
}

const UNANSWERED: In = In::These(&[Submitted, Clarifying, Conditioned, Executing]);
const DECIDING: In = In::These(&[Submitted, Executing]);
const OUTCOMES: In = In::These(&[Answered, NotExecuted, Withdrawn]);

const fn rule(act: Act, by: By, within: In, leads_to: Option<State>, article: &'static str) -> Rule {
    Rule { act, by, within, leads_to, article }
}

/// The rules. A test holds them complete and in the order of [`Act::ALL`].
pub const RULES: &[Rule] = &[
    rule(Act::Request, By::Requesting, In::Nowhere, Some(Submitted), "5.1"),
    rule(Act::Confirmation, By::Requesting, In::Anywhere, None, "5.1"),
    rule(Act::OralNote, By::Either, In::Anywhere, None, "5.1"),
    rule(Act::Clarification, By::Requested, DECIDING, Some(Clarifying), "5.2"),
    rule(Act::ClarificationReply, By::Requesting, In::These(&[Clarifying]), Some(Submitted), "5.2"),
    rule(Act::Acceptance, By::Requested, In::These(&[Submitted]), Some(Executing), "7.1"),
    rule(Act::Forwarding, By::Requested, DECIDING, Some(Executing), "6.2"),
    rule(
        Act::Conditions,
        By::Requested,
        In::These(&[Submitted, Executing, Conditioned]),
        Some(Conditioned),
        "4",
    ),
    rule(Act::ConditionsAccepted, By::Requesting, In::These(&[Conditioned]), Some(Executing), "4"),
    rule(Act::ConditionsDeclined, By::Requesting, In::These(&[Conditioned]), Some(NotExecuted), "4"),
    rule(Act::ConditionsCountered, By::Requesting, In::These(&[Conditioned]), Some(Submitted), "4"),
    rule(Act::Advice, By::Requested, In::These(&[Executing]), None, "7.6"),
    rule(Act::Progress, By::Requested, In::These(&[Executing]), None, "7"),
    rule(Act::AgencyTold, By::Requested, In::AnyState, None, "6.2"),
    rule(Act::Interim, By::Requested, In::These(&[Executing]), None, "7"),
    rule(Act::Final, By::Requested, DECIDING, Some(Answered), "7"),
    rule(Act::Correction, By::Requested, In::AnyState, None, "7"),
    rule(Act::NonExecution, By::Requested, UNANSWERED, Some(NotExecuted), "7.7"),
    rule(Act::Withdrawal, By::Requesting, UNANSWERED, Some(Withdrawn), "11"),
    rule(Act::OriginalSent, By::Requested, In::AnyState, None, "8.1"),
    rule(Act::OriginalReceived, By::Requesting, In::AnyState, None, "8.2"),
    rule(Act::OriginalReturnSent, By::Requesting, In::AnyState, None, "8.2"),
    rule(Act::OriginalReturned, By::Requested, In::AnyState, None, "8.2"),
    rule(Act::OriginalLost, By::Either, In::AnyState, None, "8.2"),
    rule(Act::LossAcknowledged, By::Requested, In::AnyState, None, "8.2"),
    rule(Act::DestructionCertified, By::Either, In::AnyState, None, "4"),
    rule(Act::CostEstimate, By::Requested, In::AnyState, None, "9.1"),
    rule(Act::CostApproved, By::Requesting, In::AnyState, None, "9.1"),
    rule(Act::CostDeclined, By::Requesting, In::AnyState, None, "9.1"),
    rule(Act::CostStatement, By::Requested, In::AnyState, None, "9.2"),
    rule(Act::CostSettled, By::Requested, In::AnyState, None, "9.2"),
    rule(Act::CostDisputed, By::Requesting, In::AnyState, None, "9.2"),
    rule(Act::ConsentAsked, By::Either, In::Anywhere, None, "3.1"),
    rule(Act::ConsentGranted, By::Either, In::Anywhere, None, "3.1"),
    rule(Act::ConsentDenied, By::Either, In::Anywhere, None, "3.1"),
    rule(Act::ConsentWithdrawn, By::Either, In::Anywhere, None, "3.1"),
    rule(Act::Confidentiality, By::Either, In::Anywhere, None, "3.2"),
    rule(Act::Consultation, By::Either, In::Anywhere, None, "11"),
    rule(Act::Accord, By::Either, In::Anywhere, None, "11"),
    rule(Act::Designation, By::Either, In::Anywhere, None, "6.1"),
    rule(Act::Outcome, By::Either, In::AnyState, None, "11"),
    rule(Act::Close, By::Either, OUTCOMES, None, "11"),
    rule(Act::Spontaneous, By::Either, In::Anywhere, None, "2.1"),
];

impl Rule {
    /// The rule of an act.
    pub fn of(act: Act) -> &'static Self {
        // Every act has its row, which a test holds; the last one permits nothing that matters.
        RULES.iter().find(|rule| rule.act == act).unwrap_or(&CATCH_ALL)
    }

    /// The state that this side's act leads to from `state`.
    pub(super) fn to(&self, state: Option<State>, side: Side) -> Result<Option<State>, Code> {
        let ours = match self.by {
            By::Either => true,
            By::Requesting => side == Side::Requesting,
            By::Requested => side == Side::Requested,
        };
        if !ours {
            return Err(Code::OtherSidesPart);
        }
        let permitted = match (self.within, state) {
            (In::Anywhere, _) | (In::AnyState, Some(_)) | (In::Nowhere, None) => true,
            (In::These(states), Some(state)) => states.contains(&state),
            (In::Nowhere, Some(_)) => return Err(Code::CaseExists),
            (In::AnyState | In::These(_), None) => return Err(Code::CaseUnknown),
        };
        if !permitted {
            return Err(Code::StateForbids);
        }
        let opens = state.is_none() && matches!(self.act, Act::Confirmation | Act::OralNote);
        Ok(if opens { Some(Submitted) } else { self.leads_to.or(state) })
    }
}

const CATCH_ALL: Rule = rule(Act::Consultation, By::Either, In::These(&[]), None, "");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_one_rule() {
        let acts: Vec<Act> = RULES.iter().map(|rule| rule.act).collect();
        assert_eq!(acts, Act::ALL);
    }

    /// Only the requested side's acts execute, answer and refuse, but for the requesting side's reply to conditions; only
    /// the requesting side withdraws.
    #[test]
    fn no_side_moves_the_others_part() {
        for rule in RULES {
            match rule.leads_to {
                Some(Withdrawn) => assert_eq!(rule.by, By::Requesting),
                Some(Executing | Answered | NotExecuted | Clarifying | Conditioned) => {
                    let reply = matches!(rule.act, Act::ConditionsAccepted | Act::ConditionsDeclined);
                    assert_eq!(rule.by, if reply { By::Requesting } else { By::Requested }, "{:?}", rule.act);
                }
                _ => {}
            }
        }
    }
}
