//! The execution of requests.

use crate::chancery::{designate, official, with_heads};
use crate::play::{By, Play, measure, refusal, request, with};
use crate::runner::conforms;
use crate::world::new_case;
use article6::backoffice::v1::CaseState;
use serde_json::{Value, json};

conforms![
    article_7_1_measure_not_obtained_needs_an_attempt,
    article_7_2_every_inquiry_ends_with_a_disposition,
    article_7_3_every_verification_ends_with_a_disposition,
    article_7_4_presence_of_an_unlisted_official_refused,
    article_7_5_answer_with_an_open_procedure_refused,
    article_7_6_answer_without_advice_refused,
    article_7_7_refusal_without_reasons_refused,
    article_7_7_partial_refusal_needs_reasons_too,
];

async fn article_7_1_measure_not_obtained_needs_an_attempt() {
    let mut play = Play::accepted(json!([measure("M1", "INVESTIGATE", "7.2")])).await;
    let refused = refusal("MEASURE_NOT_OBTAINED", "The court refused the warrant.");
    assert_eq!(play.refused(By::Rd, &refused).await, ["MEASURE_NOT_SOUGHT"]);
    let sought = json!([{"kind": "A warrant", "authority": "The court", "sought_on": "2026-07-01", "outcome": "REFUSED",
        "decided_on": "2026-07-03", "measure_id": "M1"}]);
    play.say(By::Rd, &json!({"kind": "PROGRESS_NOTICE", "sought": sought})).await;
    play.say(By::Rd, &refused).await;
    play.stands(CaseState::NotExecuted).await;
}

fn result(id: &str, outcome: &str, reasons: &str) -> Value {
    match outcome {
        "EXECUTED" => json!({"measure_id": id, "outcome": outcome, "text": "Done."}),
        _ => json!({"measure_id": id, "outcome": outcome, "grounds": ["NOT_TRACEABLE"], "reasons": reasons}),
    }
}

/// A final answer says of each measure of these kinds what became of it.
async fn every_measure_is_disposed_of(kinds: &[&str], article: &str) {
    for kind in kinds {
        let measures = json!([measure("M1", "GATHER_INFORMATION", "7.2"), measure("M2", kind, article)]);
        let mut play = Play::accepted(measures).await;
        let answer = play.answered().await;
        let says = |of_m2: Option<Value>| {
            let results = [Some(result("M1", "EXECUTED", "")), of_m2];
            with(answer.clone(), "results", results.into_iter().flatten().collect())
        };
        assert_eq!(play.refused(By::Rd, &says(None)).await, ["MEASURE_UNDISPOSED"], "{kind}");
        for outcome in ["NOT_EXECUTED", "PARTLY"] {
            let refused = play.refused(By::Rd, &says(Some(result("M2", outcome, "")))).await;
            assert_eq!(refused, ["RESULT_REASONS_REQUIRED"], "{kind}");
        }
        for outcome in ["EXECUTED", "PARTLY", "NOT_EXECUTED"] {
            let answer = says(Some(result("M2", outcome, "It is gone.")));
            assert_eq!(play.would(By::Rd, &answer).await, Ok(()), "{kind}");
        }
        play.say(By::Rd, &says(Some(result("M2", "NOT_EXECUTED", "It is gone.")))).await;
        play.stands(CaseState::Answered).await;
    }
}

async fn article_7_2_every_inquiry_ends_with_a_disposition() {
    let kinds =
        ["INVESTIGATE", "GATHER_INFORMATION", "QUESTION_EXPERT", "QUESTION_WITNESS", "QUESTION_SUSPECT"];
    every_measure_is_disposed_of(&kinds, "7.2").await;
}

async fn article_7_3_every_verification_ends_with_a_disposition() {
    every_measure_is_disposed_of(&["VERIFY", "INSPECT", "FACT_FINDING"], "7.3").await;
}

async fn article_7_4_presence_of_an_unlisted_official_refused() {
    let (world, heads) = with_heads();
    let mut us = world.us().await;
    designate(&mut us, &heads, vec![official("US-DO-0011"), official("US-DO-0015")]).await;
    let sends = |id: &str| {
        let mut presence = measure("M1", "PRESENCE_OF_OFFICIALS", "7.4");
        presence["official_ids"] = json!([id]);
        with(request(), "measures", json!([presence]))
    };
    assert_eq!(us.refused(&new_case(), &sends("US-DO-0003")).await, ["OFFICIAL_NOT_LISTED"]);
    us.says(&new_case(), &sends("US-DO-0015")).await;
    world.stop();
}

async fn article_7_5_answer_with_an_open_procedure_refused() {
    let procedure =
        |id: &str| json!({"procedure_id": id, "text": "Seal the samples.", "reason": "For the court."});
    let asked = with(request(), "procedures", json!([procedure("P1"), procedure("P2")]));
    let mut play = Play::open(&asked).await;
    let answer = play.answered().await;
    let disposed = |list: Value| with(answer.clone(), "procedures", list);
    let followed = json!({"procedure_id": "P1", "outcome": "FOLLOWED"});
    let open = disposed(json!([followed]));
    assert_eq!(play.refused(By::Rd, &open).await, ["PROCEDURE_UNDISPOSED"]);
    let lawless = disposed(json!([followed, {"procedure_id": "P2", "outcome": "CANNOT"}]));
    assert_eq!(play.refused(By::Rd, &lawless).await, ["PROCEDURE_LAW_REQUIRED"]);
    let cannot = json!({"procedure_id": "P2", "outcome": "CANNOT", "law": "Customs Code, Article 1"});
    play.say(By::Rd, &disposed(json!([followed, cannot]))).await;
    play.stands(CaseState::Answered).await;
}

async fn article_7_6_answer_without_advice_refused() {
    let asked = with(request(), "measures", json!([measure("M1", "INSPECT", "7.3")]));
    let asked = with(asked, "advise_time_and_place", json!(true));
    let before = json!({"kind": "ACTION_ADVICE", "measure_id": "M1", "at": "2026-07-20T04:00:00Z", "time_zone": "Asia/Almaty",
        "place": "Almaty", "contact_official_id": "KZ-DO-0007"});
    let late = with(before.clone(), "after_the_fact", json!(true));
    let reasoned = with(late.clone(), "reason", json!("The goods were about to leave."));
    for advice in [before, reasoned] {
        let mut play = Play::open(&asked).await;
        play.say(By::Rd, &crate::play::acceptance()).await;
        let answer = play.answered().await;
        assert_eq!(play.refused(By::Rd, &answer).await, ["ADVICE_MISSING"]);
        assert_eq!(play.refused(By::Rd, &late).await, ["LATE_ADVICE_REASON_REQUIRED"]);
        play.say(By::Rd, &advice).await;
        play.say(By::Rd, &answer).await;
        play.stands(CaseState::Answered).await;
    }
}

async fn article_7_7_refusal_without_reasons_refused() {
    let mut play = Play::open(&request()).await;
    for blank in ["", "   "] {
        let refused = play.refused(By::Rd, &refusal("NOT_HELD", blank)).await;
        assert_eq!(refused, ["NON_EXECUTION_REASONS_REQUIRED"]);
    }
    play.stands(CaseState::Submitted).await;
    play.say(By::Rd, &refusal("NOT_HELD", "No record is held.")).await;
    play.stands(CaseState::NotExecuted).await;
}

async fn article_7_7_partial_refusal_needs_reasons_too() {
    let measures = json!([measure("M1", "GATHER_INFORMATION", "7.2"), measure("M2", "INSPECT", "7.3")]);
    let mut play = Play::accepted(measures).await;
    let answer = play.answered().await;
    let says = |reasons: &str| {
        let results = json!([result("M1", "EXECUTED", ""), result("M2", "NOT_EXECUTED", reasons)]);
        with(answer.clone(), "results", results)
    };
    for blank in ["", "   "] {
        assert_eq!(play.refused(By::Rd, &says(blank)).await, ["RESULT_REASONS_REQUIRED"]);
    }
    play.say(By::Rd, &says("The place is sealed by a court.")).await;
    play.stands(CaseState::Answered).await;
}
