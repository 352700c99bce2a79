//! A daemon that is started, killed and started again.

use super::office::Office;
use anyhow::Context as _;
use article6::commands::homes::{Home, Running, make};
use article6::door::{DialSettings, TlsSettings, TlsState, dial};
use article6::operations::v1::operations_service_client::OperationsServiceClient;
use article6::operations::v1::{GetStatusRequest, GetStatusResponse};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Longest wait for a daemon to be ready.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test: this build's, or the one that `ARTICLE6_PROGRAM` names.
pub fn program() -> PathBuf {
    std::env::var_os("ARTICLE6_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_article6").into(), PathBuf::from)
}

/// One Party's daemon.
pub struct Daemon {
    /// Its home.
    pub home: Home,
    running: Option<Running>,
    status: DialSettings,
}

/// Homes of both Parties, with `store` added to the configuration's `[store]` and delivery that retries quickly.
pub fn pair(folder: &Path, store: &str) -> anyhow::Result<[Daemon; 2]> {
    let [us, kz] = make(folder)?;
    for home in [&us, &kz] {
        let text = std::fs::read_to_string(home.config())?;
        let quick = text.replace("retry_cap = \"5s\"", "retry_first = \"20ms\"\nretry_cap = \"200ms\"");
        let changed = quick.replace("[store]\n", &format!("[store]\n{store}\n"));
        std::fs::write(home.config(), changed)?;
    }
    Ok([Daemon::at(us)?, Daemon::at(kz)?])
}

impl Daemon {
    fn at(home: Home) -> anyhow::Result<Self> {
        let [chain, key, authority] = home.client_files("operations", "operations");
        let tls = TlsState::load(TlsSettings {
            chain,
            key,
            authorities: vec![authority],
            ..TlsSettings::default()
        })?;
        let status = DialSettings::new(format!("127.0.0.1:{}", home.ports[2]), "localhost", tls);
        Ok(Self { home, running: None, status })
    }

    /// Starts the process.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.running = Some(self.home.serve(&program())?);
        Ok(())
    }

    /// Waits until the back-office door answers.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let office = Office::of(&self.home)?;
        let end = Instant::now() + PATIENCE;
        while dial(&office.dial).await.is_err() {
            self.expect_running()?;
            anyhow::ensure!(Instant::now() < end, "{} is not ready after {PATIENCE:?}", self.home.party);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// SIGTERM, and waits for a good end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let running = self.running.take().context("the daemon is not running")?;
        tokio::task::spawn_blocking(|| running.stop()).await?
    }

    /// Process identifier.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// What the operations door says.
    pub async fn status(&self) -> anyhow::Result<GetStatusResponse> {
        let mut client = OperationsServiceClient::new(dial(&self.status).await?);
        Ok(client.get_status(GetStatusRequest {}).await?.into_inner())
    }

    /// Runs a command of the program on this home.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<Output> {
        Ok(Command::new(program()).args(words).arg("--config").arg(self.home.config()).output()?)
    }

    /// Whether the store of the stopped daemon is sound to the last byte.
    pub fn verify(&self) -> anyhow::Result<()> {
        let store = self.settings()?.store.paths.data;
        let output = self.command(&["verify", &store.to_string_lossy()])?;
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        anyhow::ensure!(output.status.success(), "{}: verify says {said} {complained}", self.home.party);
        Ok(())
    }

    /// The settings of the configuration file.
    pub fn settings(&self) -> anyhow::Result<article6::config::Settings> {
        article6::config::read(&self.home.config()).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))
    }

    fn expect_running(&mut self) -> anyhow::Result<()> {
        let ended = self.running.as_mut().context("not started")?.child.try_wait()?;
        if let Some(status) = ended {
            let log = std::fs::read_to_string(self.home.folder.join("daemon.log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(5).collect();
            anyhow::bail!("{} ended with {status} instead of starting: {last:?}", self.home.party);
        }
        Ok(())
    }
}
