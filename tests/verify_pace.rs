//! How long it takes to verify a store, against the bare cost of its signatures and hashes, in one run.
//!
//! `cargo test --test verify_pace` runs a slice; `cargo test --release --test verify_pace -- --count 100000` the measurement.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod bare;
mod campaign;

use anyhow::ensure;
use article6::app::{keeper, trust};
use article6::disk::{Disk, SystemDisk};
use article6::evidence::{self, Keys, Place, Report, Trust};
use article6::vault::read_key_file;
use bare::Bare;
use campaign::arguments::{self, Arguments};
use campaign::conclude;
use campaign::daemon::{Daemon, pair};
use campaign::fill::{BYTES, fill};
use campaign::office::Office;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Verifying takes at most so many times the bare cost.
const RATIO: f64 = 1.5;
/// From so many messages on the ratio is asserted.
const LARGE: u64 = 100_000;
/// Each is measured so often, in turns; the shortest counts.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let Some(arguments) = arguments::read(1000) else { return ExitCode::SUCCESS };
    println!("verify_pace: {} messages of {BYTES} bytes", arguments.count);
    conclude("verify_pace", run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<String> {
    let mut folder = tempfile::tempdir()?;
    folder.disable_cleanup(arguments.keep);
    let mut daemons = pair(&folder.path().join("homes"), "")?;
    for daemon in &mut daemons {
        daemon.start()?;
        daemon.ready().await?;
    }
    fill(&daemons, &Office::of(&daemons[0].home)?, arguments.count, arguments.seed).await?;
    for daemon in &mut daemons {
        daemon.stop().await?;
    }
    let mut told = Vec::new();
    for daemon in &daemons {
        let (whole, bare) = measure(daemon, arguments.count)?;
        let ratio = whole.as_secs_f64() / bare.as_secs_f64();
        let party = daemon.home.party;
        told.push(format!("{party}: verify {whole:.2?}, bare {bare:.2?}, ratio {ratio:.2}"));
        println!("verify_pace: {}", told[told.len() - 1]);
        ensure!(arguments.count < LARGE || ratio <= RATIO, "{party}: the ratio is {ratio:.2}");
    }
    Ok(format!("{} messages; {}", arguments.count, told.join("; ")))
}

fn measure(daemon: &Daemon, count: u64) -> anyhow::Result<(Duration, Duration)> {
    let settings = daemon.settings()?;
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (own, peer) = (keeper(&settings)?.keys, trust(&settings)?);
    let keys = Keys {
        terms: settings.terms.clone(),
        store_key: read_key_file(disk.as_ref(), &settings.store.key_file)?,
        own_certificates: own.signing.iter().map(|key| key.certificate().clone()).collect(),
        peer_certificates: peer.signing,
        peer_ledger_keys: peer.ledger_keys,
    };
    let bare = Bare::of(&disk, &settings, &keys, own.ledger[0].public())?;
    println!("verify_pace: {}: {bare}", daemon.home.party);
    let paths = settings.store.paths;
    let place = Place { data: paths.data, head: Some(paths.head) };
    let trust = Trust { ledger_keys: Vec::new(), keys: Some(keys) };
    let (mut whole, mut least) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let report: Report = evidence::verify(&disk, &place, &trust)?;
        whole = whole.min(began.elapsed());
        ensure!(report.damage_count == 0 && report.messages == count, "{report:?}");
        let began = Instant::now();
        bare.check()?;
        least = least.min(began.elapsed());
    }
    Ok((whole, least))
}
