//! A page of cases costs the same however many there are. The index is filled directly.
//!
//! `cargo test --test case_pages` fills a slice; `cargo test --release --test case_pages -- --count 1000000` the campaign,
//! which alone holds the ratio to its bound.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod campaign;

use anyhow::ensure;
use article6::exchange::cases::List;
use article6::index::{Change, Direction, Index, Row, Scan, Settings};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Cases of the small index.
const FEW: u64 = 1000;
/// Cases on a page.
const PAGE: usize = 50;
/// Pages read for each figure.
const ROUNDS: usize = 400;
/// From so many cases on the ratio is asserted.
const LARGE: u64 = 1_000_000;
/// Most that a page of many cases may cost of one of few.
const BOUND: f64 = 2.0;

fn main() -> ExitCode {
    let Some(arguments) = campaign::arguments::read(20_000) else { return ExitCode::SUCCESS };
    println!("case pages: {} cases against {FEW}", arguments.count);
    campaign::conclude("case pages", async move { run(arguments.count) })
}

fn run(count: u64) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let few = filled(&folder.path().join("few"), FEW)?;
    let many = filled(&folder.path().join("many"), count)?;
    let mut figures = Vec::new();
    for (name, list) in [("all", List::All), ("open", List::Open), ("waiting for us", List::WaitsForUs)] {
        let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
        // In turns, so that both meet the same machine.
        for _ in 0..ROUNDS {
            of_few.push(page(&few, list, FEW)?);
            of_many.push(page(&many, list, count)?);
        }
        let (few, many) = (median(of_few), median(of_many));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        figures.push(format!("{name}: {few:.0?} and {many:.0?}, ratio {ratio:.2}"));
        ensure!(count < LARGE || ratio <= BOUND, "{}", figures.join("; "));
    }
    Ok(figures.join("; "))
}

/// How long the newest page of a list takes.
fn page(index: &Index, list: List, cases: u64) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let scan =
        Scan { list: Some(list as u8), before: 2 * cases, limit: PAGE, budget: 10 * PAGE, ..Scan::default() };
    let page = black_box(index.scan(scan, |_, _| true)?);
    let elapsed = began.elapsed();
    ensure!(page.rows.len() == PAGE && page.next_before.is_some(), "{} cases on a page", page.rows.len());
    Ok(elapsed)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// An index of so many cases, each with a request and an answer; every third is open, and waits for this Party.
fn filled(path: &Path, cases: u64) -> anyhow::Result<Index> {
    let settings = Settings { store: [1; 16], boot: "boot".into(), cache_bytes: 32 << 20 };
    let index = Index::create(path, settings)?;
    let all = 1 << List::All as u32;
    let open = all | 1 << List::Open as u32 | 1 << List::WaitsForUs as u32 | 1 << List::Submitted as u32;
    let closed = all | 1 << List::Closed as u32 | 1 << List::Answered as u32;
    let mut changes = Vec::new();
    for case in 0..cases {
        for (leaf, direction) in [(2 * case, Direction::Sent), (2 * case + 1, Direction::Received)] {
            changes.push(Change::Message(Row {
                leaf,
                direction,
                sequence: case + 1,
                message_id: u128::from(leaf).to_be_bytes(),
                case_id: u128::from(case).to_be_bytes(),
                recorded_at: 1_800_000_000,
            }));
        }
        changes.push(Change::Case(2 * case, if case % 3 == 0 { open } else { closed }));
        if changes.len() >= 384 || case + 1 == cases {
            index.apply(&changes, 2 * case + 2)?;
            changes.clear();
        }
    }
    index.flush()?;
    Ok(index)
}
