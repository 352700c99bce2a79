//! Conditions.

use crate::effects::effect;
use crate::play::{BOTH, By, Play, conditions, conditions_reply, item, request};
use crate::runner::conforms;
use article6::backoffice::v1::CaseState;
use article6::crypto::Digest;
use article6::treaty::case::{Case, Entry, Party, State};
use article6::wire::assistance::v1::Purpose;
use serde_json::json;
use tonic::Code;

conforms![article_4_no_evidence_condition_keeps_it_out_of_court, article_4_reply_to_an_old_version_is_void];

async fn article_4_no_evidence_condition_keeps_it_out_of_court() {
    let mut play = Play::open(&request()).await;
    play.say(By::Rd, &conditions(1, "NO_EVIDENCE_USE")).await;
    play.say(By::Rq, &conditions_reply(1, "ACCEPT")).await;
    let mut answer = play.answered().await;
    answer["conditions_applied"] = json!(["C1"]);
    let answer = play.say(By::Rd, &answer).await;
    let court = Purpose::JudicialProceeding;
    let denied = play.rq.read("US-DO-0011", &answer, court).await.unwrap_err();
    assert_eq!(denied, (Code::PermissionDenied, "NO_EVIDENCE_USE".to_owned()));
    play.rq.read("US-DO-0011", &answer, Purpose::PreventInvestigateRepressOffence).await.unwrap();
    let id = "0198f000-0000-7000-8000-0000000000ab";
    play.say(
        By::Rq,
        &json!({"kind": "OTHER_USE_CONSENT_REQUEST", "request_id": id, "item_ids": [item(&answer)],
        "purpose": "A trial.", "recipient": "A court"}),
    )
    .await;
    assert_eq!(play.rq.read("US-DO-0011", &answer, court).await.unwrap_err().1, "NO_EVIDENCE_USE");
    play.say(
        By::Rd,
        &json!({"kind": "OTHER_USE_CONSENT_DECISION", "request_id": id, "decision": "GRANTED",
        "item_ids": [item(&answer)]}),
    )
    .await;
    play.rq.read("US-DO-0011", &answer, court).await.unwrap();
}

async fn article_4_reply_to_an_old_version_is_void() {
    let replies = ["ACCEPT", "DECLINE", "COUNTER"];
    let mut play = Play::open(&request()).await;
    play.say(By::Rd, &conditions(1, "USE_LIMIT")).await;
    play.say(By::Rd, &conditions(2, "NO_EVIDENCE_USE")).await;
    for reply in replies {
        assert_eq!(play.refused(By::Rq, &conditions_reply(1, reply)).await, ["CONDITIONS_VERSION"]);
        play.stands(CaseState::Conditioned).await;
    }
    for by in BOTH {
        assert!(play.case(by).await.accepted_conditions.is_empty());
    }
    // A reply that the second version crosses on its way was in order for its sender, and is void all the same where both
    // are known: either was sent before the other was seen.
    for reply in replies {
        let kind = format!("COND_{reply}");
        let said = [
            ("US", "REQUEST", json!("")),
            ("KZ", "CONDITIONS", json!([1, ["C1"]])),
            ("KZ", "CONDITIONS", json!([2, ["C1"]])),
            ("US", kind.as_str(), json!(1)),
        ];
        let mut counts = [0, 0];
        let entries: Vec<Entry> = said
            .iter()
            .map(|(sender, kind, argument)| {
                let own = usize::from(*sender == "KZ");
                counts[own] += 1;
                let [sender, recipient] = if own == 0 { ["US", "KZ"] } else { ["KZ", "US"] };
                Entry {
                    sender: Party::from_code(sender).unwrap(),
                    recipient: Party::from_code(recipient).unwrap(),
                    sequence: counts[own],
                    peer_sequence_seen: counts[1 - own],
                    envelope: Digest::of(format!("{sender}{}", counts[own]).as_bytes()),
                    effect: effect(kind, argument, "US", &mut Vec::new()),
                }
            })
            .collect();
        let case = Case::fold(&entries);
        assert_eq!((case.state(), case.conditions_version()), (Some(State::Conditioned), 2), "{reply}");
        assert!(case.accepted_conditions().is_empty() && case.steps().last().unwrap().crossed.is_some());
    }
}
