//! When something becomes due. "As soon as possible", "promptly" and "at the earliest opportunity" are targets that both
//! Parties agree in a directive (Article 11); a date that passes alerts, and changes no state.

use super::case::{Act, Case, Obligation, Side, State};
use crate::wire::assistance::v1::AlertTargets;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Something that is expected of a side by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What, in capitals: ORAL_CONFIRMATION, ACKNOWLEDGEMENT, URGENT_REACTION, FINAL_ANSWER or ORIGINAL_RETURN.
    pub what: &'static str,
    /// Of whom.
    pub owner: Side,
    /// Since when.
    pub since: Timestamp,
    /// By when.
    pub at: Timestamp,
    /// Paragraph of the agreement.
    pub article: &'static str,
}

/// Hours for the confirmation of an oral request, where no directive says otherwise.
const ORAL_HOURS: u32 = 24;
/// Hours for a first reaction to an urgent request.
const URGENT_HOURS: u32 = 8;
/// Working days for an official's acknowledgement of a request.
const ACKNOWLEDGEMENT_DAYS: u32 = 5;
/// Days for the final answer.
const ANSWER_DAYS: u32 = 90;
/// Days for the return of an original.
const ORIGINALS_DAYS: u32 = 90;

/// What is expected in a case. `recorded` gives the time at which the message of a step was recorded here.
pub fn due(case: &Case, targets: &AlertTargets, recorded: impl Fn(usize) -> Timestamp) -> Vec<Due> {
    let mut out = Vec::new();
    let mut add = |what, owner, since: Timestamp, at: Option<Timestamp>, article| {
        out.extend(at.map(|at| Due { what, owner, since, at, article }));
    };
    for owed in case.owed() {
        let since = recorded(owed.since);
        match owed.what {
            Obligation::OralConfirmation => {
                let hours = targets.oral_confirmation_hours.unwrap_or(ORAL_HOURS);
                add("ORAL_CONFIRMATION", owed.owner, since, hours_later(since, hours), "5.1");
            }
            Obligation::OriginalReturn(_) => {
                let days = targets.originals_days.unwrap_or(ORIGINALS_DAYS);
                add("ORIGINAL_RETURN", owed.owner, since, hours_later(since, days.saturating_mul(24)), "8.2");
            }
            _ => {}
        }
    }
    let opening = case.steps().iter().position(|step| step.from.is_none() && step.to.is_some());
    let Some(opened) = opening.filter(|_| !case.state().is_some_and(State::is_outcome)) else { return out };
    let since = recorded(opened);
    let requested = Side::Requested;
    if !has_reacted(case) {
        let days = targets.acknowledgement_working_days.unwrap_or(ACKNOWLEDGEMENT_DAYS);
        add("ACKNOWLEDGEMENT", requested, since, working_days_later(since, days), "7.1");
        if case.is_urgent() {
            let hours = targets.urgent_reaction_hours.unwrap_or(URGENT_HOURS);
            add("URGENT_REACTION", requested, since, hours_later(since, hours), "7.1");
        }
    }
    let days = targets.final_answer_days.unwrap_or(ANSWER_DAYS);
    add("FINAL_ANSWER", requested, since, hours_later(since, days.saturating_mul(24)), "7");
    out
}

/// Whether an official of the requested side has decided anything.
fn has_reacted(case: &Case) -> bool {
    case.steps().iter().any(|step| {
        step.crossed.is_none()
            && matches!(
                step.act,
                Some(Act::Clarification | Act::Acceptance | Act::Forwarding | Act::Conditions)
            )
    })
}

fn hours_later(since: Timestamp, hours: u32) -> Option<Timestamp> {
    since.checked_add(SignedDuration::from_hours(i64::from(hours))).ok()
}

/// Monday to Friday, in UTC: holidays are each Party's own and bind neither.
fn working_days_later(since: Timestamp, days: u32) -> Option<Timestamp> {
    let mut at = since.to_zoned(TimeZone::UTC);
    let mut left = days;
    while left > 0 {
        at = at.checked_add(1.day()).ok()?;
        if !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    Some(at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Digest;
    use crate::treaty::case::{Entry, Party};
    use crate::wire::assistance::v1::effect::Detail;
    use crate::wire::assistance::v1::{Effect, Kind, RequestEffect};
    use proptest::prelude::*;

    fn case(kinds: &[(Kind, bool)]) -> Case {
        let [us, kz] = ["US", "KZ"].map(|code| Party::from_code(code).unwrap());
        let entries: Vec<_> = kinds
            .iter()
            .zip(1..)
            .map(|((kind, requesting), sequence)| Entry {
                sender: if *requesting { us } else { kz },
                recipient: if *requesting { kz } else { us },
                sequence,
                peer_sequence_seen: sequence - 1,
                envelope: Digest::of(&sequence.to_be_bytes()),
                effect: Effect {
                    kind: (*kind).into(),
                    detail: requesting
                        .then(|| Detail::Request(RequestEffect { urgent: true, ..RequestEffect::default() })),
                    ..Effect::default()
                },
            })
            .collect();
        Case::fold(&entries)
    }

    #[test]
    fn targets_follow_the_directive_and_end_with_what_they_wait_for() {
        let friday: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
        let names = |case: &Case, targets: &AlertTargets| {
            due(case, targets, |_| friday)
                .into_iter()
                .map(|it| (it.what, it.at.to_string()))
                .collect::<Vec<_>>()
        };
        let open = case(&[(Kind::AssistanceRequest, true)]);
        let expected = [
            ("ACKNOWLEDGEMENT", "2026-12-04T10:00:00Z"),
            ("URGENT_REACTION", "2026-11-27T18:00:00Z"),
            ("FINAL_ANSWER", "2027-02-25T10:00:00Z"),
        ];
        assert_eq!(names(&open, &AlertTargets::default()), expected.map(|(what, at)| (what, at.to_owned())));
        let agreed = AlertTargets { acknowledgement_working_days: Some(1), ..AlertTargets::default() };
        assert_eq!(names(&open, &agreed)[0].1, "2026-11-30T10:00:00Z", "over a weekend");
        let accepted = case(&[(Kind::AssistanceRequest, true), (Kind::AcceptanceNotice, false)]);
        assert_eq!(names(&accepted, &agreed).len(), 1);
        let refused = case(&[(Kind::AssistanceRequest, true), (Kind::NonExecutionNotice, false)]);
        assert!(names(&refused, &agreed).is_empty());
    }

    proptest! {
        /// No target of any size overflows or comes before its beginning.
        #[test]
        fn any_target_is_a_time_after_its_beginning(days in 1u32..1000, hours in 1u32..10_000) {
            let since: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
            prop_assert!(working_days_later(since, days).unwrap() > since);
            prop_assert!(hours_later(since, hours).unwrap() > since);
            prop_assert!(hours_later(Timestamp::MAX, hours).is_none());
        }
    }
}
