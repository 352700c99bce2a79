//! A store with many messages: bounded memory, and a short restart after a kill.
//!
//! `cargo test --test scale` runs a slice; `cargo test --release --test scale -- --count 1000000` the campaign.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod campaign;

use anyhow::{Context as _, ensure};
use article6::backoffice::v1::{AcknowledgeMessagesRequest, FeedKind};
use article6::door::{DialSettings, TlsState, dial};
use campaign::arguments::{self, Arguments};
use campaign::chance::Chance;
use campaign::conclude;
use campaign::daemon::{Daemon, pair};
use campaign::fill::{BYTES, PATIENCE, caught_up, fill};
use campaign::office::Office;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Resident memory of a daemon beyond the index's cache, in bytes.
const MEMORY: u64 = 128 << 20;
/// From the start of the process to an open peer door and the first answered submission.
const RESTART: Duration = Duration::from_secs(3);
/// From so many messages on the time of the restart is asserted.
const LARGE: u64 = 100_000;

fn main() -> ExitCode {
    let Some(arguments) = arguments::read(2000) else { return ExitCode::SUCCESS };
    println!("scale: {} messages of {BYTES} bytes, --seed {}", arguments.count, arguments.seed);
    conclude("scale", run(arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<String> {
    let mut folder = tempfile::tempdir()?;
    folder.disable_cleanup(arguments.keep);
    let mut daemons = pair(&folder.path().join("homes"), "")?;
    for daemon in &mut daemons {
        daemon.start()?;
        daemon.ready().await?;
    }
    let offices = [Office::of(&daemons[0].home)?, Office::of(&daemons[1].home)?];
    let mut chance = Chance::new(arguments.seed);
    let began = Instant::now();
    let taking_over = tokio::spawn(take_over(offices[1].clone()));
    fill(&daemons, &offices[0], arguments.count, chance.next()).await?;
    let filling = began.elapsed();
    taking_over.abort();
    let mut bounds = vec![memory(&daemons[0]).await?, memory(&daemons[1]).await?];
    let mut restarts = Vec::new();
    for daemon in &mut daemons {
        daemon.kill();
    }
    for at in 0..2 {
        let times = restart(&mut daemons, at, &offices[at], chance.next()).await?;
        println!(
            "scale: {} is back: peer door after {:?}, submissions after {:?}",
            daemons[at].home.party, times.0, times.1
        );
        let slowest = times.0.max(times.1);
        ensure!(arguments.count < LARGE || slowest <= RESTART, "a restart took {slowest:?}");
        restarts.push(slowest);
    }
    caught_up(&daemons).await?;
    bounds.extend([memory(&daemons[0]).await?, memory(&daemons[1]).await?]);
    for daemon in &mut daemons {
        daemon.stop().await?;
    }
    Ok(format!(
        "{} messages in {:.0} s; memory {bounds:?} MiB (full, restarted); restarts after a kill {restarts:?}",
        arguments.count,
        filling.as_secs_f64(),
    ))
}

/// Takes over what arrives, until it is ended.
async fn take_over(office: Office) -> anyhow::Result<()> {
    let mut client = office.connect().await;
    let mut stream = client.watch_messages(office.watch("")).await?.into_inner();
    let mut pending = 0;
    while let Some(shown) = stream.message().await? {
        pending += u64::from(shown.kind() == FeedKind::Received);
        if pending == 256 {
            let request = AcknowledgeMessagesRequest { names: Vec::new(), cursor: shown.cursor };
            client.acknowledge_messages(office.call(request)).await?;
            pending = 0;
        }
    }
    Ok(())
}

/// Resident memory now and at its highest, in MiB; the highest is held to the bound.
async fn memory(daemon: &Daemon) -> anyhow::Result<(u64, u64)> {
    let cache = daemon.settings()?.index_cache_bytes;
    let now = daemon.status().await?.resident_bytes;
    let pid = daemon.pid().context("the daemon runs")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let peak = peak.context("the kernel tells the highest resident memory")? << 10;
    println!(
        "scale: {} uses {} MiB, {} MiB at most; bound {} MiB",
        daemon.home.party,
        now >> 20,
        peak >> 20,
        (MEMORY + cache) >> 20
    );
    ensure!(peak <= MEMORY + cache, "{} used {peak} bytes", daemon.home.party);
    Ok((now >> 20, peak >> 20))
}

/// Starts a daemon that was killed: time until the other Party reaches the peer door, and until a submission is answered.
async fn restart(
    daemons: &mut [Daemon; 2],
    at: usize,
    office: &Office,
    run: u64,
) -> anyhow::Result<(Duration, Duration)> {
    let other = daemons[1 - at].settings()?.peer;
    let door = DialSettings::new(other.address, other.server_name, TlsState::load(other.door.tls)?);
    let began = Instant::now();
    daemons[at].start()?;
    let peer = async {
        while dial(&door).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    };
    let submissions = async {
        let mut client = office.connect().await;
        office.submit(&mut client, &format!("restart-{run:x}"), BYTES).await.map(|_| began.elapsed())
    };
    let (peer, submissions) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(peer, submissions) }).await?;
    Ok((peer, submissions?))
}
