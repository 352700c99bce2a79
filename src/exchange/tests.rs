//! The promises of the store, proven with faults injected on purpose.

use super::testing::{Side, acknowledged, check_everything, deliver, outgoing};
use crate::crypto::testing::Authority;
use crate::disk::sim::{Aftermath, Fault};
use crate::exchange::cases::CaseFile;
use crate::exchange::start::StartError;
use crate::exchange::submit::SubmitError;
use crate::journal::Sizes;
use crate::journal::identity::IdentityError;
use crate::journal::open::OpenError;
use crate::wire::ledger::v1::HandedOver;
use std::path::PathBuf;

const SMALL: Sizes = Sizes { segment_bytes: 24 << 10, step_bytes: 16 << 10 };

fn sides(sizes: Sizes) -> (Side, Side) {
    let authority = Authority::new();
    (Side::new(&authority, "US", "KZ", sizes), Side::new(&authority, "KZ", "US", sizes))
}

async fn running(sizes: Sizes) -> (Side, Side) {
    let (mut a, mut b) = sides(sizes);
    for side in [&mut a, &mut b] {
        side.found().unwrap();
        side.start().unwrap();
    }
    (a, b)
}

/// The golden exchange: messages both ways, receipts, a hand-over. Goes as far as it can; every step may be repeated.
async fn golden(a: &mut Side, b: &mut Side) {
    for (request, body) in [("r1", &b"first"[..]), ("r2", b"second")] {
        if a.submit(request, body).await.is_err() {
            return;
        }
    }
    if deliver(a, b).await.is_err() || b.submit("r1", b"answer").await.is_err() {
        return;
    }
    let head = b.engine().store().reader().head().size;
    let taken = HandedOver { client: "c".into(), official: "O-2".into(), leaves: vec![], next_leaf: head };
    let _ = b.engine().hand_over(taken).await;
    let _ = deliver(b, a).await;
}

#[tokio::test]
async fn messages_cross_and_everything_holds() {
    let (mut a, mut b) = running(Sizes::default()).await;
    golden(&mut a, &mut b).await;
    assert_eq!((acknowledged(a.engine()), acknowledged(b.engine())), (2, 1));
    check_everything(&a, &b);
    a.restart(Aftermath::PowerLost).await;
    b.restart(Aftermath::PowerLost).await;
    assert_eq!(a.engine().state().acknowledged(), 2);
    assert_eq!(b.engine().state().cursor("c"), b.engine().state().handed_over());
    check_everything(&a, &b);
}

#[tokio::test]
async fn segments_roll_and_nothing_depends_on_their_number() {
    let (mut a, mut b) = running(SMALL).await;
    for n in 0..120 {
        a.submit(&format!("r{n}"), &vec![b'x'; 700]).await.unwrap();
        if n % 10 == 0 {
            deliver(&a, &b).await.unwrap();
            b.submit(&format!("r{n}"), b"answer").await.unwrap();
            deliver(&b, &a).await.unwrap();
        }
    }
    deliver(&a, &b).await.unwrap();
    assert!(a.engine().store().reader().segments() > 5);
    check_everything(&a, &b);
    a.restart(Aftermath::PowerLost).await;
    b.restart(Aftermath::Killed).await;
    assert_eq!(a.engine().state().sealed().sequence, 120);
    check_everything(&a, &b);
    assert_eq!(a.submit("r7", &vec![b'x'; 700]).await, Ok(a.acknowledged["r7"]), "the same answer for ever");
    assert_eq!(a.submit("r7", b"other").await, Err(SubmitError::RequestIdReused));
}

/// Runs the golden exchange with one fault at the n-th operation of each chosen disk. Returns false when the
/// exchange ended before the fault came.
async fn golden_with_fault(n: u64, fault: Fault, aftermath: Aftermath, on: [bool; 2]) -> bool {
    // Segments so small that the exchange rolls them.
    let (mut a, mut b) = running(Sizes { segment_bytes: 9 << 10, step_bytes: 8 << 10 }).await;
    let before = [a.disk.operations(), b.disk.operations()];
    for (side, chosen) in [(&a, on[0]), (&b, on[1])] {
        if chosen {
            side.disk.plan(n, fault);
        }
    }
    golden(&mut a, &mut b).await;
    let happened =
        (on[0] && a.disk.operations() > before[0] + n) || (on[1] && b.disk.operations() > before[1] + n);
    a.restart(aftermath).await;
    b.restart(aftermath).await;
    check_everything(&a, &b);
    golden(&mut a, &mut b).await;
    assert_eq!(
        (acknowledged(a.engine()), acknowledged(b.engine())),
        (2, 1),
        "{fault:?} at {n}, {aftermath:?}, {on:?}"
    );
    check_everything(&a, &b);
    a.stop().await;
    b.stop().await;
    happened
}

async fn every_operation(fault: Fault, aftermath: Aftermath) {
    for on in [[true, false], [false, true], [true, true]] {
        let mut n = 0;
        while golden_with_fault(n, fault, aftermath, on).await {
            n += 1;
        }
        assert!(n > 10, "the exchange has more operations than {n}");
    }
}

#[tokio::test]
async fn dying_before_any_write_or_sync_loses_nothing_acknowledged() {
    every_operation(Fault::DieBefore, Aftermath::Killed).await;
    every_operation(Fault::DieBefore, Aftermath::PowerLost).await;
}

#[tokio::test]
async fn dying_after_any_write_or_sync_loses_nothing_acknowledged() {
    every_operation(Fault::DieAfter, Aftermath::Killed).await;
    every_operation(Fault::DieAfter, Aftermath::PowerLost).await;
}

#[tokio::test]
async fn torn_writes_lose_nothing_acknowledged() {
    for seed in [1, 77, 4242] {
        every_operation(Fault::DieAfter, Aftermath::Torn(seed)).await;
    }
}

#[tokio::test]
async fn a_failing_write_or_sync_loses_nothing_acknowledged() {
    every_operation(Fault::Fails, Aftermath::PowerLost).await;
    every_operation(Fault::FailsButPersists, Aftermath::Killed).await;
    every_operation(Fault::FailsButPersists, Aftermath::PowerLost).await;
}

#[tokio::test]
async fn the_harness_notices_a_disk_that_only_pretends_to_sync() {
    let (mut a, _b) = running(Sizes::default()).await;
    a.disk.lie();
    a.submit("r1", b"first").await.unwrap();
    a.stop().await;
    a.disk.restart(Aftermath::PowerLost);
    a.start().unwrap();
    let id = crate::exchange::event::derive_message_id(&a.terms, "client", "r1");
    let found = a.engine().store().find(&crate::channel::lookup::Lookup::Message(id)).unwrap();
    assert!(
        found.is_none(),
        "a message whose sync was a lie is lost; were it found, this harness could not fail"
    );
}

#[tokio::test]
async fn no_space_refuses_the_batch_and_the_engine_goes_on() {
    let (mut a, mut b) = running(Sizes { segment_bytes: 1 << 20, step_bytes: 8 << 10 }).await;
    a.disk.plan(0, Fault::NoSpace);
    let mut refused = 0;
    for n in 0..60 {
        match a.submit(&format!("r{n}"), &[b'x'; 400]).await {
            Ok(_) => {}
            Err(SubmitError::NoSpace) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0, "the disk was full");
    let kept = a.acknowledged.len();
    a.disk.free_space();
    for n in 0..60 {
        a.submit(&format!("r{n}"), &[b'x'; 400]).await.unwrap();
    }
    assert!(kept < 60);
    deliver(&a, &b).await.unwrap();
    check_everything(&a, &b);
    b.stop().await;
}

#[tokio::test]
async fn every_wrong_store_is_refused_with_its_remedy() {
    let (mut a, mut b) = running(Sizes::default()).await;
    a.submit("r1", b"first").await.unwrap();
    assert!(matches!(a.start(), Err(StartError::Identity(IdentityError::Locked(_)))), "already open");
    a.stop().await;
    b.stop().await;
    assert!(
        matches!(a.found(), Err(StartError::Identity(IdentityError::Exists(_)))),
        "init never overwrites"
    );

    let head = PathBuf::from("/head/head");
    type Expected = fn(&StartError) -> bool;
    let cases: [(PathBuf, Expected); 4] = [
        ("/store/STORE".into(), |error| matches!(error, StartError::Identity(IdentityError::Missing(_)))),
        (head.clone(), |error| matches!(error, StartError::Journal(OpenError::HeadMissing(_)))),
        ("/store/journal/000000000000.segment".into(), |error| {
            matches!(error, StartError::Journal(OpenError::SegmentMissing(_)))
        }),
        ("/keys/store.key".into(), |error| matches!(error, StartError::KeyFile(_))),
    ];
    for (path, expected) in cases {
        let (mut lost, _) = running(Sizes::default()).await;
        lost.stop().await;
        lost.disk.lose(&path);
        let error = lost.start().unwrap_err();
        assert!(error.to_string().len() > 40, "an error says what to do next: {error}");
        assert!(expected(&error), "{}: {error}", path.display());
    }

    b.terms.agreement = "US-KZ-2000".into();
    assert!(matches!(b.start(), Err(StartError::Identity(IdentityError::Foreign { .. }))));
}

#[tokio::test]
async fn any_flip_below_the_head_is_refused() {
    let (mut a, _) = running(Sizes { segment_bytes: 1 << 20, step_bytes: 8 << 10 }).await;
    for n in 0..3 {
        a.submit(&format!("r{n}"), b"body").await.unwrap();
    }
    let end = usize::try_from(a.engine().store().reader().head().offset).unwrap();
    a.stop().await;
    let journal = PathBuf::from("/store/journal/000000000000.segment");
    for at in (0..end).step_by(7) {
        a.disk.flip(&journal, at, 0x20);
        assert!(a.start().is_err(), "byte {at} of {end}");
        a.disk.restart(Aftermath::Killed);
        a.disk.flip(&journal, at, 0x20);
    }
    a.start().unwrap();
}

#[tokio::test]
async fn the_same_submission_at_once_is_one_message() {
    let (a, _) = running(Sizes::default()).await;
    let engine = a.engine();
    let all = (0..32).map(|_| engine.submit(outgoing(&a.terms, "r1", b"body")));
    let answers: Vec<_> = futures_join(all).await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.is_ok()), "{answers:?}");
}

/// What is kept of a case is what would be read anew, whatever came since: on both sides, with and without receipts.
#[tokio::test]
async fn a_case_that_is_kept_is_the_case_that_is_read() {
    let (mut a, mut b) = running(SMALL).await;
    let same = |side: &Side| {
        let (engine, case) = (side.engine(), [1; 16]);
        let kept = engine.case(case).unwrap();
        let read = CaseFile::read(engine.store(), &engine.state(), case).unwrap();
        assert_eq!(kept.entries, read.entries);
        assert_eq!(kept.case, read.case);
        kept.entries.len()
    };
    for round in 0..30 {
        a.submit(&format!("r{round}"), &[b'x'; 2000]).await.unwrap();
        same(&a);
        if round % 3 == 0 {
            b.submit(&format!("r{round}"), b"answer").await.unwrap();
        }
        if round % 2 == 0 {
            deliver(&a, &b).await.unwrap();
            deliver(&b, &a).await.unwrap();
        }
        same(&b);
    }
    assert!(same(&a) >= 40 && same(&b) >= 39, "{} and {}", same(&a), same(&b));
}

async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
