//! The index against a plain list of messages.

use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

#[derive(Debug, Clone)]
struct Known {
    row: Row,
    rejected: bool,
    handed_over: bool,
}

/// Messages at rising ledger indexes, with gaps as other events leave them.
fn messages() -> impl Strategy<Value = Vec<Known>> {
    let one = (1u64..40, any::<bool>(), 0u8..3, any::<bool>(), any::<bool>());
    proptest::collection::vec(one, 0..60).prop_map(|steps| {
        let mut leaf = 0;
        let mut known = Vec::new();
        for (gap, sent, case, rejected, handed_over) in steps {
            leaf += gap;
            let direction = if sent { Direction::Sent } else { Direction::Received };
            let row = Row {
                leaf,
                direction,
                sequence: leaf,
                message_id: [7; 16],
                case_id: [case; 16],
                recorded_at: 5,
            };
            known.push(Known { row, rejected: rejected && sent, handed_over: handed_over && !sent });
        }
        known
    })
}

fn settings() -> Settings {
    Settings { store: [1; 16], boot: "boot".into(), cache_bytes: 1 << 20 }
}

fn apply(index: &Index, known: &[Known], batch: usize) {
    let changes: Vec<Change> = known
        .iter()
        .flat_map(|known| {
            let leaf = known.row.leaf;
            let marks = [
                known.rejected.then_some(Change::Rejected(leaf)),
                known.handed_over.then_some(Change::HandedOver(leaf)),
            ];
            [Some(Change::Message(known.row.clone()))].into_iter().chain(marks).flatten()
        })
        .collect();
    for (at, part) in changes.chunks(batch).enumerate() {
        index.apply(part, at as u64 + 1).unwrap();
    }
}

/// What a scan must return, page by page.
fn expected(known: &[Known], scan: Scan) -> Vec<(Row, Flags)> {
    let fits = |known: &&Known| {
        (scan.from..scan.before).contains(&known.row.leaf)
            && scan.case.is_none_or(|case| case == known.row.case_id)
            && (scan.case.is_some() || !scan.rejected_only || known.rejected)
    };
    let flags = |known: &Known| Flags { rejected: known.rejected, handed_over: known.handed_over };
    known.iter().rev().filter(fits).map(|known| (known.row.clone(), flags(known))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_scan_shows_what_was_applied_however_it_was_batched(
        known in messages(), batch in 1usize..20, case in proptest::option::of(0u8..3),
        rejected_only: bool, from in 0u64..300, before in 0u64..2500, limit in 1usize..20, budget in 1usize..30,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::create(folder.path(), settings()).unwrap();
        apply(&index, &known, batch);
        let case = case.map(|case| [case; 16]);
        let mut scan = Scan { case, rejected_only, list: None, from, before, limit, budget };
        let mut found = Vec::new();
        loop {
            let page = index.scan(scan, |_, _| true).unwrap();
            prop_assert!(page.rows.len() <= limit.min(budget));
            found.extend(page.rows);
            match page.next_before {
                Some(next) => scan.before = next,
                None => break,
            }
        }
        scan.before = before;
        prop_assert_eq!(found, expected(&known, scan));
    }
}

#[test]
fn entries_do_not_depend_on_how_changes_were_batched() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let known = messages().new_tree(&mut runner).unwrap().current();
    let entries = [1, 7, 1000].map(|batch| {
        let index = Index::create(&folder.path().join(batch.to_string()), settings()).unwrap();
        apply(&index, &known, batch);
        index.entries().unwrap().into_iter().filter(|(key, _)| key != rows::META).collect::<Vec<_>>()
    });
    assert!(!entries[0].is_empty() && entries[0] == entries[1] && entries[1] == entries[2]);
}

#[test]
fn a_flipped_bit_in_a_block_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), settings()).unwrap();
    let row = Row {
        leaf: 40,
        direction: Direction::Sent,
        sequence: 1,
        message_id: [7; 16],
        case_id: [1; 16],
        recorded_at: 5,
    };
    index.apply(&[Change::Message(row), Change::Rejected(40)], 41).unwrap();
    let scans = [(None, false), (Some([1; 16]), false), (None, true)];
    for (key, value) in index.entries().unwrap().into_iter().filter(|(key, _)| key != rows::META) {
        for at in 0..value.len() {
            let mut flipped = value.clone();
            flipped[at] ^= 0x10;
            index.db.insert(&key, flipped).unwrap();
            let damaged = scans.iter().any(|(case, rejected_only)| {
                let scan = Scan {
                    case: *case,
                    rejected_only: *rejected_only,
                    list: None,
                    from: 0,
                    before: 100,
                    limit: 9,
                    budget: 9,
                };
                matches!(index.scan(scan, |_, _| true), Err(IndexError::Damaged))
            });
            assert!(damaged, "byte {at} of the entry {key:?}");
        }
        index.db.insert(&key, value).unwrap();
    }
}
