//! The other Party's daemon repeats itself, contradicts itself, and sends what is no protocol at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::crypto::digest::Digest;
use article6::limits;
use article6::peer::v1::{DeliverRequest, Delivery};
use article6::wire::channel::v1::Envelope;
use bytes::Bytes;
use prost::Message as _;
use std::time::{Duration, Instant};
use support::impostor::Impostor;
use support::parties::{PATIENCE, Parties, log, reason, serve, status};
use support::proofs::{assert_proof, contradictions};
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_repeated_gets_the_same_receipt_and_what_differs_is_noted_once() {
    let (parties, daemon, mut liar) = us_alone().await;
    let twin = liar.fields();
    let first = liar.delivery(&twin);
    let (receipt, _) = liar.delivered(&first).await;
    for times in 1..=20 {
        let answer = liar.deliver(vec![first.clone(); times]).await.unwrap();
        assert_eq!(answer.receipts, vec![receipt.clone(); times]);
    }
    // Four connections bring the same message at once.
    let second = liar.honest();
    let copies = at_once(4, |_| liar.deliver(vec![second.clone()])).await;
    let receipts: Vec<_> = copies.into_iter().map(|answer| answer.unwrap().receipts).collect();
    assert!(receipts.iter().all(|one| *one == receipts[0]), "{receipts:?}");
    let (again, _) = liar.delivered(&second).await;
    assert_eq!(receipts[0], [again]);
    let mut other = Envelope { language: "ru".into(), ..twin.clone() };
    for _ in 0..3 {
        let refused = liar.deliver(vec![liar.delivery(&other)]).await.unwrap_err();
        assert_eq!(told(&refused), (Code::FailedPrecondition, "EQUIVOCATION".into()));
    }
    other.language = "kk".into();
    assert_eq!(reason(&liar.deliver(vec![liar.delivery(&other)]).await.unwrap_err()), "EQUIVOCATION");
    assert_eq!(
        status(&parties.us).await.ledger_size,
        6,
        "founded, started, configured, two received, one equivocation"
    );
    drop(daemon);
    let _daemon = serve(&parties.us);
    status(&parties.us).await;
    assert_eq!(liar.deliver(vec![first.clone()]).await.unwrap().receipts, [receipt]);
    assert_eq!(reason(&liar.deliver(vec![liar.delivery(&other)]).await.unwrap_err()), "EQUIVOCATION");
    assert_eq!(status(&parties.us).await.ledger_size, 7, "the restart is all that was added");
    let mut behind = liar.introduction();
    (behind.sealed_sequence, behind.sealed_digest) = (0, Bytes::new());
    assert_eq!(reason(&liar.open(behind).await.unwrap_err()), "PEER_CHAIN_BEHIND");
    let honest = liar.honest();
    assert_eq!(liar.delivered(&honest).await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_to_one_place_one_is_held_and_one_contradiction_noted() {
    let (parties, daemon, mut liar) = us_alone().await;
    let claims: Vec<_> = (0..4).map(|_| liar.honest()).collect();
    let answers = at_once(4, |at| liar.deliver(vec![claims[at].clone()])).await;
    let mut winners: Vec<_> = claims.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err().map(reason));
    assert_eq!(refused.collect::<Vec<_>>(), ["EQUIVOCATION"; 3]);
    let (winner, answer) = winners.pop().unwrap();
    assert_eq!(liar.delivered(winner).await.0, answer.as_ref().unwrap().receipts[0]);
    assert_eq!(
        status(&parties.us).await.ledger_size,
        5,
        "founded, started, configured, received, one equivocation"
    );
    let honest = liar.honest();
    assert_eq!(liar.delivered(&honest).await.1, None);
    daemon.stop().unwrap();
    let proofs = contradictions(&parties.us);
    assert_eq!(proofs.len(), 1);
    assert_proof(&proofs[0], &liar.signing_key_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_refusal_is_answered_before_it() {
    let (_parties, _daemon, mut liar) = us_alone().await;
    let mut good = Vec::new();
    for _ in 0..6 {
        let delivery = liar.honest();
        (liar.sequence, liar.previous) = (liar.sequence + 1, Digest::of(&delivery.envelope));
        good.push(vec![delivery]);
    }
    let unsigned = Delivery { signature: Bytes::from_static(b"none"), ..liar.honest() };
    let mut gap = liar.fields();
    gap.sequence += 1;
    for (expected, bad) in [("SIGNATURE_INVALID", unsigned), ("SEQUENCE_GAP", liar.delivery(&gap))] {
        let (answers, refused) = liar.stream([good.clone(), vec![vec![bad]]].concat()).await;
        assert_eq!((answers.len(), reason(&refused).as_str()), (6, expected));
    }
    let honest = liar.honest();
    assert_eq!(liar.delivered(&honest).await.1, None);
}

/// One channel needs one stream; whoever opens many gets no more than four, and the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_stream_is_refused_and_an_ended_one_makes_room() {
    let (_parties, _daemon, mut liar) = us_alone().await;
    let mut open = Vec::new();
    for _ in 0..limits::DELIVER_STREAMS {
        let (requests, stream) = tokio::sync::mpsc::channel::<DeliverRequest>(1);
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        open.push((requests, liar.dial().await.deliver(stream).await.unwrap()));
    }
    let honest = liar.honest();
    let refused = liar.deliver(vec![honest.clone()]).await.unwrap_err();
    assert_eq!(told(&refused), (Code::ResourceExhausted, "TOO_MANY_STREAMS".into()));
    drop(open.pop());
    let end = Instant::now() + PATIENCE;
    while liar.deliver(vec![honest.clone()]).await.is_err() {
        assert!(Instant::now() < end, "an ended stream makes no room");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(liar.delivered(&honest).await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_no_longer_than_one_mebibyte() {
    let (_parties, _daemon, mut liar) = us_alone().await;
    let honest = liar.honest();
    let padded = |length| Delivery { body: Bytes::from(vec![b'x'; length]), ..honest.clone() };
    let refused = liar.deliver(vec![padded(limits::MESSAGE_BYTES)]).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
    assert_eq!(liar.delivered(&honest).await.1, None);
}

/// Runs calls at once.
async fn at_once<T, F: Future<Output = T>>(count: usize, call: impl Fn(usize) -> F) -> Vec<T> {
    let mut calls: Vec<_> = (0..count).map(|at| Box::pin(call(at))).collect();
    let mut done: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, done) in calls.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = call.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_leaves_the_daemon_answering() {
    let (parties, _daemon, mut liar) = us_alone().await;
    let honest = liar.honest();
    let request = DeliverRequest { deliveries: vec![honest.clone()], accepted_size: 0 }.encode_to_vec();
    let frame = |declared: u32, bytes: &[u8]| [&[0][..], &declared.to_be_bytes(), bytes].concat();
    let mut garbage = vec![
        Vec::new(),
        vec![0, 0],
        frame(u32::MAX, b"x"),
        frame(1_000_000, &request),
        frame(4, b"\xff\xff\xff\xff"),
        [&[1][..], &frame(4, b"none")[1..]].concat(),
        vec![0xff; 70_000],
    ];
    for seed in 0u64..40 {
        let noise: Vec<u8> =
            (0..8).flat_map(|part| *Digest::of(&(seed * 8 + part).to_be_bytes()).as_bytes()).collect();
        garbage.push(frame(256, &noise));
        let mut bent = request.clone();
        // In what is signed or around it; another body under this envelope is consumed and turned down.
        let at = usize::from(noise[0]);
        bent[at] ^= noise[1] | 1;
        bent.truncate(bent.len() - usize::from(noise[2] % 3));
        garbage.push(frame(u32::try_from(bent.len()).unwrap(), &bent));
    }
    for bytes in garbage {
        for method in ["Deliver", "Open", "None"] {
            liar.raw(method, bytes.clone()).await;
        }
    }
    let largest =
        liar.send(DeliverRequest { deliveries: vec![honest.clone()], accepted_size: u64::MAX }).await;
    assert_eq!(told(&largest.unwrap_err()), (Code::FailedPrecondition, "OWN_HEAD_UNKNOWN".into()));
    assert_eq!(liar.delivered(&honest).await.1, None);
    assert!(!log(&parties.us).contains("panicked"), "{}", log(&parties.us));
}
