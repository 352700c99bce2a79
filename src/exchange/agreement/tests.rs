//! What is in force, at the writers of two Parties with legal effect and a clock that the test moves.

use super::Heads;
use crate::channel::lookup::Lookup;
use crate::crypto::scheme::Curve;
use crate::crypto::testing::{Authority, Identity};
use crate::crypto::{Digest, cms};
use crate::disk::sim::Aftermath;
use crate::exchange::acknowledge::Accepted;
use crate::exchange::orders::{OrderAct, OrderError, OrderStep};
use crate::exchange::submit::{Outgoing, SubmitError};
use crate::exchange::testing::{Side, deliver, outgoing};
use crate::journal::Sizes;
use crate::treaty::Code;
use crate::treaty::heads::{Ground, Subject, accord_digest, list_digest, statement};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::*;
use crate::wire::channel::v1::Environment;
use crate::wire::ledger::v1::order::Action;
use crate::wire::ledger::v1::{Order, OrderText, RejectionReason, TreatyDates, event::Fact};
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const GROUND: Ground<'_> = Ground { environment: "PRODUCTION", agreement: "US-KZ-1997" };
/// The clock begins at 2027-01-15T08:00:00Z.
const BEGIN: i64 = 1_800_000_000;

async fn production() -> (Authority, Side, Side) {
    let authority = Authority::new();
    let mut sides = [("US", "KZ"), ("KZ", "US")].map(|(party, other)| {
        let mut side = Side::new(&authority, party, other, Sizes::default());
        side.terms.environment = Environment::Production;
        side
    });
    for side in &mut sides {
        side.found().unwrap();
        side.start().unwrap();
    }
    let [us, kz] = sides;
    (authority, us, kz)
}

async fn order(side: &Side, number: u8, action: Action) -> Result<(), OrderError> {
    let step = |official: &str, act| OrderStep {
        order_id: [number; 16],
        client: "c".into(),
        official: official.into(),
        act,
        text: OrderText { reason: "told".into(), evidence_ref: "note".into() },
        salt: [number; 32],
    };
    let proposal = OrderAct::Propose(Order { action: Some(action) });
    side.engine().order(step("TA-1", proposal)).await?;
    side.engine().order(step("TA-2", OrderAct::Approve)).await
}

fn dates(notified_on: &str, terminated_on: &str, second_of_day: u32) -> Action {
    Action::TreatyDates(TreatyDates {
        notified_on: notified_on.into(),
        terminated_on: terminated_on.into(),
        second_of_day,
        ..TreatyDates::default()
    })
}

fn message(side: &Side, request: &str, case: u8, content: Content) -> Outgoing {
    let body = Body { content: Some(content) };
    let effect = crate::treaty::effect(&body);
    let mut outgoing = outgoing(&side.terms, request, &body.encode_to_vec());
    outgoing.draft.kind = u32::try_from(effect.kind).unwrap();
    outgoing.draft.case_id = [case; 16];
    outgoing.touches_case = crate::exchange::cases::touches_case(&effect);
    outgoing.effect = effect.encode_to_vec().into();
    outgoing
}

async fn submit(side: &Side, request: &str, case: u8, content: Content) -> Result<u64, SubmitError> {
    let outgoing = message(side, request, case, content);
    let validated = side.engine().permits(&outgoing, None);
    let submitted = side.engine().submit(outgoing).await;
    if let (Err(SubmitError::NotPermitted(code)), Err(refused)) = (validated, &submitted) {
        assert_eq!(*refused, SubmitError::NotPermitted(code), "validation says what submission says");
    }
    submitted
}

fn request() -> Content {
    Content::AssistanceRequest(AssistanceRequest::default())
}

fn confirmation() -> Content {
    Content::AssistanceRequest(AssistanceRequest { confirms_oral: true, ..AssistanceRequest::default() })
}

fn oral_note() -> Content {
    Content::OralRequestNote(OralRequestNote { requesting_party: "US".into(), ..OralRequestNote::default() })
}

fn custody(event: CustodyEvent) -> Content {
    Content::CustodyNotice(CustodyNotice { item_id: "I".into(), event: event.into(), ..Default::default() })
}

fn not_permitted(code: Code) -> Result<u64, SubmitError> {
    Err(SubmitError::NotPermitted(code))
}

fn sign(head: &Identity, party: &str, subject: Subject, digest: Digest) -> HeadSignature {
    let content = statement(GROUND, party, subject, &digest, "Head");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN.unsigned_abs());
    HeadSignature {
        party: party.into(),
        signatory: "Head".into(),
        signed_at: Some(prost_types::Timestamp { seconds: BEGIN, nanos: 0 }),
        key_id: head.key.key_id().to_bytes(),
        signature: cms::sign(&head.key, &content, at).unwrap().into(),
    }
}

fn heads(own: &Identity, peer: &Identity) -> Arc<Heads> {
    let of = |head: &Identity| vec![head.key.certificate().clone()];
    Arc::new(Heads { own: of(own), peer: of(peer) })
}

#[tokio::test]
async fn article_12_1_day_89_refuses_and_day_90_accepts() {
    let (_, us, _) = production().await;
    assert_eq!(submit(&us, "undated", 1, request()).await, not_permitted(Code::AgreementNotInForce));
    order(&us, 1, dates("2026-10-18", "", 0)).await.unwrap();
    assert_eq!(us.engine().agreement().dates().in_force_on(), Some(jiff::civil::date(2027, 1, 16)));
    assert_eq!(submit(&us, "day 89", 1, request()).await, not_permitted(Code::AgreementNotInForce));
    us.clock.advance(16 * 3600 - 1);
    assert_eq!(submit(&us, "day 89", 1, request()).await, not_permitted(Code::AgreementNotInForce));
    us.clock.advance(1);
    assert!(submit(&us, "day 90", 1, request()).await.is_ok());
}

#[tokio::test]
async fn article_12_3_after_the_end_what_was_begun_is_wound_up() {
    let (_, mut us, _) = production().await;
    // The end is at 08:00:01 of the day on which the clock begins.
    order(&us, 1, dates("2000-05-23", "2026-07-15", 8 * 3600 + 1)).await.unwrap();
    assert!(submit(&us, "one second before", 1, request()).await.is_ok());
    assert!(submit(&us, "an oral request", 2, oral_note()).await.is_ok());
    us.clock.advance(1);
    assert_eq!(submit(&us, "at the instant", 3, request()).await, not_permitted(Code::AgreementCeased));
    us.clock.advance(1);
    us.restart(Aftermath::PowerLost).await;
    assert_eq!(submit(&us, "one second after", 3, request()).await, not_permitted(Code::AgreementCeased));
    assert_eq!(submit(&us, "a note", 3, oral_note()).await, not_permitted(Code::AgreementCeased));
    let last = Content::Response(Response { r#type: ResponseType::Final.into(), ..Response::default() });
    assert_eq!(submit(&us, "an answer", 1, last).await, not_permitted(Code::CompletionNotAgreed));
    assert!(submit(&us, "confirms", 2, confirmation()).await.is_ok(), "it was made before the end");
    assert_eq!(
        submit(&us, "confirms nothing", 3, confirmation()).await,
        not_permitted(Code::AgreementCeased)
    );
    let refusal = |ground: NonExecutionGround| {
        Content::NonExecutionNotice(NonExecutionNotice { grounds: vec![ground.into()], ..Default::default() })
    };
    let other = submit(&us, "no", 1, refusal(NonExecutionGround::NotHeld)).await;
    assert_eq!(other, not_permitted(Code::CeasedGroundRequired));
    for (name, content) in [
        ("not executed", refusal(NonExecutionGround::AgreementCeased)),
        ("an original", custody(CustodyEvent::ReturnSent)),
        ("its receipt", custody(CustodyEvent::ReturnReceived)),
        ("withdrawn", Content::WithdrawalNotice(WithdrawalNotice::default())),
        (
            "settled",
            Content::CostNotice(CostNotice { stage: CostStage::Settled.into(), ..Default::default() }),
        ),
        ("closed", Content::CaseClose(CaseClose::default())),
        ("talk", Content::Consultation(Consultation::default())),
        ("agree", Content::Accord(Accord::default())),
    ] {
        assert!(submit(&us, name, 1, content).await.is_ok(), "{name}");
    }
    // Correcting the record brings the agreement back: no case was touched meanwhile.
    order(&us, 2, dates("2000-05-23", "", 0)).await.unwrap();
    assert!(submit(&us, "in force", 4, request()).await.is_ok());
}

#[tokio::test]
async fn orders_are_taken_once_and_by_two() {
    let (_, us, _) = production().await;
    order(&us, 1, dates("2000-05-23", "", 0)).await.unwrap();
    assert_eq!(order(&us, 1, dates("2000-05-23", "", 0)).await, Err(OrderError::Decided));
    assert_eq!(order(&us, 1, dates("2000-05-24", "", 0)).await, Err(OrderError::RequestIdReused));
    let step = OrderStep {
        order_id: [9; 16],
        client: "c".into(),
        official: "TA-1".into(),
        act: OrderAct::Approve,
        text: OrderText::default(),
        salt: [0; 32],
    };
    assert_eq!(us.engine().order(step.clone()).await, Err(OrderError::Unknown));
    let proposal = OrderAct::Propose(Order { action: Some(dates("2001-01-01", "", 0)) });
    us.engine().order(OrderStep { act: proposal, ..step.clone() }).await.unwrap();
    assert_eq!(us.engine().order(step.clone()).await, Err(OrderError::SamePerson));
    us.engine().order(OrderStep { act: OrderAct::Reject, ..step.clone() }).await.unwrap();
    assert_eq!(us.engine().agreement().dates().notified_on, Some(jiff::civil::date(2000, 5, 23)));
    let mut number = 10;
    let full = loop {
        let act = OrderAct::Propose(Order { action: Some(dates("2001-01-01", "", 0)) });
        match us.engine().order(OrderStep { order_id: [number; 16], act, ..step.clone() }).await {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((full, usize::from(number) - 10), (OrderError::TooMany, super::PENDING_ORDERS_MAX));
}

#[tokio::test]
async fn article_6_1_with_legal_effect_nobody_speaks_before_the_first_list() {
    let (authority, us, kz) = production().await;
    let (us_head, kz_head) = (authority.identity(Curve::P256), authority.identity(Curve::P256));
    us.engine().core().heads.store(heads(&us_head, &kz_head));
    for side in [&us, &kz] {
        order(side, 1, dates("2000-05-23", "", 0)).await.unwrap();
    }
    assert_eq!(submit(&us, "own", 1, request()).await, not_permitted(Code::OfficialNotListed));
    assert!(submit(&kz, "first", 1, request()).await.is_ok());
    let mut list = DesignationNotice {
        list_version: 1,
        officials: vec![Official {
            id: "O-1".into(),
            valid_from: "2027-01-01".into(),
            ..Official::default()
        }],
        signature: None,
    };
    let digest = list_digest(GROUND.agreement, "KZ", &list);
    list.signature = Some(sign(&kz_head, "KZ", Subject::DesignationList, digest));
    assert!(submit(&kz, "list", 2, Content::DesignationNotice(list)).await.is_ok());
    assert!(submit(&kz, "second", 3, request()).await.is_ok());
    assert_eq!(deliver(&kz, &us).await.unwrap(), 3);
    let rejection = |sequence| {
        let found = kz.engine().store().find(&Lookup::Acknowledged(sequence)).unwrap().unwrap();
        let Some(Fact::Acknowledged(it)) = &found.event.fact else { panic!() };
        it.rejection()
    };
    let expected =
        [RejectionReason::OfficialNotListed, RejectionReason::Unspecified, RejectionReason::Unspecified];
    assert_eq!([1, 2, 3].map(rejection), expected);
}

#[tokio::test]
async fn article_11_what_the_other_party_rejects_is_taken_back() {
    let (authority, mut us, _) = production().await;
    let (us_head, kz_head) = (authority.identity(Curve::P256), authority.identity(Curve::P384));
    order(&us, 1, dates("2000-05-23", "", 0)).await.unwrap();
    let mut accord = Accord {
        r#type: AccordType::Directive.into(),
        number: 1,
        effective_on: "2027-01-01".into(),
        ..Accord::default()
    };
    let digest = accord_digest(GROUND.agreement, &accord);
    accord.digest = digest.to_bytes();
    accord.signatures =
        vec![sign(&us_head, "US", Subject::Accord, digest), sign(&kz_head, "KZ", Subject::Accord, digest)];
    us.engine().core().heads.store(heads(&us_head, &kz_head));
    // Before the first list with legal effect only a list may be stated, so one comes first.
    let mut list = DesignationNotice {
        list_version: 1,
        officials: vec![Official {
            id: "O-1".into(),
            valid_from: "2027-01-01".into(),
            ..Official::default()
        }],
        signature: None,
    };
    let of_list = list_digest(GROUND.agreement, "US", &list);
    list.signature = Some(sign(&us_head, "US", Subject::DesignationList, of_list));
    submit(&us, "list", 1, Content::DesignationNotice(list)).await.unwrap();
    submit(&us, "accord", 1, Content::Accord(accord)).await.unwrap();
    let on = jiff::civil::date(2027, 1, 15);
    let in_force = us.engine().agreement().accords().digest(on);
    assert!(in_force.is_some());
    // What is in force was in force when it was recorded, whoever the heads are now.
    us.restart(Aftermath::PowerLost).await;
    assert_eq!(us.engine().agreement().accords().digest(on), in_force);
    for (sequence, rejection) in [(1, None), (2, Some(RejectionReason::OfficialNotListed))] {
        let sealed = us.engine().store().find(&Lookup::Sealed(sequence)).unwrap().unwrap();
        let accepted = Accepted {
            sequence,
            envelope_digest: Digest::of(&sealed.record.envelope),
            receipt: vec![1].into(),
            rejection,
            peer_size: 5,
            peer_root: Digest::of(b"root"),
            peer_note: None,
        };
        let answer = us.engine().acknowledge(vec![accepted]).await.unwrap();
        answer.await.unwrap().unwrap();
    }
    // The answer comes with the commit, what was read anew right after it.
    for _ in 0..100 {
        if us.engine().agreement().accords().digest(on).is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(us.engine().agreement().accords().digest(on), None);
    assert_eq!(us.engine().agreement().own().version(), 1);
    // Whom a request would send abroad must be on the list too (Articles 7.4 and 8.4).
    for (request, official, expected) in [
        ("present", "O-1", Ok(())),
        ("absent", "O-2", Err(SubmitError::NotPermitted(Code::OfficialNotListed))),
    ] {
        let measure = Measure {
            kind: MeasureKind::PresenceOfOfficials.into(),
            official_ids: vec![official.into()],
            ..Measure::default()
        };
        let asking = AssistanceRequest { measures: vec![measure], ..AssistanceRequest::default() };
        let case = if official == "O-1" { 7 } else { 8 };
        let submitted = submit(&us, request, case, Content::AssistanceRequest(asking)).await;
        assert_eq!(submitted.map(drop), expected);
    }
}
