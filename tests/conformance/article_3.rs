//! Use, confidentiality and protection of what was supplied.

use crate::play::{By, Play, item, measure, request, request_refused, with};
use crate::runner::conforms;
use crate::support::bundles::article6;
use crate::world::{Denied, EXPORTER, UNCLEARED, World, new_case};
use article6::backoffice::v1::Message;
use article6::wire::assistance::v1::Purpose;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};
use tonic::Code;

conforms![
    article_3_1_other_purpose_without_consent_denied,
    article_3_1_consent_opens_one_item_only,
    article_3_1_expired_consent_closes_again,
    article_3_1_withdrawn_consent_closes_again,
    article_3_1_denied_export_leaves_nothing,
    article_3_2_confidential_without_reasons_refused,
    article_3_2_late_notice_binds_the_next_read,
    article_3_2_receiver_cannot_lift,
    article_3_3_marking_follows_the_receivers_table,
    article_3_3_unmapped_pair_gets_the_top_marking,
    article_3_3_export_shows_the_marking,
];

const REQUEST: &str = "0198f000-0000-7000-8000-0000000000aa";

/// A case with an interim answer, and the final one that follows it.
async fn two_items() -> (Play, [Message; 2]) {
    let mut play = Play::accepted(json!([measure("M1", "GATHER_INFORMATION", "7.2")])).await;
    let interim = with(play.answered().await, "type", json!("INTERIM"));
    let interim = play.say(By::Rd, &interim).await;
    let last = play.answer().await;
    (play, [interim, last])
}

fn decision(decision: &str, items: &[&Message]) -> Value {
    let items: Vec<String> = items.iter().map(|it| item(it)).collect();
    json!({"kind": "OTHER_USE_CONSENT_DECISION", "request_id": REQUEST, "decision": decision, "item_ids": items})
}

/// Asks for consent to another use of these items.
async fn ask(play: &mut Play, items: &[&Message]) {
    let items: Vec<String> = items.iter().map(|it| item(it)).collect();
    let asked = json!({"kind": "OTHER_USE_CONSENT_REQUEST", "request_id": REQUEST, "item_ids": items,
        "purpose": "A civil suit.", "recipient": "A court"});
    play.say(By::Rq, &asked).await;
}

fn without_consent() -> Denied {
    (Code::PermissionDenied, "CONSENT_REQUIRED".to_owned())
}

/// A day by the daemons' clock, so many days from now.
fn day(offset: i64) -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    today.checked_add(offset.days()).unwrap().to_string()
}

async fn article_3_1_other_purpose_without_consent_denied() {
    let (mut play, [_, answer]) = two_items().await;
    assert_eq!(play.rq.export(&answer, Purpose::Other).await.unwrap_err(), without_consent());
    assert_eq!(play.rq.audited(&answer).await, [(EXPORTER.to_owned(), Purpose::Other, true)]);
    // Silence for however many other uses grants nothing, and the Agreement's own purposes need nothing.
    play.rq.export(&answer, Purpose::AdministrativeProceeding).await.unwrap();
    // Nor does an official who may not read for another use at all, and that is recorded, too.
    let read = play.rq.read("US-DO-0011", &answer, Purpose::Other).await;
    assert_eq!(read.unwrap_err(), without_consent());
    let denied: Vec<_> =
        play.rq.audited(&answer).await.into_iter().filter(|(_, _, denied)| *denied).collect();
    assert_eq!(denied.len(), 2, "{denied:?}");
}

async fn article_3_1_consent_opens_one_item_only() {
    let (mut play, [a, b]) = two_items().await;
    ask(&mut play, &[&a, &b]).await;
    assert_eq!(play.rq.export(&a, Purpose::Other).await.unwrap_err(), without_consent(), "silence");
    play.say(By::Rd, &decision("GRANTED", &[&a])).await;
    play.rq.export(&a, Purpose::Other).await.unwrap();
    assert_eq!(play.rq.export(&b, Purpose::Other).await.unwrap_err(), without_consent());
}

/// The daemons run by this machine's clock: instead of that, the last day is moved to the other side of now.
async fn article_3_1_expired_consent_closes_again() {
    let (mut play, [a, _]) = two_items().await;
    ask(&mut play, &[&a]).await;
    let until = |last: i64| with(decision("GRANTED", &[&a]), "valid_until", json!(day(last)));
    for (last, open) in [(1, true), (-1, false), (1, true), (-400, false)] {
        play.say(By::Rd, &until(last)).await;
        let exported = play.rq.export(&a, Purpose::Other).await;
        assert_eq!(exported.map(drop), if open { Ok(()) } else { Err(without_consent()) }, "{last}");
    }
}

async fn article_3_1_withdrawn_consent_closes_again() {
    let (mut play, [a, _]) = two_items().await;
    ask(&mut play, &[&a]).await;
    play.say(By::Rd, &decision("GRANTED", &[&a])).await;
    play.rq.export(&a, Purpose::Other).await.unwrap();
    play.say(By::Rd, &decision("WITHDRAWN", &[&a])).await;
    assert_eq!(play.rq.export(&a, Purpose::Other).await.unwrap_err(), without_consent());
    let audited = play.rq.audited(&a).await;
    let entry = |denied| (EXPORTER.to_owned(), Purpose::Other, denied);
    assert_eq!(audited, [entry(false), entry(true)], "the earlier export stays on record");
}

async fn article_3_1_denied_export_leaves_nothing() {
    let (mut play, [a, b]) = two_items().await;
    ask(&mut play, &[&a]).await;
    play.say(By::Rd, &decision("GRANTED", &[&a])).await;
    assert_eq!(play.rq.export(&b, Purpose::Other).await.unwrap_err(), without_consent(), "no byte of it");
    let out = tempfile::tempdir().unwrap();
    let profile = play.rq.home.profile();
    let prove = |purpose: &str| {
        let (case, out) = (play.name.as_str(), out.path().to_str().unwrap());
        let profile = profile.to_str().unwrap();
        article6(&[
            "prove",
            "--case",
            case,
            "--purpose",
            purpose,
            "--out",
            out,
            "--official",
            EXPORTER,
            "--profile",
            profile,
        ])
    };
    let denied = prove("OTHER");
    assert!(!denied.status.success() && denied.stdout.is_empty());
    let told = String::from_utf8_lossy(&denied.stderr).into_owned();
    assert!(told.contains("CONSENT_REQUIRED"), "{told}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "no file, whole or temporary");
    // The same export for a purpose of the Agreement leaves a file for each message.
    let permitted = prove("ADMINISTRATIVE_PROCEEDING");
    assert!(permitted.status.success(), "{}", String::from_utf8_lossy(&permitted.stderr));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 6);
}

fn handling(reasons: &str) -> Value {
    json!({"confidential": true, "confidential_reasons": reasons, "intended_purposes": ["ADMINISTRATIVE_PROCEEDING"]})
}

fn notice(confidential: bool, reasons: &str, message: &Message) -> Value {
    json!({"kind": "CONFIDENTIALITY_NOTICE", "item_ids": [item(message)], "confidential": confidential, "reasons": reasons})
}

async fn article_3_2_confidential_without_reasons_refused() {
    for blank in ["", "  "] {
        let refused = request_refused(&with(request(), "handling", handling(blank))).await;
        assert_eq!(refused, ["CONFIDENTIALITY_REASONS_REQUIRED"]);
        let (mut play, [a, _]) = two_items().await;
        let refused = play.refused(By::Rd, &notice(true, blank, &a)).await;
        assert_eq!(refused, ["CONFIDENTIALITY_REASONS_REQUIRED"]);
        let mut play = Play::open(&request()).await;
        let answer = with(play.answered().await, "handling", handling(blank));
        assert_eq!(play.refused(By::Rd, &answer).await, ["CONFIDENTIALITY_REASONS_REQUIRED"]);
        let answer = with(answer, "handling", handling("An informant."));
        play.say(By::Rd, &answer).await;
    }
    let asked = with(request(), "handling", handling("An inquiry goes on."));
    World::shared().await.us().await.says(&new_case(), &asked).await;
}

async fn article_3_2_late_notice_binds_the_next_read() {
    let (mut play, [a, _]) = two_items().await;
    let purpose = Purpose::AdministrativeProceeding;
    play.rq.read(UNCLEARED, &a, purpose).await.unwrap();
    play.say(By::Rd, &notice(true, "An informant.", &a)).await;
    let denied = play.rq.read(UNCLEARED, &a, purpose).await.unwrap_err();
    assert_eq!(denied, (Code::PermissionDenied, "CLEARANCE_REQUIRED".to_owned()));
    play.rq.read("US-DO-0011", &a, purpose).await.unwrap();
}

async fn article_3_2_receiver_cannot_lift() {
    let (mut play, [a, _]) = two_items().await;
    play.say(By::Rd, &notice(true, "An informant.", &a)).await;
    let name = play.name.clone();
    let lift = crate::world::says(&notice(false, "We need it.", &a));
    let refused = play.rq.send(&name, lift).await.unwrap_err();
    assert_eq!(
        (refused.code(), crate::world::codes(&refused)),
        (Code::PermissionDenied, vec!["NOT_SUPPLIED".into()])
    );
    let purpose = Purpose::AdministrativeProceeding;
    let denied = play.rq.read(UNCLEARED, &a, purpose).await.unwrap_err();
    assert_eq!(denied.1, "CLEARANCE_REQUIRED");
    play.say(By::Rd, &notice(false, "It is over.", &a)).await;
    play.rq.read(UNCLEARED, &a, purpose).await.unwrap();
}

/// The marking of a message as the United States see it.
async fn marked(play: &mut Play, message: &Message) -> (String, bool) {
    let read = play.rq.read(EXPORTER, message, Purpose::AdministrativeProceeding).await.unwrap();
    (read.marking, read.marking_unmapped)
}

async fn article_3_3_marking_follows_the_receivers_table() {
    let (mut play, [interim, answer]) = two_items().await;
    assert_eq!(marked(&mut play, &interim).await, ("OFFICIAL".into(), false));
    // Its supplier asks for confidentiality later: the marking is the one that own confidential information has.
    let notice = json!({"kind": "CONFIDENTIALITY_NOTICE", "item_ids": [item(&answer)], "confidential": true,
        "reasons": "An informant."});
    play.say(By::Rd, &notice).await;
    assert_eq!(marked(&mut play, &answer).await, ("SENSITIVE".into(), false));
    assert_eq!(marked(&mut play, &interim).await, ("OFFICIAL".into(), false));
}

async fn article_3_3_unmapped_pair_gets_the_top_marking() {
    let mut play = Play::open(&request()).await;
    let accepted = play.say(By::Rd, &crate::play::acceptance()).await;
    assert_eq!(marked(&mut play, &accepted).await, ("HIGHEST".into(), true));
}

async fn article_3_3_export_shows_the_marking() {
    let (mut play, [_, answer]) = two_items().await;
    assert_eq!(play.rq.exported_marking(&answer).await, "OFFICIAL");
}
