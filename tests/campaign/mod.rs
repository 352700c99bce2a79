//! What the campaigns share: two daemons as processes, back offices that retry, and a record of what they were told.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

pub mod arguments;
pub mod chance;
pub mod daemon;
pub mod fill;
pub mod office;
pub mod traffic;

use std::process::ExitCode;

/// Runs a campaign to its end; a violation is printed and makes the exit code 1.
pub fn conclude(campaign: &str, work: impl Future<Output = anyhow::Result<String>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    match outcome {
        Ok(summary) => {
            println!("{campaign}: PASSED: {summary}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("{campaign}: FAILED: {violation:#}");
            ExitCode::FAILURE
        }
    }
}
