//! Entry into force, review and termination.

use crate::chancery::{body, days_ago, official, record, today, with_heads};
use crate::kinds;
use crate::play::{By, Play, request};
use crate::runner::conforms;
use crate::support::treaty::Chancery;
use crate::world::{Side, delivered, new_case, says};
use article6::backoffice::v1::{GetTreatyResponse, TreatyPhase};
use article6::treaty::Code;
use article6::treaty::calendar::{Dates, Occasion, permits};
use article6::treaty::case::Act;
use article6::wire::assistance::v1::body::Content;
use article6::wire::ledger::v1::TreatyDates;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

conforms![
    article_12_1_in_force_on_the_ninetieth_day,
    article_12_1_day_89_refuses,
    article_12_1_day_90_accepts,
    article_12_2_one_notice_keeps_the_review,
    article_12_2_two_notices_cancel_the_review,
    article_12_3_six_months_end_with_the_month,
    article_12_3_termination_over_the_channel_changes_nothing,
    article_12_3_request_after_the_end_refused,
    article_12_3_originals_go_back_after_the_end,
];

fn dates(notified_on: Date) -> Dates {
    Dates { notified_on: Some(notified_on), ..Dates::default() }
}

/// Whether a request with legal effect may be sealed at an instant.
fn request_at(dates: &Dates, at: Timestamp) -> Result<(), Code> {
    let occasion =
        Occasion { phase: dates.phase(at), rehearsal: false, undated: dates.is_empty(), completion: false };
    permits(occasion, Act::Request)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn article_12_1_in_force_on_the_ninetieth_day() {
    assert_eq!(dates(date(2000, 5, 23)).in_force_on(), Some(date(2000, 8, 21)));
}

/// The rule by which every daemon with legal effect judges; one for tests carries rehearsals before the first day.
async fn article_12_1_day_89_refuses() {
    let dates = dates(date(2000, 5, 23));
    for at in ["2000-08-20T00:00:00Z", "2000-08-20T23:59:59Z"] {
        assert_eq!(request_at(&dates, instant(at)), Err(Code::AgreementNotInForce));
    }
    assert_eq!(request_at(&Dates::default(), Timestamp::now()), Err(Code::AgreementNotInForce));
    let rehearsal = Occasion {
        phase: dates.phase(instant("2000-08-20T00:00:00Z")),
        rehearsal: true,
        undated: false,
        completion: false,
    };
    assert_eq!(permits(rehearsal, Act::Request), Ok(()), "test traffic only");
}

async fn article_12_1_day_90_accepts() {
    assert_eq!(request_at(&dates(date(2000, 5, 23)), instant("2000-08-21T00:00:00Z")), Ok(()));
    let (world, _heads) = with_heads();
    for side in [world.us().await, world.kz().await] {
        let notified_on = days_ago(90);
        record(&side, TreatyDates { notified_on, ..TreatyDates::default() }).await;
        assert_eq!(treaty(&side).await.phase(), TreatyPhase::InForce);
    }
    let case = new_case();
    world.us().await.says(&case, &request()).await;
    world.kz().await.until(&case, "it is carried", |case| !case.history.is_empty()).await;
    world.stop();
}

async fn treaty(side: &Side) -> GetTreatyResponse {
    Chancery::open(&side.home).await.treaty().await
}

/// Notes of so long ago that the five years have passed, with these notices that no review is needed.
fn long_ago(own: bool, peer: bool) -> TreatyDates {
    let notice = |given: bool| if given { days_ago(100) } else { String::new() };
    TreatyDates {
        notified_on: days_ago(6 * 366),
        own_no_review_on: notice(own),
        peer_no_review_on: notice(peer),
        ..TreatyDates::default()
    }
}

async fn article_12_2_one_notice_keeps_the_review() {
    let (world, _heads) = with_heads();
    let us = world.us().await;
    for (own, peer) in [(false, false), (true, false), (false, true)] {
        record(&us, long_ago(own, peer)).await;
        let shown = treaty(&us).await;
        let five_years = shown.in_force_on.parse::<Date>().unwrap().checked_add(5.years()).unwrap();
        assert_eq!(shown.review_on, five_years.to_string());
        assert!(five_years < today(), "the day has come, and is shown");
        assert_eq!(shown.phase(), TreatyPhase::InForce);
    }
    world.stop();
}

async fn article_12_2_two_notices_cancel_the_review() {
    let (world, _heads) = with_heads();
    let mut play = Play::new(&world).await;
    play.say(By::Rq, &request()).await;
    let before = [play.case(By::Rq).await, play.case(By::Rd).await];
    for side in [world.us().await, world.kz().await] {
        record(&side, long_ago(true, true)).await;
        let shown = treaty(&side).await;
        assert_eq!((shown.review_on.as_str(), shown.phase()), ("", TreatyPhase::InForce));
    }
    assert_eq!([play.case(By::Rq).await, play.case(By::Rd).await], before);
    world.stop();
}

async fn article_12_3_six_months_end_with_the_month() {
    for (notice, end) in [
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2027, 8, 31), date(2028, 2, 29)),
        (date(2026, 1, 15), date(2026, 7, 15)),
    ] {
        let dates = Dates { terminated_on: Some(notice), ..Dates::default() };
        assert_eq!(dates.ceases_on(), Some(end));
    }
}

async fn article_12_3_termination_over_the_channel_changes_nothing() {
    let (world, heads) = with_heads();
    let (us, mut kz) = (world.us().await, world.kz().await);
    record(&us, TreatyDates { notified_on: days_ago(400), ..TreatyDates::default() }).await;
    let mut play = Play::new(&world).await;
    play.say(By::Rq, &request()).await;
    let (before, case) = (treaty(&us).await, play.case(By::Rq).await);
    let text = "We terminate the Agreement under its Article 12.3; it ceases at once.";
    let mut sent = 0;
    for message in kinds::all(text) {
        // In cases of their own: in the open one the requested side may say that it does not execute the request.
        sent += usize::from(kz.send(&new_case(), says(&message)).await.is_ok());
    }
    assert!(sent >= 6, "{sent}");
    // With the signature of its own head, and as everything that a head may sign.
    let accord = kinds::of("ACCORD", text);
    let Some(Content::Accord(accord)) = says(&accord).content else { panic!("an accord") };
    let accord = heads.kz.sign_accord("KZ", accord_of(accord));
    kz.send(&new_case(), body(Content::Accord(accord))).await.unwrap();
    let mut list = crate::chancery::list(1, vec![official("KZ-DO-0007")]);
    list.officials[0].office = text.into();
    let list = heads.kz.sign_list("KZ", list);
    kz.send(&new_case(), body(Content::DesignationNotice(list))).await.unwrap();
    delivered(&world.parties.kz).await;
    let after = treaty(&us).await;
    assert_eq!(
        (after.phase(), after.dates, after.ceases_on.as_str()),
        (TreatyPhase::InForce, before.dates, "")
    );
    assert_eq!(play.case(By::Rq).await, case);
    play.rq.says(&new_case(), &request()).await;
    world.stop();
}

fn accord_of(accord: article6::wire::assistance::v1::Accord) -> article6::wire::assistance::v1::Accord {
    article6::wire::assistance::v1::Accord { digest: Default::default(), ..accord }
}

/// Notes long ago, and a notice of termination whose six months ended, or end, so many days ago.
fn ended(days: i64) -> TreatyDates {
    let end = today().checked_sub(days.days()).unwrap();
    TreatyDates {
        notified_on: days_ago(800),
        terminated_on: end.checked_sub(6.months()).unwrap().to_string(),
        ..TreatyDates::default()
    }
}

async fn article_12_3_request_after_the_end_refused() {
    let mut dates = dates(date(2000, 5, 23));
    (dates.terminated_on, dates.second_of_day) = (Some(date(2026, 8, 31)), 43_200);
    let end = dates.ceases_at().unwrap();
    assert_eq!(end, instant("2027-02-28T12:00:00Z"));
    let second = SignedDuration::from_secs(1);
    assert_eq!(request_at(&dates, end.checked_sub(second).unwrap()), Ok(()));
    for at in [end, end.checked_add(second).unwrap()] {
        assert_eq!(request_at(&dates, at), Err(Code::AgreementCeased));
    }
    // And at a daemon, on this and the other side of the end.
    let (world, _heads) = with_heads();
    let mut us = world.us().await;
    record(&us, ended(-10)).await;
    assert_eq!(treaty(&us).await.phase(), TreatyPhase::Terminating);
    us.says(&new_case(), &request()).await;
    us.says(&new_case(), &kinds::oral_note()).await;
    record(&us, ended(10)).await;
    assert_eq!(us.refused(&new_case(), &request()).await, ["AGREEMENT_CEASED"]);
    assert_eq!(us.refused(&new_case(), &kinds::oral_note()).await, ["AGREEMENT_CEASED"]);
    world.stop();
}

async fn article_12_3_originals_go_back_after_the_end() {
    let (world, _heads) = with_heads();
    let mut play = Play::new(&world).await;
    let custody = |event: &str| -> Value {
        json!({"kind": "CUSTODY_NOTICE", "item_id": "I-12", "event": event, "at": "2026-07-01T00:00:00Z",
            "condition": "Two sheets."})
    };
    for side in [world.us().await, world.kz().await] {
        record(&side, ended(-10)).await;
    }
    play.say(By::Rq, &request()).await;
    play.say(By::Rd, &custody("SENT")).await;
    play.answer().await;
    for side in [world.us().await, world.kz().await] {
        record(&side, ended(10)).await;
        assert_eq!(treaty(&side).await.phase(), TreatyPhase::Ceased);
    }
    play.say(By::Rq, &custody("RETURN_SENT")).await;
    play.say(By::Rd, &custody("RETURN_RECEIVED")).await;
    play.closes().await;
    world.stop();
}
