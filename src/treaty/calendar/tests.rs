//! Dates of Article 12, by example and by property.

use super::*;
use crate::treaty::Code;
use crate::treaty::case::Act;
use proptest::prelude::*;

fn day(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn notified(on: &str) -> Dates {
    Dates { notified_on: day(on), ..Dates::default() }
}

#[test]
fn article_12_1_in_force_on_the_ninetieth_day() {
    let dates = notified("2000-05-23");
    assert_eq!(dates.in_force_on(), day("2000-08-21"));
    assert_eq!(dates.phase(at("2000-08-20T23:59:59Z")), Phase::BeforeForce);
    assert_eq!(dates.phase(at("2000-08-21T00:00:00Z")), Phase::InForce);
    let noon = Dates { second_of_day: 12 * 3600, ..dates };
    assert_eq!(noon.phase(at("2000-08-21T11:59:59Z")), Phase::BeforeForce);
    assert_eq!(noon.phase(at("2000-08-21T12:00:00Z")), Phase::InForce);
    assert_eq!(Dates::default().phase(at("2026-01-01T00:00:00Z")), Phase::BeforeForce);
}

#[test]
fn article_12_2_only_two_notices_cancel_the_review() {
    let dates = notified("2000-05-23");
    assert_eq!(dates.review_on(), day("2005-08-21"));
    let one = Dates { no_review: [day("2005-01-01"), None], ..dates };
    assert_eq!(one.review_on(), day("2005-08-21"));
    let other = Dates { no_review: [None, day("2005-01-01")], ..dates };
    assert_eq!(other.review_on(), day("2005-08-21"));
    let both = Dates { no_review: [day("2005-01-01"); 2], ..dates };
    assert_eq!(both.review_on(), None);
    assert_eq!(both.phase(at("2006-01-01T00:00:00Z")), Phase::InForce);
}

#[test]
fn article_12_3_six_months_end_with_the_month() {
    for (notice, end) in [
        ("2026-08-31", "2027-02-28"),
        ("2027-08-31", "2028-02-29"),
        ("2026-01-15", "2026-07-15"),
        ("2026-03-31", "2026-09-30"),
    ] {
        let dates = Dates { terminated_on: day(notice), ..notified("2000-05-23") };
        assert_eq!(dates.ceases_on(), day(end), "{notice}");
    }
    let dates = Dates { terminated_on: day("2026-08-31"), second_of_day: 3600, ..notified("2000-05-23") };
    assert_eq!(dates.phase(at("2026-08-30T23:59:59Z")), Phase::InForce);
    assert_eq!(dates.phase(at("2026-08-31T00:00:00Z")), Phase::Terminating);
    assert_eq!(dates.phase(at("2027-02-28T00:59:59.999999999Z")), Phase::Terminating);
    assert_eq!(dates.phase(at("2027-02-28T01:00:00Z")), Phase::Ceased);
}

#[test]
fn each_phase_permits_what_it_must() {
    let production =
        Occasion { phase: Phase::BeforeForce, rehearsal: false, undated: true, completion: false };
    for act in Act::ALL {
        assert_eq!(permits(production, *act), Err(Code::AgreementNotInForce));
        assert_eq!(permits(Occasion { rehearsal: true, ..production }, *act), Ok(()));
        for phase in [Phase::InForce, Phase::Terminating] {
            assert_eq!(permits(Occasion { phase, undated: false, ..production }, *act), Ok(()));
        }
    }
    let ceased = Occasion { phase: Phase::Ceased, undated: false, ..production };
    let agreed = Occasion { completion: true, ..ceased };
    for act in [Act::Request, Act::OralNote, Act::Spontaneous] {
        assert_eq!(permits(agreed, act), Err(Code::AgreementCeased));
    }
    for act in [Act::Final, Act::Interim, Act::Acceptance, Act::ConditionsAccepted] {
        assert_eq!(permits(ceased, act), Err(Code::CompletionNotAgreed));
        assert_eq!(permits(agreed, act), Ok(()));
    }
    for act in [
        Act::Confirmation,
        Act::NonExecution,
        Act::Withdrawal,
        Act::OriginalReturnSent,
        Act::OriginalReturned,
        Act::CostSettled,
        Act::ConsentGranted,
        Act::Confidentiality,
        Act::Close,
        Act::Accord,
        Act::Designation,
        Act::Consultation,
    ] {
        assert_eq!(permits(ceased, act), Ok(()), "{}", act.name());
    }
    // Dates bind a rehearsal too, once it has come into force.
    let rehearsed = Occasion { rehearsal: true, ..ceased };
    assert_eq!(permits(rehearsed, Act::Request), Err(Code::AgreementCeased));
}

prop_compose! {
    fn any_day()(year in 1990_i16..2100, month in 1_i8..=12, day in 1_i8..=31) -> Date {
        let first = Date::new(year, month, 1).unwrap();
        Date::new(year, month, day.min(first.days_in_month())).unwrap()
    }
}

proptest! {
    #[test]
    fn ninety_days_are_ninety_days(notified in any_day()) {
        let dates = Dates { notified_on: Some(notified), ..Dates::default() };
        let days = notified.until(dates.in_force_on().unwrap()).unwrap().get_days();
        prop_assert_eq!(days, 90);
    }

    #[test]
    fn six_months_never_leave_the_sixth_month(notice in any_day()) {
        let dates = Dates { terminated_on: Some(notice), ..Dates::default() };
        let end = dates.ceases_on().unwrap();
        let months = i32::from(end.year()) * 12 + i32::from(end.month())
            - i32::from(notice.year()) * 12 - i32::from(notice.month());
        prop_assert_eq!(months, 6);
        prop_assert!(end.day() == notice.day() || (end.day() < notice.day() && end.day() == end.days_in_month()));
    }

    #[test]
    fn phases_never_go_back(
        notified in any_day(), notice in any_day(), second in 0_u32..100_000,
        times in proptest::collection::vec(600_000_000_i64..5_000_000_000, 2..20),
    ) {
        let dates = Dates {
            notified_on: Some(notified), terminated_on: Some(notice), second_of_day: second, ..Dates::default()
        };
        let mut times = times;
        times.sort_unstable();
        let rank = |phase| [Phase::BeforeForce, Phase::InForce, Phase::Terminating, Phase::Ceased]
            .iter().position(|it| *it == phase);
        let ranks: Vec<_> = times.iter()
            .map(|at| rank(dates.phase(Timestamp::from_second(*at).unwrap()))).collect();
        prop_assert!(ranks.is_sorted());
    }
}
