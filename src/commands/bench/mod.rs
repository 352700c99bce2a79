//! `article6 bench`: how much of a bare echo's speed the whole exchange keeps, measured in one run.

mod echo;
mod load;

use super::homes::{self, Home};
use super::no;
use crate::door::{DialSettings, Dialled, TlsSettings, TlsState, dial};
use crate::operations::v1::operations_service_client::OperationsServiceClient;
use crate::operations::v1::{GetStatusRequest, GetStatusResponse};
use load::Load;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for a daemon to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest body that is measured: a consultation's text of 8000 characters and what stands around it.
const LARGEST_BODY: usize = 8064;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Starts both Parties' daemons as processes on this machine's disk and drives them through their \
back-office doors. Speeds of machines differ; the ratio is what to compare."
)]
pub struct BenchArgs {
    /// How long each of the two measurements under load takes
    #[arg(long, default_value_t = 10, value_name = "N")]
    seconds: u64,
    /// Messages under way at once
    #[arg(long, default_value_t = 64, value_name = "N")]
    in_flight: usize,
    /// Size of a message's body
    #[arg(long, default_value = "2048", value_name = "N", value_parser = body_size)]
    bytes: usize,
    /// Where the stores are made: a folder on the disk to be measured; else the system's temporary folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Serve the bare echo: what this command starts for its own yardstick
    #[arg(long, hide = true, value_name = "CONFIG")]
    serve_echo: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    bare_echo_per_s: f64,
    exchange_per_s: f64,
    ratio: f64,
    submit_to_receipt_ms: Quantiles,
    alone_submit_to_receipt_ms: Quantiles,
    cpu_us_per_message: f64,
    disk_bytes_per_message: f64,
    syncs_per_message: f64,
    rss_mib: [f64; 2],
    lost: u64,
    duplicated: u64,
    messages: u64,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    p50: f64,
    p99: f64,
}

/// Runs the command.
pub fn run(args: &BenchArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return no(error),
    };
    if let Some(config) = &args.serve_echo {
        return runtime.block_on(echo::serve(config)).map_or_else(no, |()| ExitCode::SUCCESS);
    }
    match runtime.block_on(bench(args)) {
        Ok(report) => {
            print(&report, args.json);
            if report.lost == 0 && report.duplicated == 0 {
                ExitCode::SUCCESS
            } else {
                no("messages were lost or duplicated")
            }
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

async fn bench(args: &BenchArgs) -> anyhow::Result<Report> {
    let base = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("article6-bench-").tempdir_in(&base)?;
    if is_memory(folder.path()) {
        eprintln!(
            "note: {} is on tmpfs, where a sync costs nothing: these are not the figures of a disk; choose one with --dir",
            base.display()
        );
    }
    let [us, kz] = homes::make(folder.path())?;
    let time = Duration::from_secs(args.seconds.max(1));
    let bare_echo_per_s =
        echo::measure(&us.config(), client_tls(&us)?, args.in_flight, args.bytes, time).await?;

    let program = std::env::current_exe()?;
    let (mut us_runs, mut kz_runs) = (us.serve(&program)?, kz.serve(&program)?);
    us.up(&mut us_runs, PATIENCE).await?;
    kz.up(&mut kz_runs, PATIENCE).await?;
    let (sender, receiver) = (us.connect(PATIENCE).await?, kz.connect(PATIENCE).await?);
    let mut status = [status_client(&us).await?, status_client(&kz).await?];
    let mut load = Load::start(sender, receiver, args.bytes).await?;
    // Connections, caches and pages are warm in the echo's measurement too.
    load.run(args.in_flight, Duration::from_millis(500)).await?;
    let before = [read(&mut status[0]).await?, read(&mut status[1]).await?];
    let (start, already) = (Instant::now(), load.done());
    let mut latencies = load.run(args.in_flight, time).await?;
    wait_for_indexes(&mut status).await?;
    let elapsed = start.elapsed();
    let messages = load.done() - already;
    let after = [read(&mut status[0]).await?, read(&mut status[1]).await?];
    let mut alone = load.run(1, Duration::from_secs(2)).await?;
    let (lost, duplicated) = load.finish().await?;
    us_runs.stop()?;
    kz_runs.stop()?;
    let per_message = |of: fn(&GetStatusResponse) -> u64| {
        let sum: u64 = after.iter().zip(&before).map(|(after, before)| of(after) - of(before)).sum();
        number(sum) / number(messages.max(1))
    };
    let exchange_per_s = number(messages) / elapsed.as_secs_f64();
    Ok(Report {
        bare_echo_per_s,
        exchange_per_s,
        ratio: exchange_per_s / bare_echo_per_s,
        submit_to_receipt_ms: quantiles(&mut latencies),
        alone_submit_to_receipt_ms: quantiles(&mut alone),
        cpu_us_per_message: per_message(|status| status.cpu_microseconds),
        disk_bytes_per_message: per_message(|status| status.journal_bytes),
        syncs_per_message: per_message(|status| status.syncs),
        rss_mib: [number(after[0].resident_bytes) / 1048576.0, number(after[1].resident_bytes) / 1048576.0],
        lost,
        duplicated,
        messages,
    })
}

/// The text of a message carries its size, and a text has a bound.
fn body_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size @ 1..=LARGEST_BODY) => Ok(size),
        _ => Err(format!("a number from 1 to {LARGEST_BODY} is expected: longer texts are documents")),
    }
}

fn is_memory(folder: &Path) -> bool {
    // From the kernel's include/uapi/linux/magic.h.
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    rustix::fs::statfs(folder).is_ok_and(|found| found.f_type == TMPFS)
}

/// The run ends when both indexes have caught up.
async fn wait_for_indexes(status: &mut [OperationsServiceClient<Dialled>; 2]) -> anyhow::Result<()> {
    for client in status {
        loop {
            let now = read(client).await?;
            if now.index_size >= now.ledger_size {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

async fn read(client: &mut OperationsServiceClient<Dialled>) -> anyhow::Result<GetStatusResponse> {
    Ok(client.get_status(GetStatusRequest {}).await?.into_inner())
}

async fn status_client(home: &Home) -> anyhow::Result<OperationsServiceClient<Dialled>> {
    let [chain, key, authority] = home.client_files("operations", "operations");
    let tls =
        TlsState::load(TlsSettings { chain, key, authorities: vec![authority], ..TlsSettings::default() })?;
    let dialled = dial(&DialSettings::new(format!("127.0.0.1:{}", home.ports[2]), "localhost", tls)).await?;
    Ok(OperationsServiceClient::new(dialled))
}

fn client_tls(home: &Home) -> anyhow::Result<Arc<TlsState>> {
    let [chain, key, authority] = home.client_files("backoffice", "backoffice");
    Ok(TlsState::load(TlsSettings { chain, key, authorities: vec![authority], ..TlsSettings::default() })?)
}

fn quantiles(latencies: &mut [f64]) -> Quantiles {
    latencies.sort_by(f64::total_cmp);
    let at = |part: usize| {
        latencies
            .get((latencies.len() * part / 100).min(latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    };
    Quantiles { p50: at(50), p99: at(99) }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn number(value: u64) -> f64 {
    value as f64
}

fn print(report: &Report, json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).unwrap_or_default());
        return;
    }
    println!("bare echo                {:>10.0} /s", report.bare_echo_per_s);
    println!("whole exchange           {:>10.0} /s   ratio {:.3}", report.exchange_per_s, report.ratio);
    println!(
        "submit to receipt        {:>10.2} ms  p99 {:.2} ms",
        report.submit_to_receipt_ms.p50, report.submit_to_receipt_ms.p99
    );
    println!(
        "  one at a time          {:>10.2} ms  p99 {:.2} ms",
        report.alone_submit_to_receipt_ms.p50, report.alone_submit_to_receipt_ms.p99
    );
    println!("processor, both daemons  {:>10.0} us a message", report.cpu_us_per_message);
    println!("disk, both daemons       {:>10.0} bytes a message", report.disk_bytes_per_message);
    println!("syncs, both daemons      {:>10.3} a message", report.syncs_per_message);
    println!("memory                   {:>10.1} and {:.1} MiB", report.rss_mib[0], report.rss_mib[1]);
    println!("{} messages, {} lost, {} duplicated", report.messages, report.lost, report.duplicated);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_no_message_has_is_refused_with_the_largest_that_works() {
        assert_eq!(body_size("2048"), Ok(2048));
        assert_eq!(body_size("8064"), Ok(LARGEST_BODY));
        for wrong in ["8065", "0", "-1", "much"] {
            assert!(body_size(wrong).unwrap_err().contains("8064"), "{wrong}");
        }
    }
}
