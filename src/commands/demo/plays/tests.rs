//! The plays keep to the agreement: judged and folded here as both daemons will.

use super::{FIXTURES, Play, plays};
use crate::commands::json::message_from_json;
use crate::crypto::Digest;
use crate::treaty::case::{Case, Entry, Party, lacks};
use crate::treaty::{check_body, effect};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_play_keeps_to_the_agreement_and_ends_closed() {
    for play in plays().unwrap() {
        let case = folded(&play);
        assert!(case.is_closed(), "{}: {:?}", play.title, case.owed().collect::<Vec<_>>());
    }
}

#[test]
fn every_example_message_is_played_once_and_both_sides_ask() {
    let plays = plays().unwrap();
    let steps = || plays.iter().flat_map(|play| &play.steps);
    let mut played: Vec<_> = steps().map(|step| step.fixture.as_str()).filter(|it| !it.is_empty()).collect();
    played.sort_unstable();
    assert_eq!(played, FIXTURES.map(|(name, _)| name));
    let asking: BTreeSet<_> =
        plays.iter().map(|play| folded(play).requesting().unwrap().to_string()).collect();
    assert_eq!(asking, BTreeSet::from(["KZ".to_owned(), "US".to_owned()]));
    for step in steps() {
        assert!(step.by.starts_with(&step.from) && step.released_by != step.by, "{step:?}");
    }
}

/// What a demonstration of the agreement must show.
#[test]
fn the_plays_show_what_can_happen_to_a_request() {
    let acts: BTreeSet<_> = plays()
        .unwrap()
        .iter()
        .flat_map(|play| folded(play).steps().to_vec())
        .filter_map(|step| step.act)
        .map(|act| act.name())
        .collect();
    for act in [
        "ACCEPTANCE_NOTICE",
        "CLARIFICATION_REQUEST",
        "CLARIFICATION_REPLY",
        "FORWARDING_NOTICE",
        "CONDITIONS_NOTICE",
        "CONDITIONS_REPLY_ACCEPT",
        "CONDITIONS_REPLY_COUNTER",
        "CUSTODY_NOTICE_SENT",
        "CUSTODY_NOTICE_RETURN_RECEIVED",
        "ORAL_REQUEST_NOTE",
        "ASSISTANCE_REQUEST_CONFIRMING",
        "RESPONSE_CORRECTION",
        "COST_NOTICE_SETTLED",
        "OTHER_USE_CONSENT_DECISION_GRANTED",
        "CASE_CLOSE",
    ] {
        assert!(acts.contains(act), "{act}");
    }
    let refused = |play: &Play| folded(play).measures().values().any(|measure| measure.outcome == 2);
    assert!(plays().unwrap().iter().filter(|play| refused(play)).count() >= 2, "refused in part");
}

/// The case after all steps, where each had the effect that the play says.
fn folded(play: &Play) -> Case {
    let mut entries: Vec<Entry> = Vec::new();
    let mut envelopes = BTreeMap::new();
    for step in &play.steps {
        let at = format!("{}: {}", play.title, step.step);
        let to = if step.from == "US" { "KZ" } else { "US" };
        let [sender, recipient] = [step.from.as_str(), to].map(|party| Party::from_code(party).unwrap());
        let before = Case::fold(&entries);
        let document = step.message(|name| match name {
            "last" => Some(before.last_envelope(before.side(sender).other()).to_string()),
            name => envelopes.get(name).cloned(),
        });
        let body = message_from_json(&document.unwrap()).unwrap_or_else(|wrong| panic!("{at}: {wrong:?}")).1;
        check_body(&body.encode_to_vec()).unwrap_or_else(|wrong| panic!("{at}: {wrong:?}"));
        assert_eq!(lacks(&before, sender, recipient, &body), [], "{at}");
        let said_by = |party| entries.iter().filter(|entry| entry.sender == party).count() as u64;
        let envelope = Digest::of(at.as_bytes());
        let entry = Entry {
            sender,
            recipient,
            sequence: said_by(sender) + 1,
            peer_sequence_seen: said_by(recipient),
            envelope,
            effect: effect(&body),
        };
        entries.push(entry);
        envelopes.insert(step.name.clone(), envelope.to_string());
        let case = Case::fold(&entries);
        assert_eq!(case.steps().last().unwrap().crossed, None, "{at}");
        let state = format!("{:?}", case.state().unwrap()).to_ascii_uppercase();
        assert_eq!(state, step.state, "{at}");
    }
    Case::fold(&entries)
}
