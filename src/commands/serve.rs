//! `article6 serve`: runs the daemon until SIGTERM or SIGINT; SIGHUP reads the certificates anew.

use super::{ConfigArg, failed, no};
use crate::app::{AsyncReload, Daemon};
use crate::config::{LogSettings, Settings, check};
use crate::disk::SystemDisk;
use crate::exchange::clock::SystemClock;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 stopped, 1 the store or an address cannot be used, or the store failed, \
78 the configuration or a file it names is wrong."
)]
pub struct ServeArgs {
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(args: &ServeArgs) -> ExitCode {
    let settings = match args.config.check() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    log_to_stderr(&settings.log);
    // What was checked at the start without dates: an expired certificate keeps others away, but not this daemon down.
    for mistake in check(&args.config.path, Some(SystemTime::now())).err().unwrap_or_default() {
        tracing::warn!(%mistake, "the configuration needs attention");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return no(error),
    };
    let served = runtime.block_on(serve(settings));
    runtime.shutdown_background();
    served.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let hangup = Hangup(signal(SignalKind::hangup())?);
    let daemon = Daemon::open(settings, Arc::new(SystemDisk), Arc::new(SystemClock)).await?;
    let addresses = daemon.addresses()?;
    tracing::info!(
        peer = %addresses.peer,
        backoffice = %addresses.backoffice,
        operations = %addresses.operations,
        "ready"
    );
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    };
    daemon.run(stop, hangup).await.map_err(|failure| anyhow::anyhow!("the store failed: {failure}"))
}

struct Hangup(Signal);

impl AsyncReload for Hangup {
    async fn asked(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

fn log_to_stderr(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    if settings.json {
        builder.json().flatten_event(true).init();
    } else {
        builder.init();
    }
}
