//! `--count N` and `--seed N`; what else `cargo test` hands over is no business of a campaign.

use std::time::{SystemTime, UNIX_EPOCH};

/// What a campaign is told.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// How much to do.
    pub count: u64,
    /// Where chance begins.
    pub seed: u64,
    /// The homes are left where they are, for a look at them.
    pub keep: bool,
}

/// Reads the command line. `None` when only a list of tests is asked for.
pub fn read(slice: u64) -> Option<Arguments> {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let mut read = Arguments { count: slice, seed: nanos.into(), keep: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number follows");
        match argument.as_str() {
            "--count" => read.count = number(),
            "--seed" => read.seed = number(),
            "--keep" => read.keep = true,
            "--list" => return None,
            _ => {}
        }
    }
    Some(read)
}
