//! The daemon's fold against the model in `tests/python/case_model.py`, on the same random plays.
//!
//! `cargo test --test case_model` plays a slice; `cargo test --release --test case_model -- --count 100000` the campaign.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod campaign;

use anyhow::{Context as _, ensure};
use article6::crypto::Digest;
use article6::treaty::Effect;
use article6::treaty::case::{Case, Entry, Obligation, Party, State};
use article6::wire::assistance::v1::effect::Detail;
use article6::wire::assistance::v1::{
    ConditionKind, ConditionOffered, ConditionsEffect, ConditionsReplyEffect, ConsentKind, CostEffect,
    CostStage, CustodyEffect, CustodyEvent, ItemsEffect, Kind, ProgressEffect, ReplyKind, RequestEffect,
    ResponseEffect, ResponseType,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let Some(arguments) = campaign::arguments::read(4000) else { return ExitCode::SUCCESS };
    println!("case model: {} plays, --seed {}", arguments.count, arguments.seed);
    campaign::conclude("case model", async move { run(arguments.count, arguments.seed) })
}

fn run(count: u64, seed: u64) -> anyhow::Result<String> {
    let python = std::env::var("ARTICLE6_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/case_model.py");
    let mut child = Command::new(python)
        .args([model, &count.to_string(), &seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("the model needs Python")?;
    let (mut plays, mut messages, mut crossed, mut owed, mut closed) = (0, 0, 0, 0, 0);
    for line in BufReader::new(child.stdout.take().context("a pipe")?).lines() {
        let play: Value = serde_json::from_str(&line?)?;
        let expected = &play["expected"];
        // The requesting Party's code comes before or after the other's: that must make no difference.
        for parties in [["AA", "ZZ"], ["ZZ", "AA"]] {
            let (case, names) = fold(&play, parties)?;
            let found = summary(&case, &names, &play, Party::from_code(parties[0]));
            ensure!(found == *expected, "play {}: found {found}, expected {expected}", play["seed"]);
        }
        plays += 1;
        messages += play["messages"].as_array().map_or(0, Vec::len);
        crossed += usize::from(expected["crossed"] != json!([]));
        owed += usize::from(expected["owed"] != json!([]));
        closed += usize::from(expected["closed"] == json!(true));
    }
    ensure!(child.wait()?.success(), "the model failed");
    ensure!(plays == count, "{plays} of {count} plays");
    // A campaign that met none of these proves nothing.
    ensure!(crossed > 0 && owed > 0 && closed > 0, "{crossed} crossed, {owed} owed, {closed} closed");
    Ok(format!(
        "{plays} plays with {messages} messages: same state, obligations and crossed sets; {crossed} with crossed \
         messages, {owed} with something owed, {closed} closed"
    ))
}

/// The case of a play, and the names behind the digests that it holds.
fn fold(play: &Value, [requesting, requested]: [&str; 2]) -> anyhow::Result<(Case, Vec<String>)> {
    let rejected: BTreeSet<String> =
        play["rejected"].as_array().context("rejected")?.iter().map(Value::to_string).collect();
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    for message in play["messages"].as_array().context("messages")? {
        let [side, sequence, seen, kind, argument] = &message.as_array().context("a message")?[..] else {
            anyhow::bail!("a message has five parts")
        };
        if rejected.contains(&json!([side, sequence]).to_string()) {
            continue;
        }
        let parties = if side == "R" { [requesting, requested] } else { [requested, requesting] };
        let [sender, recipient] = parties.map(|code| Party::from_code(code).expect("a code"));
        let note_of = requesting;
        entries.push(Entry {
            sender,
            recipient,
            sequence: sequence.as_u64().context("a sequence")?,
            peer_sequence_seen: seen.as_u64().context("a sequence")?,
            envelope: Digest::of(message.to_string().as_bytes()),
            effect: effect(kind.as_str().context("a kind")?, argument, note_of, &mut names),
        });
    }
    let again = entries.clone();
    entries.extend(again.into_iter().step_by(3));
    Ok((Case::fold(&entries), names))
}

fn digest(name: &str, names: &mut Vec<String>) -> bytes::Bytes {
    names.push(name.to_owned());
    Digest::of(name.as_bytes()).to_bytes()
}

fn effect(kind: &str, argument: &Value, requesting: &str, names: &mut Vec<String>) -> Effect {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = |value: &Value| u32::try_from(value.as_u64().expect("a version")).expect("small");
    let request = |confirms_oral| {
        let requesting_party = requesting.to_owned();
        Detail::Request(RequestEffect { confirms_oral, requesting_party, ..RequestEffect::default() })
    };
    let response = |kind: ResponseType| {
        Some(Detail::Response(ResponseEffect { r#type: kind.into(), ..ResponseEffect::default() }))
    };
    let reply = |kind: ReplyKind| {
        Some(Detail::ConditionsReply(ConditionsReplyEffect { version: version(argument), reply: kind.into() }))
    };
    let (kind, detail) = match kind {
        "REQUEST" => (Kind::AssistanceRequest, Some(request(argument == "confirms"))),
        "ORAL" => (Kind::OralRequestNote, Some(request(false))),
        "CLARIFY" => (Kind::ClarificationRequest, None),
        "CLARIFY_REPLY" => (Kind::ClarificationReply, None),
        "ACCEPT" => (Kind::AcceptanceNotice, None),
        "FORWARD" => (Kind::ForwardingNotice, None),
        "CONDITIONS" => {
            let conditions = argument[1].as_array().expect("names").iter().map(|name| {
                names.push(text(name));
                ConditionOffered {
                    condition_id: text(name),
                    kind: ConditionKind::ReturnOrDestroy.into(),
                    until: String::new(),
                }
            });
            let mut conditions: Vec<_> = conditions.collect();
            conditions.push(ConditionOffered {
                condition_id: "other".into(),
                kind: ConditionKind::UseLimit.into(),
                until: String::new(),
            });
            let offer = ConditionsEffect { version: version(&argument[0]), conditions };
            (Kind::ConditionsNotice, Some(Detail::Conditions(offer)))
        }
        "COND_ACCEPT" => (Kind::ConditionsReply, reply(ReplyKind::Accept)),
        "COND_DECLINE" => (Kind::ConditionsReply, reply(ReplyKind::Decline)),
        "COND_COUNTER" => (Kind::ConditionsReply, reply(ReplyKind::Counter)),
        "ADVICE" => (Kind::ActionAdvice, None),
        "PROGRESS" => {
            let told = ProgressEffect {
                agency_notified_of_withdrawal: argument == "told",
                ..ProgressEffect::default()
            };
            (Kind::ProgressNotice, Some(Detail::Progress(told)))
        }
        "INTERIM" => (Kind::Response, response(ResponseType::Interim)),
        "FINAL" => (Kind::Response, response(ResponseType::Final)),
        "CORRECTION" => (Kind::Response, response(ResponseType::Correction)),
        "NONEXEC" => (Kind::NonExecutionNotice, None),
        "WITHDRAW" => (Kind::WithdrawalNotice, None),
        "CUSTODY" => {
            let event = CustodyEvent::from_str_name(&format!("CUSTODY_EVENT_{}", text(&argument[0])));
            let item = digest(&text(&argument[1]), names);
            let custody = CustodyEffect { item, event: event.expect("an event").into() };
            (Kind::CustodyNotice, Some(Detail::Custody(custody)))
        }
        "COST" => {
            let stage = CostStage::from_str_name(&format!("COST_STAGE_{}", text(argument)));
            (Kind::CostNotice, Some(Detail::Cost(CostEffect { stage: stage.expect("a stage").into() })))
        }
        "CONSENT_REQUEST" => {
            let asked = ItemsEffect { request_id: text(argument), ..ItemsEffect::default() };
            (Kind::OtherUseConsentRequest, Some(Detail::Items(asked)))
        }
        "CONSENT_DECISION" => {
            let decision = ConsentKind::from_str_name(&format!("CONSENT_KIND_{}", text(&argument[0])));
            let decided = ItemsEffect {
                request_id: text(&argument[1]),
                decision: decision.expect("a decision").into(),
                ..ItemsEffect::default()
            };
            (Kind::OtherUseConsentDecision, Some(Detail::Items(decided)))
        }
        "ITEM" => (Kind::Consultation, None),
        "OUTCOME" => (Kind::OutcomeReport, None),
        "CLOSE" => (Kind::CaseClose, None),
        other => panic!("{other} is no kind of the model"),
    };
    Effect { kind: kind.into(), detail, ..Effect::default() }
}

fn summary(case: &Case, names: &[String], play: &Value, requesting: Option<Party>) -> Value {
    let state = case.state().map(|state| match state {
        State::Submitted => "SUBMITTED",
        State::Clarifying => "CLARIFYING",
        State::Conditioned => "CONDITIONED",
        State::Executing => "EXECUTING",
        State::Answered => "ANSWERED",
        State::NotExecuted => "NOT_EXECUTED",
        State::Withdrawn => "WITHDRAWN",
    });
    let name = |item: &bytes::Bytes| {
        names.iter().find(|name| Digest::of(name.as_bytes()).to_bytes() == *item).cloned()
    };
    let mut owed: Vec<Vec<String>> = case
        .owed()
        .map(|owed| {
            let item = match owed.what {
                Obligation::OriginalReturn(item) | Obligation::ReturnOrDestroy(item) => name(item),
                Obligation::ConsentDecision(request) => Some(request.clone()),
                _ => None,
            };
            let owner = if case.party(owed.owner) == requesting { "R" } else { "D" };
            [Some(owed.what.name().to_owned()), item, Some(owner.to_owned())].into_iter().flatten().collect()
        })
        .collect();
    owed.sort();
    let messages: Vec<&Value> = play["messages"].as_array().into_iter().flatten().collect();
    let rejected: Vec<Value> = play["rejected"].as_array().cloned().unwrap_or_default();
    let kept: Vec<&Value> =
        messages.into_iter().filter(|message| !rejected.contains(&json!([message[0], message[1]]))).collect();
    let mut crossed: Vec<(String, u64)> = case
        .steps()
        .iter()
        .filter(|step| step.crossed.is_some())
        .map(|step| {
            // A third of the messages is given twice, after all others.
            let message = kept.get(step.entry).unwrap_or_else(|| &kept[(step.entry - kept.len()) * 3]);
            (message[0].as_str().unwrap_or_default().to_owned(), message[1].as_u64().unwrap_or_default())
        })
        .collect();
    crossed.sort();
    json!({ "state": state, "closed": case.is_closed(), "owed": owed, "crossed": crossed })
}
