//! Two Parties' homes on this machine, for demonstrations and measurements: keys, configuration, store, client profile.

use super::certs::write_development_pki;
use super::init::init;
use crate::door::{DialSettings, Dialled, TlsSettings, TlsState, dial};
use anyhow::Context as _;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Officials of both Parties that the fixtures name.
const OFFICIALS: [&str; 8] = [
    "US-DO-0003",
    "US-DO-0011",
    "US-DO-0015",
    "KZ-DO-0002",
    "KZ-DO-0004",
    "KZ-DO-0007",
    "KZ-DO-0009",
    "KZ-DO-0012",
];

/// One Party's home.
#[derive(Debug, Clone)]
pub struct Home {
    /// Its country code.
    pub party: &'static str,
    /// Its folder.
    pub folder: PathBuf,
    /// Ports of its peer, back-office and operations doors.
    pub ports: [u16; 3],
}

/// A daemon running as a process; killed when dropped.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub child: Child,
}

/// Makes both homes below a folder and founds their stores.
pub fn make(folder: &Path) -> anyhow::Result<[Home; 2]> {
    std::fs::create_dir_all(folder)?;
    write_development_pki(&folder.join("certs"), ["US", "KZ"])?;
    let ports = free_ports(6)?;
    let home = |party: &'static str, at: usize| -> anyhow::Result<Home> {
        let ports = ports.get(at..).and_then(|ports| ports.first_chunk()).context("six ports")?;
        Ok(Home { party, folder: folder.join(party.to_lowercase()), ports: *ports })
    };
    let (us, kz) = (home("US", 0)?, home("KZ", 3)?);
    us.write(&kz)?;
    kz.write(&us)?;
    Ok([us, kz])
}

/// Free ports below those that Linux gives to outgoing connections: a daemon that starts again finds its own unused.
fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    const FIRST: u16 = 10_240;
    const LAST: u16 = 32_767;
    let start = u16::from_le_bytes(crate::crypto::random::array()?) % (LAST - FIRST);
    let candidates = (FIRST + start..=LAST).chain(FIRST..FIRST + start);
    // All are held at once, so that none is given twice.
    let bound =
        candidates.filter_map(|port| Some((TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?, port)));
    let (_listeners, ports): (Vec<_>, Vec<_>) = bound.take(count).unzip();
    anyhow::ensure!(ports.len() == count, "there are no {count} free ports");
    Ok(ports)
}

impl Home {
    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("article6.toml")
    }

    /// The client profile.
    pub fn profile(&self) -> PathBuf {
        self.folder.join("client.toml")
    }

    /// Starts the daemon as a process of `program`, which is `article6`; its log goes to a file in the home.
    pub fn serve(&self, program: &Path) -> anyhow::Result<Running> {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("daemon.log"))?;
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Running { child })
    }

    /// Certificate, key and authority of one of the home's clients.
    pub fn client_files(&self, client: &str, authority: &str) -> [PathBuf; 3] {
        let certs = self.certs();
        [
            certs.join(format!("client-{client}.pem")),
            certs.join(format!("client-{client}.key")),
            certs.join(format!("{authority}-ca.pem")),
        ]
    }

    /// Connects to the back-office door as soon as the daemon is up.
    pub async fn connect(&self, patience: Duration) -> anyhow::Result<Dialled> {
        let [chain, key, authority] = self.client_files("backoffice", "backoffice");
        let tls = TlsState::load(TlsSettings {
            chain,
            key,
            authorities: vec![authority],
            ..TlsSettings::default()
        })?;
        let settings = DialSettings::new(format!("127.0.0.1:{}", self.ports[1]), "localhost", tls);
        let end = Instant::now() + patience;
        loop {
            match dial(&settings).await {
                Ok(dialled) => return Ok(dialled),
                Err(error) if Instant::now() > end => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Waits until the daemon is up; when it ends instead, tells at once what it logged last.
    pub async fn up(&self, running: &mut Running, patience: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + patience;
        loop {
            if self.connect(Duration::ZERO).await.is_ok() {
                return Ok(());
            }
            let ended = running.child.try_wait()?;
            if ended.is_some() || Instant::now() > end {
                let what = ended.map_or_else(
                    || format!("did not open its doors within {patience:?}"),
                    |status| format!("ended instead of starting, with {status}"),
                );
                anyhow::bail!(
                    "the daemon of {} {what}; its log ends with:\n{}",
                    self.party,
                    self.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn last_words(&self) -> String {
        const LINES: usize = 8;
        let log = std::fs::read_to_string(self.folder.join("daemon.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }

    /// The other Party's ledger key, as this home's daemon trusts it.
    pub fn counterparty_ledger_key(&self) -> anyhow::Result<[u8; 32]> {
        let settings = crate::config::read(&self.config())
            .map_err(|_| anyhow::anyhow!("the configuration made here is wrong"))?;
        let keys = crate::app::trust(&settings)?.ledger_keys;
        keys.first().copied().context("a ledger key is configured")
    }

    /// Folder of the home's keys and certificates.
    pub fn certs(&self) -> PathBuf {
        self.folder
            .parent()
            .map(|parent| parent.join("certs"))
            .unwrap_or_default()
            .join(self.party.to_lowercase())
    }

    fn write(&self, other: &Home) -> anyhow::Result<()> {
        std::fs::create_dir(&self.folder)?;
        std::fs::write(self.config(), self.configuration(other)?)?;
        std::fs::write(self.profile(), self.client_profile()?)?;
        let settings = crate::config::read(&self.config()).map_err(|mistakes| {
            anyhow::anyhow!("{}", mistakes.first().map(ToString::to_string).unwrap_or_default())
        })?;
        init(&settings, &self.folder.join("recovery.key"))
    }

    fn configuration(&self, other: &Home) -> Result<String, std::fmt::Error> {
        let certs = format!("../certs/{}", self.party.to_lowercase());
        let [peer, backoffice, operations] = self.ports;
        let mut text = format!(
            r#"# Made for a demonstration: development keys, TEST environment.
[channel]
environment = "TEST"
agreement = "US-KZ-1997"
party = "{party}"
counterparty = "{other_party}"

[identity]
signing_certificate = "{certs}/signing.pem"
signing_key = "{certs}/signing.key"
ledger_key = "{certs}/ledger.key"

[peer]
listen = "127.0.0.1:{peer}"
certificate = "{certs}/peer.pem"
key = "{certs}/peer.key"
authorities = ["{certs}/counterparty-tls-ca.pem"]
pins = ["{certs}/counterparty-peer.pem"]
address = "127.0.0.1:{other_peer}"
server_name = "localhost"
signing_certificates = ["{certs}/counterparty-signing.pem"]
ledger_key = "{certs}/counterparty-ledger.pub"
retry_cap = "5s"

[backoffice]
listen = "127.0.0.1:{backoffice}"
certificate = "{certs}/backoffice.pem"
key = "{certs}/backoffice.key"
authorities = ["{certs}/backoffice-ca.pem"]
revocation_list = "{certs}/backoffice-crl.pem"

[[clients]]
name = "backoffice"
certificate = "{certs}/client-backoffice.pem"
officials = ["*"]

[operations]
listen = "127.0.0.1:{operations}"
certificate = "{certs}/operations.pem"
key = "{certs}/operations.key"
authorities = ["{certs}/operations-ca.pem"]

[store]
dir = "store"
head_file = "head/head"
key_file = "keys/store.key"
"#,
            party = self.party,
            other_party = other.party,
            other_peer = other.ports[0],
        );
        for official in OFFICIALS.iter().filter(|official| official.starts_with(self.party)) {
            write!(text, "\n[[officials]]\nid = \"{official}\"\nroles = [\"DESIGNATED_OFFICIAL\"]\n")?;
        }
        Ok(text)
    }

    fn client_profile(&self) -> Result<String, std::fmt::Error> {
        let certs = format!("../certs/{}", self.party.to_lowercase());
        let mut text = String::new();
        writeln!(text, "address = \"127.0.0.1:{}\"", self.ports[1])?;
        writeln!(text, "server_name = \"localhost\"")?;
        writeln!(text, "certificate = \"{certs}/client-backoffice.pem\"")?;
        writeln!(text, "key = \"{certs}/client-backoffice.key\"")?;
        writeln!(text, "authority = \"{certs}/backoffice-ca.pem\"")?;
        writeln!(text, "purpose = \"PREVENT_INVESTIGATE_REPRESS_OFFENCE\"")?;
        writeln!(text, "official = \"{}\"", if self.party == "US" { "US-DO-0011" } else { "KZ-DO-0007" })?;
        Ok(text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Lets the daemon go on running when this program ends.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    /// Resident memory of the daemon in MiB, from the kernel's account; `None` where it gives none.
    pub fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u32 = line.split_whitespace().next()?.parse().ok()?;
        Some(f64::from(kib) / 1024.0)
    }

    /// Asks the daemon to stop and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "a daemon ended with {status}; its log says why");
        Ok(())
    }
}
