//! Runs every test of the agreement's paragraphs, and writes what came of each into a table.

use super::paragraphs::{Line, lines};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// A test: its name, and what it does. It panics where the software does not keep its promise.
pub type Test = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()> + Send>>);

/// The tests of a module, by the names of their functions.
macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        pub const TESTS: &[crate::runner::Test] = &[$((stringify!($name), || Box::pin($name()))),*];
    };
}
pub(crate) use conforms;

/// Daemons answer and deliver while other tests wait for theirs.
const AT_ONCE: usize = 6;
/// No test takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

/// Runs what the command line asks for, as libtest does: words choose tests by parts of their names.
pub fn main(tests: &[Test], exceptions: &[(&str, &str)], last: impl AsyncFnOnce()) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let gaps = gaps(tests, exceptions);
    gaps.iter().for_each(|gap| println!("conformance: {gap}"));
    let chosen: Vec<Test> = tests
        .iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(word)))
        .copied()
        .collect();
    println!("\nrunning {} tests", chosen.len());
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let outcomes = runtime.block_on(async {
        let outcomes = run(&chosen).await;
        last().await;
        outcomes
    });
    runtime.shutdown_background();
    let failed = outcomes.values().filter(|outcome| **outcome == Outcome::Failed).count();
    let passed = outcomes.len() - failed;
    let result = if failed == 0 && gaps.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {result}. {passed} passed; {failed} failed; {} not implemented; {} filtered out; finished in {:.2}s",
        exceptions.len(),
        tests.len() - chosen.len(),
        begin.elapsed().as_secs_f64()
    );
    if words.is_empty() {
        let path = table_path();
        std::fs::write(&path, table(&outcomes, exceptions)).expect("the table can be written");
        println!("conformance: the table stands in {}\n", path.display());
    }
    if failed == 0 && gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// No line is without a test, no test without a line, and an exception is one line without a test.
fn gaps(tests: &[Test], exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut gaps = Vec::new();
    for (name, _) in tests {
        if !known.insert(*name) {
            gaps.push(format!("{name} stands twice"));
        }
    }
    let wanted: BTreeSet<String> = lines().iter().filter_map(Line::test).collect();
    let excepted: BTreeSet<&str> = exceptions.iter().map(|(name, _)| *name).collect();
    for name in &wanted {
        match (known.contains(name.as_str()), excepted.contains(name.as_str())) {
            (false, false) => gaps.push(format!("{name} has a line and no test")),
            (true, true) => gaps.push(format!("{name} has a test now: it is no exception any more")),
            _ => {}
        }
    }
    let lineless = known.union(&excepted).filter(|name| !wanted.contains(**name));
    gaps.extend(lineless.map(|name| format!("{name} has no line in tests/treaty/paragraphs.txt")));
    gaps
}

async fn run(chosen: &[Test]) -> BTreeMap<&'static str, Outcome> {
    let mut outcomes = BTreeMap::new();
    let mut running = JoinSet::new();
    let mut waiting = chosen.iter();
    loop {
        while running.len() < AT_ONCE
            && let Some((name, test)) = waiting.next()
        {
            let (name, test) = (*name, *test);
            running.spawn(async move {
                let begin = Instant::now();
                // A thread of its own: a test waits for programs, too. Its panic is its result.
                let here = Handle::current();
                let test = tokio::task::spawn_blocking(move || here.block_on(test()));
                let done = tokio::time::timeout(PATIENCE, test).await;
                (name, matches!(done, Ok(Ok(()))), begin.elapsed())
            });
        }
        let Some(ended) = running.join_next().await else { return outcomes };
        let (name, passed, took) = ended.expect("the runner does not panic");
        let told = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {told} <{:.1}s>", took.as_secs_f64());
        outcomes.insert(name, if passed { Outcome::Passed } else { Outcome::Failed });
    }
}

fn table(outcomes: &BTreeMap<&str, Outcome>, exceptions: &[(&str, &str)]) -> String {
    let mut text = "# What the software does about each paragraph of the Agreement\n\n\
        Written by `tests/run --test conformance` from `tests/treaty/paragraphs.txt` and from what came of each test. The\n\
        tests stand in `tests/conformance/`, one file for each article.\n\n\
        | Article | What the software does | Test | Result |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for line in lines() {
        let name = line.test();
        let result = match name.as_deref() {
            None => "no rule of its own".to_owned(),
            Some(name) => match (outcomes.get(name), exceptions.iter().find(|(other, _)| *other == name)) {
                (Some(Outcome::Passed), _) => "passed".to_owned(),
                (Some(Outcome::Failed), _) => "**FAILED**".to_owned(),
                (None, Some((_, why))) => format!("NOT IMPLEMENTED: {why}"),
                (None, None) => "**NO TEST**".to_owned(),
            },
        };
        let test = name.map(|name| format!("`{name}`")).unwrap_or_default();
        let _ = writeln!(text, "| {} | {} | {test} | {result} |", line.article, line.does);
    }
    text
}

/// Beside what the build leaves behind.
fn table_path() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("conformance.md")
}
