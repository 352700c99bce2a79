//! The scope of assistance.

use crate::kinds;
use crate::play::{
    By, Play, acceptance, assessment, conditions, conditions_reply, cooperation, refusal, request,
    request_delivered, request_refused, with, withdrawal,
};
use crate::runner::conforms;
use crate::support::treaty::spontaneous;
use crate::world::{World, codes, new_case};
use article6::backoffice::v1::CaseState;
use article6::treaty::case::{By as Whose, RULES, State};
use article6::wire::assistance::v1::{Body, Purpose};
use serde_json::json;

conforms![
    article_2_1_unasked_information_is_off,
    article_2_2_assessment_runs_the_whole_machine,
    article_2_3_administrative_item_is_open_to_a_court,
    article_2_4_cooperation_with_a_suspect_refused,
    article_2_4_no_proceedings_only_for_cooperation,
    article_2_5_requesting_side_cannot_move_the_requested,
];

async fn article_2_1_unasked_information_is_off() {
    let body = Body { content: Some(spontaneous()) };
    let mut us = World::shared().await.us().await;
    assert_eq!(codes(&us.send(&new_case(), body).await.unwrap_err()), ["KIND_NOT_ENABLED"]);
}

async fn article_2_2_assessment_runs_the_whole_machine() {
    let mut play = Play::open(&assessment()).await;
    play.stands(CaseState::Submitted).await;
    play.say(By::Rd, &kinds::of("CLARIFICATION_REQUEST", "Which period?")).await;
    play.stands(CaseState::Clarifying).await;
    play.say(By::Rq, &kinds::of("CLARIFICATION_REPLY", "This year.")).await;
    play.stands(CaseState::Submitted).await;
    play.say(By::Rd, &acceptance()).await;
    play.stands(CaseState::Executing).await;
    let interim = with(play.answered().await, "type", json!("INTERIM"));
    play.say(By::Rd, &interim).await;
    play.stands(CaseState::Executing).await;
    play.answer().await;
    play.stands(CaseState::Answered).await;
    play.closes().await;
}

async fn article_2_3_administrative_item_is_open_to_a_court() {
    let natures = json!({"natures": ["ADMINISTRATIVE"], "stage": "PRE_PENALTY"});
    let mut play = Play::open(&with(request(), "proceedings", natures)).await;
    let answer = play.answer().await;
    play.rq.read("US-DO-0011", &answer, Purpose::JudicialProceeding).await.unwrap();
    let audited = play.rq.audited(&answer).await;
    assert_eq!(audited, [("US-DO-0011".to_owned(), Purpose::JudicialProceeding, false)]);
}

async fn article_2_4_cooperation_with_a_suspect_refused() {
    let party =
        |role: &str| json!([{"party_ref": "P1", "kind": "NATURAL", "name": "DOE, Jordan", "roles": [role]}]);
    let suspect = with(cooperation(), "parties", party("SUSPECT"));
    assert_eq!(request_refused(&suspect).await, ["COOPERATION_WITH_SUSPECT"]);
    request_delivered(&with(cooperation(), "parties", party("WITNESS"))).await;
}

async fn article_2_4_no_proceedings_only_for_cooperation() {
    let none = json!({"natures": ["NONE"], "stage": "NONE"});
    assert_eq!(
        request_refused(&with(request(), "proceedings", none.clone())).await,
        ["NATURE_NONE_MISPLACED"]
    );
    assert_eq!(request_refused(&with(assessment(), "proceedings", none)).await, ["NATURE_NONE_MISPLACED"]);
    request_delivered(&cooperation()).await;
}

/// The states into which only the requested side moves a case.
const THEIRS: [CaseState; 3] = [CaseState::Executing, CaseState::Answered, CaseState::NotExecuted];

/// A case in a state.
async fn case_in(state: CaseState) -> Play {
    let mut play = Play::open(&request()).await;
    match state {
        CaseState::Clarifying => drop(play.say(By::Rd, &kinds::of("CLARIFICATION_REQUEST", "What?")).await),
        CaseState::Conditioned => drop(play.say(By::Rd, &conditions(1, "USE_LIMIT")).await),
        CaseState::Executing => drop(play.say(By::Rd, &acceptance()).await),
        CaseState::Answered => drop(play.answer().await),
        CaseState::NotExecuted => drop(play.say(By::Rd, &refusal("NOT_HELD", "None.")).await),
        CaseState::Withdrawn => drop(play.say(By::Rq, &withdrawal()).await),
        _ => {}
    }
    play.stands(state).await;
    play
}

async fn article_2_5_requesting_side_cannot_move_the_requested() {
    let states = (1..=7).map(|it| CaseState::try_from(it).unwrap());
    for state in states {
        let mut play = case_in(state).await;
        for message in kinds::all("Please go on.") {
            let reply = message["kind"] == "CONDITIONS_REPLY";
            let name = play.name.clone();
            if reply || play.rq.send(&name, crate::world::says(&message)).await.is_err() {
                continue;
            }
            let now = play.case(By::Rq).await.state();
            assert!(now == state || !THEIRS.contains(&now), "{message} in {state:?} makes it {now:?}");
            if now != state {
                play = case_in(state).await;
            }
        }
    }
    // The one way: its reply to conditions of the requested side.
    for (reply, state) in [("ACCEPT", CaseState::Executing), ("DECLINE", CaseState::NotExecuted)] {
        let mut play = case_in(CaseState::Conditioned).await;
        play.say(By::Rq, &conditions_reply(1, reply)).await;
        play.stands(state).await;
    }
    // No rule says otherwise, and no other call than the sending of a message touches a case.
    for rule in RULES.iter().filter(|rule| rule.by != Whose::Requested) {
        let theirs = [State::Executing, State::Answered, State::NotExecuted].map(Some);
        let reply = rule.act.name().starts_with("CONDITIONS_REPLY");
        assert!(reply || !theirs.contains(&rule.leads_to), "{rule:?}");
    }
    let services = include_str!("../../proto/article6/backoffice/v1/case_service.proto");
    let calls: Vec<&str> = services
        .lines()
        .filter_map(|line| line.trim().strip_prefix("rpc "))
        .filter_map(|line| line.split('(').next())
        .collect();
    assert_eq!(calls, ["GetCase", "ListCases", "SummarizeCases", "CompareConfirmation"]);
}
