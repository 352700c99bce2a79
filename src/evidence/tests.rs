//! Sound stores verify; whatever is done to one is found and named.

use super::{Fault, Keys, Place, Report, Trust, verify};
use crate::channel::envelope::EnvelopeError;
use crate::crypto::testing::Authority;
use crate::disk::Disk;
use crate::disk::sim::{Aftermath, Fault as Die};
use crate::exchange::testing::{Side, deliver};
use crate::journal::frame::{Frame, SealedEvent, parse, put_checkpoint, put_event};
use crate::journal::{Sizes, segment};
use crate::store::open;
use crate::vault::{Place as Sealing, Vault, read_key_file};
use crate::wire::ledger::v1::{HandedOver, Record};
use bytes::Bytes;
use prost::Message as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SMALL: Sizes = Sizes { segment_bytes: 9 << 10, step_bytes: 8 << 10 };

/// Two stores that exchanged messages until their segments rolled, and were stopped.
async fn pair() -> (Side, Side) {
    let authority = Authority::new();
    let mut a = Side::new(&authority, "US", "KZ", SMALL);
    let mut b = Side::new(&authority, "KZ", "US", SMALL);
    for side in [&mut a, &mut b] {
        side.found().unwrap();
        side.start().unwrap();
    }
    for n in 0..5 {
        a.clock.advance(1);
        a.submit(&format!("r{n}"), &[b'x'; 300]).await.unwrap();
        deliver(&a, &b).await.unwrap();
        b.submit(&format!("r{n}"), b"answer").await.unwrap();
        deliver(&b, &a).await.unwrap();
    }
    let next_leaf = a.engine().store().reader().head().size;
    let taken = HandedOver { client: "c".into(), official: "O-2".into(), leaves: vec![], next_leaf };
    a.engine().hand_over(taken).await.unwrap();
    a.stop().await;
    b.stop().await;
    (a, b)
}

fn trust(side: &Side, other: &Side) -> Trust {
    let keys = Keys {
        terms: side.terms.clone(),
        store_key: read_key_file(&side.disk, &side.settings.key_file).unwrap(),
        own_certificates: vec![side.certificate()],
        peer_certificates: vec![other.certificate()],
        peer_ledger_keys: vec![other.ledger_public()],
    };
    Trust { ledger_keys: vec![side.ledger_public()], keys: Some(keys) }
}

fn place(side: &Side) -> Place {
    Place { data: side.settings.paths.data.clone(), head: Some(side.settings.paths.head.clone()) }
}

fn check(side: &Side, trust: &Trust) -> Report {
    let disk: Arc<dyn Disk> = Arc::new(side.disk.clone());
    verify(&disk, &place(side), trust).unwrap()
}

/// The frames of a segment: bytes and ledger index, if it is an event's.
struct Cut {
    path: PathBuf,
    header: Vec<u8>,
    frames: Vec<(Frame, Option<u64>)>,
    rest: Vec<u8>,
}

fn cut(side: &Side) -> Vec<Cut> {
    let mut leaf = 0;
    let mut cuts = Vec::new();
    for number in 0.. {
        let path = segment::path(&side.settings.paths.segments(), number);
        if !side.disk.paths().contains(&path) {
            return cuts;
        }
        let bytes = side.disk.bytes_of(&path);
        let (mut frames, mut at) = (Vec::new(), segment::HEADER_BYTES);
        while let Ok((frame, len)) = parse(&bytes[at..]) {
            at += len;
            let is_event = matches!(frame, Frame::Event(_));
            frames.push((frame, is_event.then_some(leaf)));
            leaf += u64::from(is_event);
        }
        let header = bytes[..segment::HEADER_BYTES].to_vec();
        cuts.push(Cut { path, header, frames, rest: bytes[at..].to_vec() });
    }
    cuts
}

/// Runs `then` with other frames in a segment.
fn with_frames<T>(side: &Side, cut: &Cut, frames: &[Frame], then: impl FnOnce() -> T) -> T {
    let before = side.disk.bytes_of(&cut.path);
    let mut bytes = cut.header.clone();
    for frame in frames {
        match frame {
            Frame::Event(event) => put_event(&mut bytes, event),
            Frame::Checkpoint { root, note } => put_checkpoint(&mut bytes, root, note),
        }
    }
    bytes.extend_from_slice(&cut.rest);
    side.disk.replace(&cut.path, &bytes);
    let result = then();
    side.disk.replace(&cut.path, &before);
    result
}

fn events(cut: &Cut) -> Vec<(usize, u64, SealedEvent)> {
    let events = cut.frames.iter().enumerate().filter_map(|(at, (frame, leaf))| match frame {
        Frame::Event(event) => Some((at, (*leaf)?, event.clone())),
        Frame::Checkpoint { .. } => None,
    });
    events.collect()
}

fn frames(cut: &Cut) -> Vec<Frame> {
    cut.frames.iter().map(|(frame, _)| frame.clone()).collect()
}

#[tokio::test]
async fn sound_stores_verify_and_nothing_is_written() {
    let (a, b) = pair().await;
    for (side, other) in [(&a, &b), (&b, &a)] {
        let cuts = cut(side);
        assert!(cuts.len() > 2, "segments rolled");
        let count: usize = cuts.iter().map(|cut| events(cut).len()).sum();
        let before = side.disk.operations();
        let report = check(side, &trust(side, other));
        assert_eq!((report.damages, report.damage_count, report.notes), (vec![], 0, vec![]));
        assert_eq!((report.events, report.messages), (count as u64, 10));
        assert!(report.root.is_some() && report.signatures > 20);
        let keyless = check(side, &Trust::default());
        assert_eq!((keyless.damage_count, keyless.root, keyless.notes.len()), (0, report.root, 2));
        assert_eq!(side.disk.operations(), before, "verification only reads");
    }
}

#[tokio::test]
async fn no_flipped_byte_goes_unnoticed() {
    let (a, b) = pair().await;
    let trust = trust(&a, &b);
    let files: Vec<PathBuf> = a.disk.paths().into_iter().filter(|path| !path.starts_with("/keys")).collect();
    let total: usize = files.iter().map(|path| a.disk.len_of(path)).sum();
    let count = std::env::var("ARTICLE6_FLIPS").ok().and_then(|count| count.parse().ok()).unwrap_or(1600);
    for n in 0..count {
        let mut at = n * total / count;
        let mut file: &Path = &files[0];
        for path in &files {
            file = path;
            match at.checked_sub(a.disk.len_of(path)) {
                Some(rest) => at = rest,
                None => break,
            }
        }
        // Every fourth with no keys: frames, tree and wrapped keys need none.
        let bare = Trust::default();
        let trust = if n % 4 == 0 { &bare } else { &trust };
        let mask = 1 << (n % 8);
        a.disk.flip(file, at, mask);
        let disk: Arc<dyn Disk> = Arc::new(a.disk.clone());
        let report = verify(&disk, &place(&a), trust).unwrap();
        a.disk.flip(file, at, mask);
        assert!(report.damage_count > 0, "byte {at} of {}, mask {mask}", file.display());
    }
    assert_eq!(check(&a, &trust).damage_count, 0, "every flip was taken back");
}

#[tokio::test]
async fn every_edited_event_is_named() {
    let (a, b) = pair().await;
    let trust = trust(&a, &b);
    for cut in cut(&a) {
        for (at, leaf, event) in events(&cut) {
            let mut edits = vec![];
            let mut edit = |change: fn(&mut SealedEvent)| {
                let mut edited = event.clone();
                change(&mut edited);
                edits.push(edited);
            };
            edit(|event| event.record[20] ^= 1);
            edit(|event| event.seed[3] ^= 1);
            edit(|event| event.record.truncate(event.record.len() - 1));
            edit(|event| event.commitment = crate::crypto::Digest::of(event.commitment.as_bytes()));
            edit(|event| match event.item.first_mut() {
                Some(byte) => *byte ^= 1,
                None => event.item = vec![7; 100],
            });
            if !event.item.is_empty() {
                edit(|event| event.item.clear());
            }
            for edited in edits {
                let mut frames = frames(&cut);
                frames[at] = Frame::Event(edited);
                let report = with_frames(&a, &cut, &frames, || check(&a, &trust));
                assert_eq!(report.damages.first().map(|damage| damage.leaf), Some(Some(leaf)), "{report:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_event_taken_out_put_in_or_moved_is_named() {
    let (a, b) = pair().await;
    let with_keys = trust(&a, &b);
    let other = events(&cut(&a)[1])[0].2.clone();
    for cut in cut(&a) {
        for (at, leaf, event) in events(&cut) {
            let mut deleted = frames(&cut);
            deleted.remove(at);
            let mut batch_deleted = deleted.clone();
            let is_alone = matches!(batch_deleted.get(at), Some(Frame::Checkpoint { .. }))
                && (at == 0 || matches!(batch_deleted[at - 1], Frame::Checkpoint { .. }));
            assert!(is_alone, "one event a batch, so that the keyless can name it too");
            batch_deleted.remove(at);
            let mut cases = vec![deleted];
            if batch_deleted.len() > at {
                let mut swapped = frames(&cut);
                swapped.swap(at, at + 2);
                cases.push(swapped);
                let mut batches_swapped = frames(&cut);
                batches_swapped.swap(at, at + 2);
                batches_swapped.swap(at + 1, at + 3);
                cases.push(batches_swapped);
            }
            cases.push(batch_deleted);
            if event != other {
                let mut inserted = frames(&cut);
                inserted.insert(at, Frame::Event(other.clone()));
                cases.push(inserted);
            }
            for (case, frames) in cases.iter().enumerate() {
                for trust in [&with_keys, &Trust::default()] {
                    let report = with_frames(&a, &cut, frames, || check(&a, trust));
                    let first = report.damages.first().map(|damage| damage.leaf);
                    assert_eq!(first, Some(Some(leaf)), "case {case}, leaf {leaf}: {report:#?}");
                }
            }
        }
    }
}

/// Whoever has the store's key can seal other content, but sign nothing.
#[tokio::test]
async fn what_is_sealed_anew_with_the_stores_own_key_is_found() {
    let (a, b) = pair().await;
    let trust = trust(&a, &b);
    let disk: Arc<dyn Disk> = Arc::new(a.disk.clone());
    let key = read_key_file(&a.disk, &a.settings.key_file).unwrap();
    let store = crate::journal::identity::Identity::read(&a.disk, &a.settings.paths).unwrap().store;
    let vault = Vault::open(disk, &a.settings.paths.data, store.0, key).unwrap();
    let mut seen = 0;
    for (number, cut) in (0..).zip(cut(&a)) {
        for (at, leaf, event) in events(&cut) {
            let stored = crate::journal::reader::Stored { event: event.clone(), segment: number };
            let record = open(&vault, leaf, stored).unwrap().record;
            let sealing = Sealing { segment: number, leaf, commitment: event.commitment };
            let item =
                (!event.item.is_empty()).then(|| vault.open_item(sealing, &event.seed, &event.item).unwrap());
            let flipped = |bytes: &Bytes| {
                let mut bytes = bytes.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                Bytes::from(bytes)
            };
            let mut others = vec![];
            if !record.signature.is_empty() {
                others.push((
                    Record { signature: flipped(&record.signature), ..record.clone() },
                    item.as_deref().cloned(),
                ));
                others.push((
                    Record { envelope: flipped(&record.envelope), ..record.clone() },
                    item.as_deref().cloned(),
                ));
            }
            if !record.receipt.is_empty() {
                others.push((Record { receipt: flipped(&record.receipt), ..record.clone() }, None));
            }
            others
                .push((Record { event: flipped(&record.event), ..record.clone() }, item.as_deref().cloned()));
            if let Some(item) = &item {
                others.push((record.clone(), Some(flipped(&Bytes::copy_from_slice(item)).to_vec())));
            }
            for (record, item) in others {
                let sealed = vault.seal(sealing, record.encode_to_vec(), item).unwrap();
                let mut frames = frames(&cut);
                frames[at] = Frame::Event(SealedEvent {
                    commitment: event.commitment,
                    seed: sealed.seed,
                    record: sealed.record,
                    item: sealed.item,
                });
                let report = with_frames(&a, &cut, &frames, || check(&a, &trust));
                assert_eq!(report.damages.first().map(|damage| damage.leaf), Some(Some(leaf)), "{report:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} edits");
}

#[tokio::test]
async fn other_peoples_keys_verify_nothing() {
    let (a, b) = pair().await;
    let mut trust = trust(&a, &b);
    if let Some(keys) = &mut trust.keys {
        keys.peer_certificates = vec![a.certificate()];
    }
    let report = check(&a, &trust);
    assert_eq!(report.damages[0].what, Fault::Signature(EnvelopeError::UnknownKey));
    assert_eq!(report.damage_count, 5, "each of the other Party's messages");
    if let Some(keys) = &mut trust.keys {
        keys.peer_certificates = vec![b.certificate()];
        keys.peer_ledger_keys = vec![a.ledger_public()];
    }
    let report = check(&a, &trust);
    assert!(matches!(report.damages[0].what, Fault::Receipt(_)));
    assert_eq!(report.damage_count, 5, "each of the other Party's receipts");
}

#[tokio::test]
async fn what_is_cut_off_or_lost_is_found() {
    let (a, b) = pair().await;
    let trust = trust(&a, &b);
    let cuts = cut(&a);
    let last = cuts.last().unwrap();
    let mut shorter = frames(last);
    shorter.truncate(shorter.len() - 2);
    let mut zeroed = Cut {
        rest: vec![0; last.rest.len() + 4096],
        header: last.header.clone(),
        path: last.path.clone(),
        frames: vec![],
    };
    let report = with_frames(&a, &zeroed, &shorter, || check(&a, &trust));
    assert!(report.damage_count > 0, "{report:?}");
    zeroed.rest.clear();
    let report = with_frames(&a, &zeroed, &shorter, || check(&a, &trust));
    assert!(matches!(report.damages[0].what, Fault::RolledBack { .. }), "{report:?}");

    let known = check(&a, &trust).events;
    let files: Vec<_> = a.disk.paths().into_iter().filter(|path| path.starts_with("/store")).collect();
    assert!(files.len() > 6);
    for path in files {
        let bytes = a.disk.bytes_of(&path);
        a.disk.lose(&path);
        let report = check(&a, &trust);
        assert!(
            report.damages.iter().any(|damage| damage.what == Fault::Missing),
            "{}: {report:?}",
            path.display()
        );
        assert!(report.events <= known);
        let file = a.disk.create(&path).unwrap();
        file.write_at(&bytes, 0).unwrap();
    }
    assert_eq!(check(&a, &trust).damage_count, 0);
}

#[tokio::test]
async fn what_a_crash_leaves_is_noted_and_no_damage() {
    let authority = Authority::new();
    let b = Side::new(&authority, "KZ", "US", SMALL);
    b.found().unwrap();
    for fault in [Die::DieBefore, Die::DieAfter] {
        for aftermath in [Aftermath::Killed, Aftermath::PowerLost] {
            let mut n = 0;
            while crashed(&authority, &b, n, fault, aftermath).await {
                n += 1;
            }
            assert!(n > 10, "the exchange has more operations than {n}");
        }
    }
}

/// Verifies what a crash at the n-th operation leaves. False when there were fewer.
async fn crashed(authority: &Authority, b: &Side, n: u64, fault: Die, aftermath: Aftermath) -> bool {
    let mut a = Side::new(authority, "US", "KZ", SMALL);
    a.found().unwrap();
    a.start().unwrap();
    a.submit("r0", b"body").await.unwrap();
    let before = a.disk.operations();
    a.disk.plan(n, fault);
    for request in ["r1", "r2", "r3", "r4", "r5", "r6"] {
        let _ = a.submit(request, &[b'y'; 900]).await;
    }
    let happened = a.disk.operations() > before + n;
    a.stop().await;
    a.disk.restart(aftermath);
    let crashed = check(&a, &trust(&a, b));
    assert_eq!(crashed.damages, vec![], "{fault:?} at {n}, {aftermath:?}: {:?}", crashed.notes);
    a.start().unwrap();
    a.stop().await;
    let started = check(&a, &trust(&a, b));
    assert_eq!((started.damages, started.notes), (vec![], vec![]), "{fault:?} at {n}, {aftermath:?}");
    happened
}
