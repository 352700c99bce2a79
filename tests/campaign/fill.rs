//! Fills two daemons' stores as fast as the door takes messages.

use super::daemon::Daemon;
use super::office::Office;
use anyhow::ensure;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Size of a body, in bytes.
pub const BYTES: usize = 1024;
/// Connections on which is submitted; each carries `CALLS` calls at once.
const CONNECTIONS: u64 = 4;
/// Submissions under way at once on a connection.
const CALLS: u64 = 48;
/// Longest wait without any progress.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Submits as fast as the door takes it, and waits until everything is delivered and indexed.
pub async fn fill(daemons: &[Daemon; 2], office: &Office, count: u64, run: u64) -> anyhow::Result<()> {
    let next = Arc::<AtomicU64>::default();
    let mut workers = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = office.connect().await;
        for _ in 0..CALLS {
            let (mut client, next, office) = (client.clone(), next.clone(), office.clone());
            workers.push(tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return anyhow::Ok(());
                    }
                    office.submit(&mut client, &format!("scale-{run:x}-{n}"), BYTES).await?;
                }
            }));
        }
    }
    let (began, mut moved, mut last, mut told) = (Instant::now(), Instant::now(), 0, 0);
    while last < count {
        sleep(Duration::from_millis(100)).await;
        let consumed = daemons[1].status().await?.consumed_sequence;
        if consumed > last {
            (last, moved) = (consumed, Instant::now());
        }
        if last - told >= (count / 20).max(10_000) {
            told = last;
            println!("{last} of {count} delivered, {:.0} a second", rate(last, began));
        }
        if moved.elapsed() > PATIENCE {
            for worker in workers.iter().filter(|worker| !worker.is_finished()) {
                worker.abort();
            }
            anyhow::bail!("nothing was delivered for {PATIENCE:?} after {last} messages");
        }
    }
    for worker in workers {
        worker.await??;
    }
    println!("{last} of {count} delivered, {:.0} a second", rate(last, began));
    caught_up(daemons).await
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}

/// Waits until both indexes cover their ledgers and everything has its receipt.
pub async fn caught_up(daemons: &[Daemon; 2]) -> anyhow::Result<()> {
    let (mut moved, mut last) = (Instant::now(), [0; 2]);
    loop {
        let status = [daemons[0].status().await?, daemons[1].status().await?];
        let is_done = status
            .iter()
            .all(|now| now.index_size >= now.ledger_size && now.acknowledged_sequence == now.sealed_sequence);
        if is_done {
            return Ok(());
        }
        let position = [status[0].index_size, status[1].index_size + status[0].acknowledged_sequence];
        if position != last {
            (last, moved) = (position, Instant::now());
        }
        ensure!(moved.elapsed() < PATIENCE, "nothing moves: {status:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
