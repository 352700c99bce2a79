//! The receiving side lies about what it holds. Nothing counts as delivered without a sound receipt, the reason is
//! told, and everything goes through as soon as an honest daemon answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::backoffice::v1::DeliveryState;
use article6::crypto::digest::Digest;
use article6::peer::v1::{DeliverResponse, Introduction};
use article6::wire::channel::v1::Environment;
use bytes::Bytes;
use support::parties::{Office, Parties, edit, log, release, serve, status as status_of, until};
use support::relay::{Lie, Relay};

fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}

/// The size that a signed checkpoint names.
fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// The reason a lie is told by, and the lie.
type Answer = (&'static str, fn(&Relay, &mut DeliverResponse));
/// The same for introductions.
type Opening = (&'static str, fn(&mut Introduction));

const ANSWERS: [Answer; 15] = [
    ("RECEIPT_MISMATCH", |relay, answer| answer.receipts = relay.first_answer().receipts),
    ("RECEIPT_MISMATCH", |_, answer| answer.receipts[0].event = Bytes::from_static(b"\xff")),
    ("RECEIPT_MISMATCH", |_, answer| answer.receipts[0].event = Bytes::new()),
    ("RECEIPT_PROOF_INVALID", |_, answer| answer.receipts[0].salt = flipped(&answer.receipts[0].salt, 0)),
    ("RECEIPT_PROOF_INVALID", |relay, answer| {
        answer.receipts[0].tlog_proof = relay.first_answer().receipts[0].tlog_proof.clone();
    }),
    ("RECEIPT_PROOF_INVALID", |_, answer| answer.receipts[0].tlog_proof.truncate(40)),
    ("RECEIPT_PROOF_INVALID", |_, answer| {
        // One bit of the recorded time: the event reads well, and the ledger does not hold it.
        let event = &mut answer.receipts[0].event;
        *event = flipped(event, 3);
    }),
    ("PEER_CHECKPOINT_INVALID", |_, answer| answer.checkpoint = answer.checkpoint.replace("/KZ/", "/US/")),
    ("PEER_CHECKPOINT_INVALID", |_, answer| answer.checkpoint.clear()),
    ("PEER_LEDGER_INCONSISTENT", |relay, answer| {
        answer.checkpoint = relay.checkpoint(size_of(&answer.checkpoint) + 7, Digest::of(b"another ledger"));
    }),
    ("PEER_LEDGER_INCONSISTENT", |relay, answer| {
        answer.checkpoint = relay.checkpoint(size_of(&answer.checkpoint), Digest::of(b"another ledger"));
    }),
    ("PEER_LEDGER_INCONSISTENT", |relay, answer| {
        answer.checkpoint = relay.checkpoint(1, Digest::of(b"shrunk"))
    }),
    ("PEER_LEDGER_INCONSISTENT", |_, answer| answer.consistency.push(Bytes::from_static(&[0; 32]))),
    ("PEER_ANSWER_MALFORMED", |_, answer| answer.receipts.clear()),
    ("PEER_ANSWER_MALFORMED", |_, answer| answer.receipts.push(answer.receipts[0].clone())),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_false_receipt_marks_a_message_as_delivered() {
    let parties = Parties::new();
    edit(&parties.us, "counterparty = \"KZ\"", "counterparty = \"KZ\"\nstalled_after = \"1s\"");
    let relay = Relay::serve(&parties.us, &parties.kz).await;
    let (_us, _kz) = (serve(&parties.us), serve(&parties.kz));
    let mut office = Office::open(&parties.us).await;
    let first = office.submit("honest", 0).await.unwrap();
    until(&parties.us, "the first is delivered", |status| status.acknowledged_sequence == 1).await;
    assert_eq!(office.state(&first.name).await, DeliveryState::Delivered);

    let bent = ANSWERS.map(|(expected, bend)| (expected, Lie::Answer(bend)));
    let rest = [("PEER_CONNECTION_CLOSED", Lie::Silence), ("RECEIPT_MISMATCH", Lie::Hasty)];
    for (number, (expected, lie)) in bent.into_iter().chain(rest).enumerate() {
        relay.lies(lie);
        let message = office.submit(&format!("lie-{number}"), 0).await.unwrap();
        let reason =
            |status: &article6::operations::v1::GetStatusResponse| status.delivery.clone().unwrap().reason;
        let what = format!("lie {number} is told as {expected}");
        let told = |status: &_| {
            reason(status) == expected
                || (expected == "PEER_LEDGER_INCONSISTENT" && reason(status) == "CHANNEL_HELD")
        };
        let status = until(&parties.us, &what, told).await;
        assert_eq!(status.acknowledged_sequence + 1, status.sealed_sequence, "lie {number}");
        assert_ne!(office.state(&message.name).await, DeliveryState::Delivered, "lie {number}");
        if number == 0 {
            stalls(&mut office, &message.name, expected).await;
        }
        relay.lies(Lie::None);
        // A contradiction holds the channel until a person releases it.
        let honest = async |status: &article6::operations::v1::GetStatusResponse| {
            if status.witness.unwrap().held {
                release(&parties.us).await;
            }
            status.acknowledged_sequence == message.sequence && status.delivery.as_ref().unwrap().open
        };
        while !honest(&status_of(&parties.us).await).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(office.state(&message.name).await, DeliveryState::Delivered, "lie {number}");
    }
    let sequences: Vec<_> = Office::open(&parties.kz)
        .await
        .feed("", 18)
        .await
        .iter()
        .map(|(_, message)| message.sequence)
        .collect();
    assert_eq!(sequences, (1..=18).collect::<Vec<_>>());
    assert!(!log(&parties.us).contains("panicked"));
}

/// A daemon that opens and then never gives a sound receipt is no working channel.
async fn stalls(office: &mut Office, name: &str, expected: &str) {
    for _ in 0..1000 {
        let delivery = office.get(name).await.delivery.unwrap();
        if delivery.state() == DeliveryState::Stalled {
            assert_eq!(delivery.stalled_reason, expected);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the message does not stall");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_introduction_of_the_other_side_delivers_nothing() {
    let parties = Parties::new();
    let relay = Relay::serve(&parties.us, &parties.kz).await;
    let (_us, _kz) = (serve(&parties.us), serve(&parties.kz));
    let mut kz_office = Office::open(&parties.kz).await;
    kz_office.submit("from-kz", 0).await.unwrap();
    until(&parties.us, "one arrives", |status| status.consumed_sequence == 1).await;
    let lies: [Opening; 10] = [
        ("VERSION_UNSUPPORTED", |peer| peer.version_min = 2),
        ("WRONG_ENVIRONMENT", |peer| peer.environment = Environment::Production.into()),
        ("WRONG_AGREEMENT", |peer| peer.agreement_id.clear()),
        ("WRONG_PARTY", |peer| peer.party = "US".into()),
        ("KEY_NOT_TRUSTED", |peer| peer.signing_key_id = flipped(&peer.signing_key_id, 0)),
        ("KEY_NOT_TRUSTED", |peer| peer.ledger_key = flipped(&peer.ledger_key, 0)),
        ("PEER_CHECKPOINT_INVALID", |peer| peer.checkpoint = peer.checkpoint.replace("/KZ/", "/US/")),
        ("OWN_CHAIN_BEHIND", |peer| peer.consumed_sequence += 99),
        ("PEER_CHAIN_BEHIND", |peer| peer.sealed_sequence = 0),
        ("OWN_HEAD_UNKNOWN", |peer| peer.accepted_size += 1000),
    ];
    relay.lies(Lie::Introduction(lies[0].1));
    // The session that is open goes on; a new one begins with the lie.
    drop(_kz);
    let _kz = serve(&parties.kz);
    let mut office = Office::open(&parties.us).await;
    let message = office.submit("waits", 0).await.unwrap();
    for (expected, lie) in lies {
        relay.lies(Lie::Introduction(lie));
        let status = until(&parties.us, expected, |status| {
            let delivery = status.delivery.clone().unwrap();
            delivery.reason == expected && !delivery.open
        })
        .await;
        assert_eq!(status.acknowledged_sequence, 0, "{expected}");
    }
    relay.lies(Lie::None);
    until(&parties.us, "the honest answer counts", |status| status.acknowledged_sequence == 1).await;
    assert_eq!(office.state(&message.name).await, DeliveryState::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_does_not_hold_back_those_before_it() {
    let parties = Parties::new();
    edit(&parties.us, "counterparty = \"KZ\"", "counterparty = \"KZ\"\nstalled_after = \"1s\"");
    let relay = Relay::serve(&parties.us, &parties.kz).await;
    let (_us, mut office) = (serve(&parties.us), Office::open(&parties.us).await);
    let mut names = Vec::new();
    for number in 0..12 {
        names.push(office.submit(&format!("message-{number}"), 0).await.unwrap().name);
    }
    relay.lies(Lie::RefuseFrom(10));
    let _kz = serve(&parties.kz);
    until(&parties.us, "those before it have their receipts", |status| {
        let delivery = status.delivery.clone().unwrap();
        status.acknowledged_sequence == 9 && delivery.reason == "KEY_NOT_TRUSTED" && !delivery.open
    })
    .await;
    assert_eq!(office.state(&names[8]).await, DeliveryState::Delivered);
    stalls(&mut office, &names[9], "KEY_NOT_TRUSTED").await;
    relay.lies(Lie::None);
    until(&parties.us, "all have their receipts", |status| status.acknowledged_sequence == 12).await;
}
