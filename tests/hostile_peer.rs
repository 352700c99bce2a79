//! The other Party's daemon lies: with its own keys, and without. What it says is refused with an exact reason and
//! nothing is consumed, or it is consumed with a signed reason; the next honest message is accepted in either case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::crypto::digest::{Digest, commitment};
use article6::crypto::{Certificate, SigningKey, cms};
use article6::peer::v1::{Delivery, Introduction};
use article6::wire::channel::v1::{
    Envelope, Environment, KeyIntroduction, KeyRetirement, KeyUse, StatementType,
};
use article6::wire::ledger::v1::{RejectionReason, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use std::time::SystemTime;
use support::bad_certificates::Authority;
use support::impostor::{Impostor, SALT};
use support::parties::{Office, Parties, reason, serve, status};
use tonic::{Code, Status};

async fn us_alone() -> (Parties, article6::commands::homes::Running, Impostor) {
    let parties = Parties::new();
    let daemon = serve(&parties.us);
    status(&parties.us).await;
    let liar = Impostor::new(&parties.us, &parties.kz);
    (parties, daemon, liar)
}

fn told(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

type Lie<T> = (&'static str, fn(&mut T));

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_introduction_opens_nothing() {
    let (_parties, _daemon, liar) = us_alone().await;
    let lies: [Lie<Introduction>; 17] = [
        ("WRONG_ENVIRONMENT", |peer| peer.environment = Environment::Production.into()),
        ("WRONG_ENVIRONMENT", |peer| peer.environment = 77),
        ("WRONG_AGREEMENT", |peer| peer.agreement_id = "US-KZ-1998".into()),
        ("WRONG_PARTY", |peer| peer.party = "RU".into()),
        ("WRONG_PARTY", |peer| peer.counterparty = "KZ".into()),
        ("WRONG_PARTY", |peer| (peer.party, peer.counterparty) = ("US".into(), "KZ".into())),
        ("VERSION_UNSUPPORTED", |peer| (peer.version_min, peer.version_max) = (2, 9)),
        ("VERSION_UNSUPPORTED", |peer| (peer.version_min, peer.version_max) = (0, 0)),
        ("KEY_NOT_TRUSTED", |peer| peer.signing_key_id = Bytes::from_static(&[1; 32])),
        ("KEY_NOT_TRUSTED", |peer| peer.signing_key_id = Bytes::new()),
        ("KEY_NOT_TRUSTED", |peer| peer.ledger_key = Bytes::from_static(&[1; 32])),
        ("PEER_CHECKPOINT_INVALID", |peer| peer.checkpoint = peer.checkpoint.replacen("\n1\n", "\n2\n", 1)),
        ("PEER_CHECKPOINT_INVALID", |peer| peer.checkpoint.clear()),
        ("RESTORE_UNPROVEN", |peer| peer.epoch = 2),
        ("OWN_CHAIN_BEHIND", |peer| peer.consumed_sequence = u64::MAX),
        ("OWN_HEAD_UNKNOWN", |peer| peer.accepted_size = u64::MAX),
        ("OWN_HEAD_UNKNOWN", |peer| {
            (peer.accepted_size, peer.accepted_root) = (2, Bytes::from_static(&[3; 32]))
        }),
    ];
    for (expected, lie) in lies {
        let mut introduction = liar.introduction();
        lie(&mut introduction);
        let refused = liar.open(introduction).await.unwrap_err();
        assert_eq!(told(&refused), (Code::FailedPrecondition, expected.into()));
    }
    assert_eq!(liar.consumed().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_envelope_is_refused_and_consumes_nothing() {
    let (parties, _daemon, mut liar) = us_alone().await;
    let first = liar.honest();
    assert_eq!(liar.delivered(&first).await.1, None);
    let lies: [Lie<Envelope>; 17] = [
        ("WRONG_STATEMENT", |envelope| envelope.statement = "article6/envelope/2".into()),
        ("WRONG_ENVIRONMENT", |envelope| envelope.environment = Environment::Production.into()),
        ("WRONG_ENVIRONMENT", |envelope| envelope.environment = 0),
        ("WRONG_AGREEMENT", |envelope| envelope.agreement_id = "US-KZ-1998".into()),
        ("WRONG_SENDER", |envelope| envelope.sender = "RU".into()),
        ("WRONG_SENDER", |envelope| envelope.sender = "US".into()),
        ("WRONG_RECIPIENT", |envelope| envelope.recipient = "KZ".into()),
        ("WRONG_RECIPIENT", |envelope| envelope.recipient.clear()),
        ("WRONG_EPOCH", |envelope| envelope.epoch = 2),
        ("WRONG_EPOCH", |envelope| envelope.epoch = 0),
        ("SEQUENCE_GAP", |envelope| envelope.sequence += 1),
        ("SEQUENCE_GAP", |envelope| envelope.sequence = u64::MAX),
        ("SEQUENCE_GAP", |envelope| envelope.sequence = 0),
        ("WRONG_PREVIOUS_DIGEST", |envelope| envelope.previous_digest = Bytes::from_static(&[0; 32])),
        ("WRONG_PREVIOUS_DIGEST", |envelope| envelope.previous_digest = Bytes::new()),
        ("KEY_NOT_TRUSTED", |envelope| envelope.signing_key_id = Bytes::from_static(&[1; 32])),
        ("KEY_NOT_TRUSTED", |envelope| envelope.signing_key_id = Bytes::new()),
    ];
    for (expected, lie) in lies {
        let mut fields = liar.fields();
        lie(&mut fields);
        let refused = liar.deliver(vec![liar.delivery(&fields)]).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
        assert!(matches!(refused.code(), Code::FailedPrecondition | Code::InvalidArgument), "{refused:?}");
    }
    assert_eq!(liar.consumed().await, 1);
    // What stands before the wrong one in the same request stays consumed; it is not half done.
    let good = liar.honest();
    let mut late = liar.fields();
    late.sequence += 5;
    let refused = liar.deliver(vec![good.clone(), liar.delivery(&late)]).await.unwrap_err();
    assert_eq!(reason(&refused), "SEQUENCE_GAP");
    assert_eq!(liar.consumed().await, 2);
    assert_eq!(liar.delivered(&good).await.1, None);
    let honest = liar.honest();
    assert_eq!(liar.delivered(&honest).await.1, None);
    let size = status(&parties.us).await.ledger_size;
    assert_eq!(size, 6, "founded, started, configured, three received");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_while_the_stream_stays_open() {
    let (parties, _daemon, mut liar) = us_alone().await;
    let honest = liar.honest();
    let with = |signature: Vec<u8>| Delivery { signature: signature.into(), ..honest.clone() };
    let mut broken = honest.signature.to_vec();
    *broken.last_mut().unwrap() ^= 1;
    let mut of_other_bytes = liar.fields();
    of_other_bytes.language = "ru".into();
    let refused = [
        ("SIGNATURE_INVALID", with(broken)),
        ("SIGNATURE_INVALID", with(liar.delivery(&of_other_bytes).signature.to_vec())),
        ("SIGNATURE_INVALID", with(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff])),
        ("SIGNATURE_INVALID", with(Vec::new())),
        ("REQUEST_MALFORMED", with(vec![0x30; 8 * 1024 + 1])),
        ("REQUEST_MALFORMED", Delivery { envelope: vec![0x0a; 64 * 1024 + 1].into(), ..honest.clone() }),
        ("ENVELOPE_UNDECODABLE", liar.sealed(Bytes::from_static(b"\x0a\xff\xff\xff\xff\x0fno envelope"))),
        ("KEY_NOT_TRUSTED", liar.sealed(Bytes::new())),
    ];
    for (expected, delivery) in refused {
        assert_eq!(
            told(&liar.deliver(vec![delivery]).await.unwrap_err()),
            (Code::InvalidArgument, expected.into())
        );
    }
    assert_eq!(reason(&liar.deliver(Vec::new()).await.unwrap_err()), "REQUEST_MALFORMED");
    assert_eq!(reason(&liar.deliver(vec![honest.clone(); 257]).await.unwrap_err()), "REQUEST_MALFORMED");

    // A sound signature by a key that nobody configured, named honestly and under the trusted key's name.
    let leaf = Authority::new("strangers").good("stranger");
    let certificate = Certificate::from_pem(leaf.certificate.as_bytes()).unwrap();
    let stranger = SigningKey::from_pkcs8(leaf.key.as_bytes(), certificate).unwrap();
    let mut fields = liar.fields();
    for (expected, key_id) in [
        ("KEY_NOT_TRUSTED", stranger.key_id().to_bytes()),
        ("SIGNATURE_INVALID", fields.signing_key_id.clone()),
    ] {
        fields.signing_key_id = key_id;
        let mut delivery = liar.delivery(&fields);
        delivery.signature = cms::sign(&stranger, &delivery.envelope, SystemTime::now()).unwrap().into();
        assert_eq!(reason(&liar.deliver(vec![delivery]).await.unwrap_err()), expected);
    }
    // The daemon's own envelope comes back to it.
    let mut office = Office::open(&parties.us).await;
    let own = office.submit("reflected", 0).await.unwrap();
    let content = office.get(&own.name).await.content.unwrap();
    let reflected = Delivery { envelope: content.envelope, signature: content.signature, ..honest.clone() };
    assert_eq!(reason(&liar.deliver(vec![reflected]).await.unwrap_err()), "KEY_NOT_TRUSTED");
    assert_eq!(liar.consumed().await, 0);
    assert_eq!(liar.delivered(&honest).await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_stand_is_consumed_with_a_signed_reason() {
    let (parties, _daemon, mut liar) = us_alone().await;
    let first = liar.honest();
    let used = Envelope::decode(first.envelope.clone()).unwrap().message_id;
    liar.delivered(&first).await;
    let lies: [Lie<Envelope>; 13] = [
        ("PEER_SEQUENCE_IMPOSSIBLE", |envelope| envelope.peer_sequence_seen = 1),
        ("PEER_SEQUENCE_IMPOSSIBLE", |envelope| envelope.peer_sequence_seen = u64::MAX),
        ("TIME_RAN_BACKWARDS", |envelope| envelope.signed_at.as_mut().unwrap().seconds -= 3600),
        ("STATEMENT_UNKNOWN", |envelope| {
            (envelope.statement_type, envelope.kind) = (StatementType::Service.into(), 77);
        }),
        ("SERVICE_REFUSED", |envelope| {
            (envelope.statement_type, envelope.kind) = (StatementType::Service.into(), 1);
        }),
        ("ENVELOPE_MALFORMED", |envelope| envelope.statement_type = 0),
        ("ENVELOPE_MALFORMED", |envelope| envelope.statement_type = 99),
        ("ENVELOPE_MALFORMED", |envelope| envelope.message_id = Bytes::from_static(b"short")),
        ("ENVELOPE_MALFORMED", |envelope| envelope.signed_at = None),
        ("ENVELOPE_MALFORMED", |envelope| envelope.signed_at.as_mut().unwrap().nanos = -1),
        ("ENVELOPE_MALFORMED", |envelope| envelope.acting_official = "x".repeat(41)),
        ("ENVELOPE_MALFORMED", |envelope| envelope.kind = 0),
        ("BODY_MISMATCH", |envelope| envelope.body_commitment = Bytes::from_static(&[5; 32])),
    ];
    for (expected, lie) in lies {
        let mut fields = liar.fields();
        lie(&mut fields);
        let delivery = liar.delivery(&fields);
        let (receipt, rejection) = liar.delivered(&delivery).await;
        assert_eq!(
            rejection,
            RejectionReason::from_str_name(&format!("REJECTION_REASON_{expected}")),
            "{expected}"
        );
        let event = article6::wire::ledger::v1::Event::decode(receipt.event.clone()).unwrap();
        assert!(matches!(event.fact, Some(Fact::Rejected(_))));
        // The same envelope again: the same refusal, byte for byte.
        assert_eq!(liar.deliver(vec![delivery]).await.unwrap().receipts, [receipt]);
    }
    let mut reused = liar.fields();
    reused.message_id = used;
    let delivery = liar.delivery(&reused);
    assert_eq!(liar.delivered(&delivery).await.1, Some(RejectionReason::MessageIdReused));
    let honest = liar.honest();
    let unknown_field = liar.sealed([honest.envelope.as_ref(), b"\xfa\x3f\x01x"].concat().into());
    assert_eq!(liar.delivered(&unknown_field).await.1, Some(RejectionReason::EnvelopeMalformed));
    let large = vec![0u8; 256 * 1024 + 1];
    let mut fields = liar.fields();
    fields.body_commitment = commitment(&SALT, &large).to_bytes();
    let delivery = Delivery { body: large.into(), ..liar.delivery(&fields) };
    assert_eq!(liar.delivered(&delivery).await.1, Some(RejectionReason::BodyTooLarge));
    let salted = Delivery { body_salt: Bytes::from_static(b"short"), ..liar.honest() };
    assert_eq!(liar.delivered(&salted).await.1, Some(RejectionReason::BodyMismatch));
    let honest = liar.honest();
    assert_eq!(liar.delivered(&honest).await.1, None);
    assert_eq!(liar.consumed().await, 19);
    // Two messages are handed over; what was turned down is not shown as one.
    let mut office = Office::open(&parties.us).await;
    let feed = office.feed("", 2).await;
    assert_eq!(feed.iter().map(|(_, message)| message.sequence).collect::<Vec<_>>(), [1, 19]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thin_body_is_received_and_shown_as_deficient() {
    let (parties, daemon, mut liar) = us_alone().await;
    let empty_request = [0x0a, 0x00]; // the body's first member, with nothing in it
    let bodies: [(&[u8], u32); 5] = [
        (&empty_request, 1),
        (b"\xff\xff no protobuf", 1),
        (b"", 1),
        (b"\xfa\x3f\x03abc", 1),
        (&empty_request, 4_000_000_000),
    ];
    for (bytes, kind) in bodies {
        let mut fields = liar.fields();
        fields.kind = kind;
        fields.body_commitment = commitment(&SALT, bytes).to_bytes();
        let delivery = Delivery { body: Bytes::copy_from_slice(bytes), ..liar.delivery(&fields) };
        assert_eq!(liar.delivered(&delivery).await.1, None);
    }
    let unavailable = Delivery { body: Bytes::new(), body_salt: Bytes::new(), ..liar.honest() };
    assert_eq!(liar.delivered(&unavailable).await.1, None);
    let mut office = Office::open(&parties.us).await;
    let feed = office.feed("", 6).await;
    for (_, message) in &feed[..5] {
        assert!(!message.deficiencies.is_empty(), "{message:?}");
        office.get(&message.name).await;
    }
    assert!(office.get(&feed[5].1.name).await.content.unwrap().unavailable);
    daemon.stop().unwrap();
    let _daemon = serve(&parties.us);
    assert_eq!(Office::open(&parties.us).await.feed("", 6).await.len(), 6);
}

/// Each rejection is an event for ever: whoever is turned down often is turned down slowly, and nothing is consumed then.
#[tokio::test(flavor = "multi_thread")]
async fn rejections_grow_the_ledger_no_faster_than_configured() {
    let (_parties, _daemon, mut liar) = us_alone().await;
    let mut refused = None;
    for _ in 0..300 {
        let before = liar.sequence;
        let mut fields = liar.fields();
        fields.body_commitment = Bytes::from_static(&[5; 32]);
        let delivery = liar.delivery(&fields);
        if let Err(status) = liar.deliver(vec![delivery.clone()]).await {
            refused = Some((before, status));
            break;
        }
        (liar.sequence, liar.previous) = (before + 1, Digest::of(&delivery.envelope));
    }
    let (consumed, status) = refused.expect("it is slowed down");
    assert_eq!(told(&status), (Code::ResourceExhausted, "TOO_MANY_REJECTIONS".into()));
    assert!((100..150).contains(&consumed), "{consumed}");
    assert_eq!(liar.consumed().await, consumed, "what is slowed down is not consumed");
}

/// The recovery key ends a thief who has every other one: no other key's word touches it, and nothing said about keys ends
/// the daemon.
#[tokio::test(flavor = "multi_thread")]
async fn statements_about_keys_are_taken_or_turned_down() {
    let (parties, _daemon, mut liar) = us_alone().await;
    let own = liar.signing_key_id();
    let retire = |used_for: KeyUse, key_id: Digest| {
        (2, KeyRetirement { r#use: used_for.into(), key_id: key_id.to_bytes() }.encode_to_vec())
    };
    let introduce = |key: u8| {
        let r#use = KeyUse::Ledger.into();
        (1, KeyIntroduction { r#use, key: vec![key; 32].into(), certificate: Bytes::new() }.encode_to_vec())
    };
    let recovery =
        KeyIntroduction { r#use: KeyUse::Recovery.into(), key: vec![9; 32].into(), ..Default::default() };
    let refused = Some(RejectionReason::ServiceRefused);
    let statements = [
        (retire(KeyUse::Recovery, Digest::of(&[1; 32])), refused),
        (retire(KeyUse::Unspecified, Digest::of(&[1; 32])), refused),
        (retire(KeyUse::Signing, own), refused),
        ((1, recovery.encode_to_vec()), refused),
        (introduce(1), None),
        (introduce(1), refused),
        (introduce(2), None),
        (introduce(3), None),
        (introduce(4), None),
        (introduce(5), refused),
        (retire(KeyUse::Ledger, Digest::of(&[1; 32])), None),
        (introduce(1), refused),
        (retire(KeyUse::Ledger, Digest::of(&[77; 32])), None),
    ];
    for (at, ((kind, body), expected)) in statements.into_iter().enumerate() {
        let mut fields = liar.fields();
        (fields.statement_type, fields.kind) = (StatementType::Service.into(), kind);
        fields.body_commitment = commitment(&SALT, &body).to_bytes();
        let delivery = Delivery { body: body.into(), ..liar.delivery(&fields) };
        assert_eq!(liar.delivered(&delivery).await.1, expected, "statement {at}");
    }
    assert_eq!(status(&parties.us).await.consumed_sequence, 13);
}
