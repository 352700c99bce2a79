//! One test for each thing that the Agreement's paragraphs ask of the software, and a table of what came of each.
//!
//! `tests/treaty/paragraphs.txt` lists what is to be tested. Every line has a function here, named by its article and
//! paragraph, and every function a line; else the run fails. `cargo test --test conformance` writes the table to
//! `conformance.md` under the target folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop at the first surprise"
)]

mod article_1;
mod article_11;
mod article_12;
mod article_2;
mod article_3;
mod article_4;
mod article_5;
mod article_6;
mod article_7;
mod article_8;
mod article_9;
mod chancery;
#[path = "../support/effects.rs"]
mod effects;
mod final_clause;
mod kinds;
mod paragraphs;
mod play;
mod preamble;
mod runner;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::process::ExitCode;

/// Lines that the software does not keep yet, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    let tests = [
        preamble::TESTS,
        article_1::TESTS,
        article_2::TESTS,
        article_3::TESTS,
        article_4::TESTS,
        article_5::TESTS,
        article_6::TESTS,
        article_7::TESTS,
        article_8::TESTS,
        article_9::TESTS,
        article_11::TESTS,
        article_12::TESTS,
        final_clause::TESTS,
    ]
    .concat();
    runner::main(&tests, EXCEPTIONS, world::World::end)
}
