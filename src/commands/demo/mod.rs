//! `article6 demo`: both Parties on this machine, six cases from their requests to their ends, and the proof.
//!
//! [`plays`] what is played, as data · [`office`] one Party's back office · [`play`] both at work · [`steps`], [`table`]
//! what is shown.

mod office;
mod play;
mod plays;
mod steps;
mod table;

use super::homes::{self, Home, Running};
use super::no;
use crate::config;
use play::Stage;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for a daemon to come up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most memory of a daemon that has done little. What is not optimised counts the pages of a larger program.
const MEMORY_MIB: f64 = if cfg!(debug_assertions) { 128.0 } else { 64.0 };

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Makes a home for each Party, starts both daemons, plays the example cases as their back offices would, \
from the request to the word of both sides that it is closed, and verifies both stores offline. Everything is test \
data under development keys."
)]
pub struct DemoArgs {
    /// Keep the homes in this folder, which must be empty or new
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Leave both daemons running and print how to reach every door
    #[arg(long)]
    stay: bool,
}

/// Runs the command.
pub fn run(args: &DemoArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return no(error),
    };
    match runtime.block_on(demo(args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => no("the demonstration did not go as it must: what stands above says where"),
        Err(error) => no(format_args!("{error:#}")),
    }
}

async fn demo(args: &DemoArgs) -> anyhow::Result<bool> {
    let temporary = tempfile::Builder::new().prefix("article6-demo-").tempdir()?;
    let folder = args.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    println!("Two homes are made in {} ...", folder.display());
    let homes = homes::make(&folder)?;
    let [us, kz] = &homes;
    let program = std::env::current_exe()?;
    let mut running = [us.serve(&program)?, kz.serve(&program)?];
    for (home, daemon) in homes.iter().zip(&mut running) {
        home.up(daemon, PATIENCE).await?;
    }
    let (plays, mut rows) = (plays::plays()?, Vec::new());
    let played = Stage::open(us, kz).await?.run(&plays, &mut rows).await;
    println!("{}", table::table(&rows));
    played?;
    println!("{} cases, {} messages; each case is closed at both Parties.", plays.len(), rows.len());
    let proven = rows.iter().all(|row| row.receipt_verified);
    let mut small = true;
    for (home, daemon) in homes.iter().zip(&running) {
        small &= memory(home, daemon);
    }
    if args.stay {
        let folder = match args.dir {
            Some(_) => folder,
            None => temporary.keep(),
        };
        stay(&folder, &homes, running);
        return Ok(proven && small);
    }
    for daemon in running {
        daemon.stop()?;
    }
    let mut sound = true;
    for home in &homes {
        sound &= verify(home)?;
    }
    if args.dir.is_some() {
        println!("The homes are kept in {}.", folder.display());
    }
    Ok(proven && small && sound)
}

/// Shows a daemon's memory; whether it is as little as it must be.
fn memory(home: &Home, daemon: &Running) -> bool {
    let Some(resident) = daemon.resident_mib() else { return true };
    let small = resident <= MEMORY_MIB;
    let verdict = if small { String::new() } else { format!(": MORE THAN {MEMORY_MIB} MiB") };
    println!("The daemon of {} holds {resident:.1} MiB of memory{verdict}.", home.party);
    small
}

/// Verifies a home's store without its daemon.
fn verify(home: &Home) -> anyhow::Result<bool> {
    let settings =
        config::read(&home.config()).map_err(|_| anyhow::anyhow!("the configuration made here is wrong"))?;
    let report = super::verify::verify(&settings)?;
    let sound = report.damage_count == 0;
    println!(
        "The store of {} was verified offline: {} events, {} messages, {} signatures; {}.",
        home.party,
        report.events,
        report.messages,
        report.signatures,
        if sound { "sound" } else { "DAMAGED" }
    );
    Ok(sound)
}

fn stay(folder: &Path, homes: &[Home; 2], running: [Running; 2]) {
    println!("\nBoth daemons go on running. Their homes are in {}.", folder.display());
    for (home, daemon) in homes.iter().zip(running) {
        let [peer, backoffice, operations] = home.ports;
        println!("\n{} (process {})", home.party, daemon.child.id());
        println!(
            "  back office   127.0.0.1:{backoffice}   article6 inbox --profile {}",
            home.profile().display()
        );
        println!(
            "  operations    127.0.0.1:{operations}   certificate client-operations.pem in {}",
            home.certs().display()
        );
        println!("  other Party   127.0.0.1:{peer}");
        println!("  log           {}", home.folder.join("daemon.log").display());
        println!("  stop with     kill {}", daemon.child.id());
        daemon.leave();
    }
}
