//! The daemon's fold against the model in `tests/python/case_model.py`, on the same random plays.
//!
//! `cargo test --test case_model` plays a slice; `cargo test --release --test case_model -- --count 100000` the campaign.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod campaign;
#[path = "support/effects.rs"]
mod effects;

use anyhow::{Context as _, ensure};
use article6::crypto::Digest;
use article6::treaty::case::{Case, Entry, Obligation, Party, State};
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
            effect: effects::effect(kind.as_str().context("a kind")?, argument, note_of, &mut names),
        });
    }
    let again = entries.clone();
    entries.extend(again.into_iter().step_by(3));
    Ok((Case::fold(&entries), names))
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
