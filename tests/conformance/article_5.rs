//! Form and content of requests.

use crate::kinds::oral_note;
use crate::play::{By, Play, acceptance, request, request_refused, with, without};
use crate::runner::conforms;
use crate::support::impostor::{Impostor, SALT};
use crate::support::parties::{Office, Parties, serve, status};
use crate::world::{World, says};
use article6::backoffice::v1::CaseState;
use article6::crypto::Digest;
use article6::crypto::digest::commitment;
use article6::peer::v1::Delivery;
use article6::treaty::case::{Case, Entry, Party, State};
use article6::treaty::due::due;
use article6::treaty::effect;
use article6::wire::assistance::v1::AlertTargets;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use prost::Message as _;
use serde_json::{Value, json};

conforms![
    article_5_1_oral_request_runs_to_close,
    article_5_1_close_before_confirmation_refused,
    article_5_1_ten_years_change_no_state,
    article_5_2_each_missing_part_has_its_own_code,
    article_5_2_thin_request_of_a_peer_is_kept_as_deficient,
];

fn confirmation() -> Value {
    with(request(), "confirms_oral", json!(true))
}

/// An oral request that was noted by its receiver.
async fn oral() -> Play {
    let mut play = Play::new(&*World::shared().await).await;
    play.say(By::Rd, &with(oral_note(), "noted_by_party", json!("KZ"))).await;
    play.stands(CaseState::Submitted).await;
    play
}

async fn article_5_1_oral_request_runs_to_close() {
    let mut play = oral().await;
    play.say(By::Rd, &acceptance()).await;
    play.stands(CaseState::Executing).await;
    play.answer().await;
    play.stands(CaseState::Answered).await;
    let open = play.case(By::Rd).await.obligations;
    assert_eq!((open[0].kind.as_str(), open[0].owner.as_str()), ("ORAL_CONFIRMATION", "US"));
    play.say(By::Rq, &confirmation()).await;
    play.stands(CaseState::Answered).await;
    play.closes().await;
}

async fn article_5_1_ten_years_change_no_state() {
    let mut play = oral().await;
    let seen = play.case(By::Rd).await;
    assert_eq!(seen.due[0].what, "ORAL_CONFIRMATION");
    assert!(!seen.due[0].overdue);
    // The same case in ten years: the fold asks no clock, and all that time does is to make what is due overdue.
    let noted: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let [us, kz] = ["US", "KZ"].map(|code| Party::from_code(code).unwrap());
    let case = Case::fold(&[Entry {
        sender: us,
        recipient: kz,
        sequence: 1,
        peer_sequence_seen: 0,
        envelope: Digest::of(b"note"),
        effect: effect(&says(&oral_note())),
    }]);
    let dues = due(&case, &AlertTargets::default(), |_| noted);
    let in_ten_years = noted.to_zoned(TimeZone::UTC).checked_add(10.years()).unwrap().timestamp();
    assert!(
        dues.iter().any(|it| it.what == "ORAL_CONFIRMATION" && it.at.to_string() == "2026-01-06T09:00:00Z")
    );
    assert!(dues.iter().all(|it| it.at < in_ten_years));
    assert_eq!(case.state(), Some(State::Submitted));
    assert_eq!(case.owed().count(), 1);
}

async fn article_5_1_close_before_confirmation_refused() {
    let mut play = oral().await;
    play.answer().await;
    play.close_refused("OBLIGATION_OPEN").await;
    play.say(By::Rq, &confirmation()).await;
    play.closes().await;
}

/// Requests that lack one part each: the code of what is missing, with its letter of Article 5.2.
fn thin() -> Vec<(&'static str, &'static str, Value)> {
    let unknown = with(request(), "parties_unknown", json!(false));
    let unnatural = json!({"stage": "PRE_PENALTY"});
    vec![
        ("AUTHORITY_REQUIRED", "5.2(a)", without(request(), "authority")),
        ("NATURE_REQUIRED", "5.2(b)", with(request(), "proceedings", unnatural)),
        ("OBJECT_REQUIRED", "5.2(c)", without(request(), "object")),
        ("REASON_REQUIRED", "5.2(c)", without(request(), "reason")),
        ("PARTIES_REQUIRED", "5.2(d)", unknown),
        ("DESCRIPTION_REQUIRED", "5.2(e)", without(request(), "description")),
        ("LEGAL_ELEMENTS_REQUIRED", "5.2(e)", without(request(), "legal_elements")),
    ]
}

async fn article_5_2_each_missing_part_has_its_own_code() {
    for (code, _, request) in thin() {
        assert_eq!(request_refused(&request).await, [code]);
    }
    assert_eq!(request_refused(&with(request(), "object", json!("  "))).await, ["OBJECT_REQUIRED"]);
    assert_eq!(request_refused(&without(request(), "proceedings")).await, ["NATURE_REQUIRED"]);
}

async fn article_5_2_thin_request_of_a_peer_is_kept_as_deficient() {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    status(&parties.us).await;
    let mut peer = Impostor::new(&parties.us, &parties.kz);
    let mut office = Office::open(&parties.us).await;
    for (at, (code, letter, request)) in (1_u64..).zip(thin()) {
        let body = says(&request).encode_to_vec();
        let mut fields = peer.fields();
        fields.case_id = vec![u8::try_from(at).unwrap(); 16].into();
        fields.body_commitment = commitment(&SALT, &body).to_bytes();
        let delivery = Delivery { body: body.clone().into(), ..peer.delivery(&fields) };
        let (_, rejection) = peer.delivered(&delivery).await;
        assert_eq!(rejection, None, "{code}: a signed request is never rejected for what it lacks");
        let (_, stored) = office.feed("", usize::try_from(at).unwrap()).await.pop().unwrap();
        let shown = office.get(&stored.name).await;
        let lacks: Vec<_> =
            shown.deficiencies.iter().map(|it| (it.code.as_str(), it.article.as_str())).collect();
        assert_eq!(lacks, [(code, letter)]);
        assert_eq!(shown.content.unwrap().body_bytes, body, "kept as it was signed");
        assert_eq!(shown.case_effect.unwrap().to(), CaseState::Submitted, "with its full effect");
    }
    daemon.stop().unwrap();
}
