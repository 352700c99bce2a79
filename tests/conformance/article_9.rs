//! Costs.

use crate::play::{By, Play, measure, with};
use crate::runner::conforms;
use crate::world::{codes, says};
use article6::commands::json::message_from_json;
use article6::wire::assistance::v1::body::Content;
use serde_json::{Value, json};

conforms![
    article_9_1_other_costs_refused,
    article_9_1_government_interpreter_refused,
    article_9_2_requested_side_never_bears
];

const KINDS: [&str; 4] = ["WITNESS_EXPENSE", "EXPERT_FEE", "INTERPRETER_COST", "TRANSPORTATION"];

fn line(kind: &str) -> Value {
    json!({"kind": kind, "text": "One day.", "amount": {"amount": "600.00", "currency": "USD"}})
}

fn costs(stage: &str, lines: Value) -> Value {
    json!({"kind": "COST_NOTICE", "stage": stage, "lines": lines})
}

async fn play() -> Play {
    Play::accepted(json!([measure("M1", "QUESTION_EXPERT", "7.2")])).await
}

async fn article_9_1_other_costs_refused() {
    let mut play = play().await;
    let name = play.name.clone();
    // A kind that the protocol does not know, by its number and by a name.
    for number in [0, 5, 99] {
        let mut body = says(&costs("STATEMENT", json!([line("EXPERT_FEE")])));
        if let Some(Content::CostNotice(notice)) = &mut body.content {
            notice.lines[0].kind = number;
        }
        let refused = play.rd.send(&name, body).await.unwrap_err();
        let expected = if number == 0 { "REQUIRED" } else { "ENUM_UNKNOWN" };
        assert_eq!(codes(&refused), [expected], "{number}");
    }
    for kind in ["SALARY", "COPYING", "OTHER"] {
        assert!(message_from_json(&costs("STATEMENT", json!([line(kind)]))).is_err(), "{kind}");
    }
    play.say(By::Rd, &costs("STATEMENT", KINDS.map(line).to_vec().into())).await;
}

async fn article_9_1_government_interpreter_refused() {
    let mut play = play().await;
    let employed = |kind: &str| with(line(kind), "government_employee", json!(true));
    let refused = play.refused(By::Rd, &costs("STATEMENT", json!([employed("INTERPRETER_COST")]))).await;
    assert_eq!(refused, ["GOVERNMENT_INTERPRETER"]);
    play.say(By::Rd, &costs("STATEMENT", json!([line("INTERPRETER_COST")]))).await;
}

async fn article_9_2_requested_side_never_bears() {
    for kind in KINDS {
        // No field names who bears the costs.
        for field in ["bearer", "borne_by", "payer"] {
            let said = costs("STATEMENT", json!([with(line(kind), field, json!("KZ"))]));
            assert!(message_from_json(&said).is_err(), "{field}");
            assert!(
                message_from_json(&with(costs("STATEMENT", json!([line(kind)])), field, json!("KZ")))
                    .is_err()
            );
        }
        // Nor does it depend on who states them: only the requested side states what the requesting side bears.
        let mut play = play().await;
        let statement = costs("STATEMENT", json!([line(kind)]));
        assert_eq!(play.refused(By::Rq, &statement).await, ["OTHER_SIDES_PART"]);
        play.say(By::Rd, &statement).await;
        for by in [By::Rq, By::Rd] {
            let owed = play.case(by).await.obligations;
            let owed: Vec<_> = owed.iter().map(|it| (it.kind.as_str(), it.owner.as_str())).collect();
            assert_eq!(owed, [("COST_SETTLEMENT", "US")], "{kind}");
        }
        play.answer().await;
        play.close_refused("OBLIGATION_OPEN").await;
        play.say(By::Rd, &costs("SETTLED", json!([line(kind)]))).await;
        play.closes().await;
    }
}
