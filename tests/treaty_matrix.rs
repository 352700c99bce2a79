//! Every kind by every side in every state, against `tests/treaty/matrix.txt`, which is written from the requirements.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/effects.rs"]
mod effects;

use article6::crypto::Digest;
use article6::treaty::case::{Case, Entry, Party, Side, State};
use serde_json::{Value, json};

type Message = (char, &'static str, Value);

const TABLE: &str = include_str!("treaty/matrix.txt");
const STATES: [&str; 9] = [
    "NONE",
    "SUBMITTED",
    "CLARIFYING",
    "CONDITIONED",
    "EXECUTING",
    "ANSWERED",
    "NOT_EXECUTED",
    "WITHDRAWN",
    "CLOSED",
];

/// Sections of the table: lines without comments.
fn section(name: &str) -> impl Iterator<Item = &'static str> {
    let begin = format!("[{name}]");
    TABLE
        .lines()
        .map(|line| line.split_once('#').map_or(line, |(line, _)| line).trim())
        .skip_while(move |line| *line != begin)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with("columns"))
}

/// The message of a row, and what must have been said before it for the row's assumptions to hold.
fn row(name: &str, side: char) -> (Message, Vec<Message>) {
    let other = if side == 'R' { 'D' } else { 'R' };
    let sent = || ('D', "CUSTODY", json!(["SENT", "i1"]));
    let lost = || ('R', "CUSTODY", json!(["LOST_OR_DAMAGED", "i1"]));
    let estimate = || ('D', "COST", json!("ESTIMATE"));
    let statement = || ('D', "COST", json!("STATEMENT"));
    let asked = || (other, "CONSENT_REQUEST", json!("q1"));
    let granted = || (side, "CONSENT_DECISION", json!(["GRANTED", "q1"]));
    let (kind, argument, before) = match name {
        "ASSISTANCE_REQUEST" => ("REQUEST", json!(""), vec![]),
        "ASSISTANCE_REQUEST_CONFIRMING" => ("REQUEST", json!("confirms"), vec![]),
        "ORAL_REQUEST_NOTE" => ("ORAL", json!(""), vec![]),
        "CLARIFICATION_REQUEST" => ("CLARIFY", json!(""), vec![]),
        "CLARIFICATION_REPLY" => ("CLARIFY_REPLY", json!(""), vec![]),
        "ACCEPTANCE_NOTICE" => ("ACCEPT", json!(""), vec![]),
        "FORWARDING_NOTICE" => ("FORWARD", json!(""), vec![]),
        "CONDITIONS_NOTICE" => ("CONDITIONS", json!([2, ["c2"]]), vec![]),
        "CONDITIONS_REPLY_ACCEPT" => ("COND_ACCEPT", json!(1), vec![]),
        "CONDITIONS_REPLY_DECLINE" => ("COND_DECLINE", json!(1), vec![]),
        "CONDITIONS_REPLY_COUNTER" => ("COND_COUNTER", json!(1), vec![]),
        "CONDITIONS_REPLY_STALE" => ("COND_ACCEPT", json!(7), vec![]),
        "ACTION_ADVICE" => ("ADVICE", json!(""), vec![]),
        "PROGRESS_NOTICE" => ("PROGRESS", json!(""), vec![]),
        "PROGRESS_NOTICE_AGENCY_NOTIFIED" => ("PROGRESS", json!("told"), vec![]),
        "RESPONSE_INTERIM" => ("INTERIM", json!(""), vec![]),
        "RESPONSE_FINAL" => ("FINAL", json!(""), vec![]),
        "RESPONSE_CORRECTION" => ("CORRECTION", json!(""), vec![]),
        "NON_EXECUTION_NOTICE" => ("NONEXEC", json!(""), vec![]),
        "WITHDRAWAL_NOTICE" => ("WITHDRAW", json!(""), vec![]),
        "CUSTODY_NOTICE_SENT" => ("CUSTODY", json!(["SENT", "i2"]), vec![]),
        "CUSTODY_NOTICE_LOSS_ACKNOWLEDGED" => {
            ("CUSTODY", json!(["LOSS_ACKNOWLEDGED", "i1"]), vec![sent(), lost()])
        }
        "CUSTODY_NOTICE_DESTROYED_CERTIFIED" => ("CUSTODY", json!(["DESTROYED_CERTIFIED", "c1"]), vec![]),
        "OTHER_USE_CONSENT_REQUEST" => ("CONSENT_REQUEST", json!("q2"), vec![]),
        "OTHER_USE_CONSENT_DECISION_WITHDRAWN" => {
            ("CONSENT_DECISION", json!(["WITHDRAWN", "q1"]), vec![asked(), granted()])
        }
        "OUTCOME_REPORT" => ("OUTCOME", json!(""), vec![]),
        "CASE_CLOSE_FIRST" => ("CLOSE", json!(""), vec![]),
        "CASE_CLOSE_SECOND" => ("CLOSE", json!(""), vec![]),
        "CONFIDENTIALITY_NOTICE"
        | "CONSULTATION"
        | "ACCORD"
        | "DESIGNATION_NOTICE"
        | "SPONTANEOUS_INFORMATION" => ("ITEM", json!(""), vec![]),
        _ => {
            if let Some(decision) = name.strip_prefix("OTHER_USE_CONSENT_DECISION_") {
                ("CONSENT_DECISION", json!([decision, "q1"]), vec![asked()])
            } else if let Some(event) = name.strip_prefix("CUSTODY_NOTICE_") {
                ("CUSTODY", json!([event, "i1"]), vec![sent()])
            } else if let Some(stage) = name.strip_prefix("COST_NOTICE_") {
                let before = match stage {
                    "APPROVED" | "DECLINED" => vec![estimate()],
                    "SETTLED" | "DISPUTED" => vec![statement()],
                    _ => vec![],
                };
                ("COST", json!(stage), before)
            } else {
                panic!("{name} has no message here")
            }
        }
    };
    ((side, kind, argument), before)
}

/// What leads to a state.
fn path(name: &str, state: &str, mut before: Vec<Message>, side: char) -> Vec<Message> {
    let mut path = Vec::new();
    if state == "NONE" {
        return before.into_iter().filter(|(_, kind, _)| kind.starts_with("CONSENT")).collect();
    }
    let oral = name == "ASSISTANCE_REQUEST_CONFIRMING";
    path.push(if oral { ('R', "ORAL", json!("")) } else { ('R', "REQUEST", json!("")) });
    let mut ends = match state {
        "SUBMITTED" => vec![],
        "CLARIFYING" => vec![('D', "CLARIFY", json!(""))],
        "CONDITIONED" => vec![('D', "CONDITIONS", json!([1, ["c1"]]))],
        "EXECUTING" => vec![('D', "ACCEPT", json!(""))],
        "ANSWERED" => vec![('D', "FINAL", json!(""))],
        "NOT_EXECUTED" => vec![('D', "NONEXEC", json!(""))],
        "WITHDRAWN" if name.ends_with("AGENCY_NOTIFIED") => {
            vec![('D', "FORWARD", json!("")), ('R', "WITHDRAW", json!(""))]
        }
        "WITHDRAWN" => vec![('R', "WITHDRAW", json!(""))],
        _ => vec![('D', "FINAL", json!(""))],
    };
    let other = if side == 'R' { 'D' } else { 'R' };
    match (state, name) {
        // Custody, costs and consent in CLOSED speak of what was discharged before the close.
        ("CLOSED", _) => {
            if oral {
                before.push(('R', "REQUEST", json!("confirms")));
            }
            let has = |before: &[Message], kind, first: &str| {
                before
                    .iter()
                    .any(|(_, found, argument)| *found == kind && argument.to_string().contains(first))
            };
            if has(&before, "CUSTODY", "SENT") {
                before.push(('R', "CUSTODY", json!(["LOST_OR_DAMAGED", "i1"])));
                before.push(('D', "CUSTODY", json!(["LOSS_ACKNOWLEDGED", "i1"])));
            }
            if has(&before, "COST", "STATEMENT") {
                before.push(('D', "COST", json!("SETTLED")));
            }
            if has(&before, "CONSENT_REQUEST", "q1") {
                before.push((side, "CONSENT_DECISION", json!(["GRANTED", "q1"])));
            }
            ends.extend([('R', "CLOSE", json!("")), ('D', "CLOSE", json!(""))]);
        }
        ("ANSWERED" | "NOT_EXECUTED" | "WITHDRAWN", "CASE_CLOSE_SECOND") => {
            ends.push((other, "CLOSE", json!("")));
        }
        _ => {}
    }
    // Conditions of the version before the one that a notice offers.
    if name == "CONDITIONS_NOTICE" && state != "CONDITIONED" {
        before.extend([('D', "CONDITIONS", json!([1, ["c1"]])), ('R', "COND_COUNTER", json!(1))]);
    }
    path.extend(before);
    path.extend(ends);
    path
}

fn fold(messages: &[Message]) -> Case {
    let mut entries = Vec::new();
    let mut counts = [0, 0];
    for (side, kind, argument) in messages {
        let own = usize::from(*side == 'D');
        counts[own] += 1;
        let parties = if *side == 'R' { ["KZ", "US"] } else { ["US", "KZ"] };
        let [sender, recipient] = parties.map(|code| Party::from_code(code).unwrap());
        entries.push(Entry {
            sender,
            recipient,
            sequence: counts[own],
            peer_sequence_seen: counts[1 - own],
            envelope: Digest::of(format!("{side}{}", counts[own]).as_bytes()),
            effect: effects::effect(kind, argument, "KZ", &mut Vec::new()),
        });
    }
    Case::fold(&entries)
}

fn name(case: &Case) -> &'static str {
    match case.state() {
        _ if case.is_closed() => "CLOSED",
        None => "NONE",
        Some(State::Submitted) => "SUBMITTED",
        Some(State::Clarifying) => "CLARIFYING",
        Some(State::Conditioned) => "CONDITIONED",
        Some(State::Executing) => "EXECUTING",
        Some(State::Answered) => "ANSWERED",
        Some(State::NotExecuted) => "NOT_EXECUTED",
        Some(State::Withdrawn) => "WITHDRAWN",
    }
}

/// Requirements §2: no message exists by which one side moves the other's part of the case.
#[test]
fn every_kind_by_every_side_in_every_state_does_what_the_table_says() {
    let (mut cells, mut wrong) = (0, Vec::new());
    for line in section("effect") {
        let (head, cells_of) = line.split_once('|').unwrap();
        let [kind, side] = head.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let side = if side == "RQ" { 'R' } else { 'D' };
        let expected: Vec<&str> = cells_of.split_whitespace().collect();
        assert_eq!(expected.len(), STATES.len(), "{line}");
        for (state, expected) in STATES.iter().zip(expected) {
            if expected == "turned" {
                continue;
            }
            let (message, before) = row(kind, side);
            let path = path(kind, state, before, side);
            let earlier = fold(&path);
            assert_eq!(name(&earlier), *state, "{kind} {side} {state}: {path:?}");
            let case = fold(&[path.clone(), vec![message]].concat());
            let crossed = case.steps().last().unwrap().crossed;
            let found = match crossed {
                Some(_) => "crossed",
                None if name(&case) == *state => "same",
                None if *state == "CLOSED" => "outcome",
                None => name(&case),
            };
            cells += 1;
            if found != expected {
                wrong.push(format!(
                    "{kind} {side} in {state}: {found} ({crossed:?}), the table says {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} of {cells} cells", wrong.join("\n"), wrong.len());
    assert_eq!(cells, 46 * 2 * 9 - 2, "cells of the table");
}

/// Requirements §2, register of obligations: who owes what.
#[test]
fn every_obligation_is_owed_by_the_side_that_the_table_names() {
    let opening: [(&str, char, Vec<Message>); 5] = [
        ("ORAL_CONFIRMATION", 'R', vec![('D', "ORAL", json!(""))]),
        ("ORIGINAL_RETURN", 'R', vec![('R', "REQUEST", json!("")), ('D', "CUSTODY", json!(["SENT", "i1"]))]),
        ("COST_SETTLEMENT", 'R', vec![('R', "REQUEST", json!("")), ('D', "COST", json!("STATEMENT"))]),
        (
            "NOTIFY_AGENCY",
            'D',
            vec![('R', "REQUEST", json!("")), ('D', "FORWARD", json!("")), ('R', "WITHDRAW", json!(""))],
        ),
        (
            "RETURN_OR_DESTROY",
            'R',
            vec![
                ('R', "REQUEST", json!("")),
                ('D', "CONDITIONS", json!([1, ["c1"]])),
                ('R', "COND_ACCEPT", json!(1)),
                ('D', "FINAL", json!("")),
            ],
        ),
    ];
    for line in section("obligation") {
        let obligation = line.split_whitespace().next().unwrap();
        if obligation == "CONSENT_DECISION" {
            for asker in ['R', 'D'] {
                let case = fold(&[('R', "REQUEST", json!("")), (asker, "CONSENT_REQUEST", json!("q"))]);
                let owner = if asker == 'R' { Side::Requested } else { Side::Requesting };
                assert!(case.owed().any(|owed| owed.what.name() == obligation && owed.owner == owner));
            }
            continue;
        }
        let (_, owner, messages) = opening.iter().find(|(name, ..)| *name == obligation).expect(obligation);
        let owner = if *owner == 'R' { Side::Requesting } else { Side::Requested };
        let case = fold(messages);
        assert!(
            case.owed().any(|owed| owed.what.name() == obligation && owed.owner == owner),
            "{obligation}"
        );
        assert!(!case.is_closed());
    }
}
