//! From the configuration file to each module's own settings; every mistake at once.
//!
//! Reading order: [`Settings`] what there is · `tables`, `doors` from keys to settings · `values` single values · [`files`] the
//! files that are named · [`Reader`] mistakes and keys that nobody asked for.
//!
//! Read by `app` and `commands` only. Paths are taken from the folder of the file. The environment wins over the
//! file: `ARTICLE6__STORE__DIR` stands for `[store] dir`.

mod domestic;
mod doors;
pub mod files;
mod reader;
mod tables;
#[cfg(test)]
mod tests;
mod values;

pub use domestic::{Domestic, Marking, ServiceName};
pub use reader::Mistake;
pub(crate) use reader::Reader;
pub(crate) use values::host_and_port;

use crate::channel::retry::Backoff;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::door::TlsSettings;
use crate::exchange::start::StoreSettings;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Everything the daemon is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration file.
    pub file: PathBuf,
    /// Who talks to whom.
    pub terms: Terms,
    /// Delivery that fails for longer is shown as STALLED.
    pub stalled_after: Duration,
    /// After so long without a receipt a complaint is recorded.
    pub receipt_overdue: Duration,
    /// The signing key, PKCS#8 PEM, and its certificate.
    pub signing: KeyPair,
    /// The ledger's Ed25519 key, PKCS#8 PEM.
    pub ledger_key: PathBuf,
    /// The signing key to change to; where its files are not there yet there is none.
    pub next_signing: Option<KeyPair>,
    /// The ledger's key to change to; where the file is not there yet there is none.
    pub next_ledger_key: Option<PathBuf>,
    /// Reads of content that each client may have recorded in a second.
    pub reads_per_second: u32,
    /// A key is retired when its successor has been in use for so long.
    pub key_overlap: Duration,
    /// Certificates of this Party's head of service and of his delegates, PEM (Articles 6.1 and 11).
    pub head_certificate: Option<PathBuf>,
    /// The same of the other Party's.
    pub peer_head_certificate: Option<PathBuf>,
    /// The door to the other Party.
    pub peer: PeerSettings,
    /// The door to back-office systems.
    pub backoffice: DoorSettings,
    /// Who may use it.
    pub clients: Vec<Client>,
    /// Officials that clients act for, and their roles.
    pub officials: BTreeMap<String, Official>,
    /// How messages that need a second official are released.
    pub release: Release,
    /// Names of services and markings.
    pub domestic: Domestic,
    /// The door to operations staff.
    pub operations: DoorSettings,
    /// The store.
    pub store: StoreSettings,
    /// The query index's folder.
    pub index: PathBuf,
    /// sled's cache, in bytes.
    pub index_cache_bytes: u64,
    /// The log.
    pub log: LogSettings,
}

/// A key file and its certificate.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// Certificate, PEM.
    pub certificate: PathBuf,
    /// Key, PKCS#8 PEM.
    pub key: PathBuf,
}

impl KeyPair {
    /// The pair of two paths, if both are given.
    fn of(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<Self> {
        Some(Self { certificate: certificate?, key: key? })
    }

    /// Whether its files are there.
    pub fn exists(&self) -> bool {
        self.certificate.exists() && self.key.exists()
    }
}

/// A listener with its TLS material.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Certificates, keys and whom they trust.
    pub tls: TlsSettings,
    /// gRPC reflection is offered.
    pub reflection: bool,
}

/// The door to the other Party, and the way to its door.
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// The listener.
    pub door: DoorSettings,
    /// host:port of the other Party's peer door.
    pub address: String,
    /// Name in its certificate.
    pub server_name: String,
    /// The certificate and key to change to; where the files are not there yet there are none.
    pub next: Option<KeyPair>,
    /// Certificates whose keys the other Party's daemon may have.
    pub pins: Vec<PathBuf>,
    /// Certificates of the keys that sign the other Party's envelopes.
    pub signing_certificates: Vec<PathBuf>,
    /// File with the base64 of the other Party's Ed25519 ledger key.
    pub ledger_key: PathBuf,
    /// When delivery is tried again.
    pub backoff: Backoff,
}

/// A back-office system.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its certificate.
    pub certificate: PathBuf,
    /// SHA-256 of its public key.
    pub key_id: Digest,
    /// Officials it may act for; `*` for all that are configured.
    pub officials: Vec<String>,
    /// It is believed whom it names; otherwise each call needs a token of the official.
    pub trusted: bool,
}

/// An official that clients act for.
#[derive(Debug, Clone, Default)]
pub struct Official {
    /// What he may do.
    pub roles: Vec<String>,
    /// File with the public key of his tokens.
    pub token_key: Option<PathBuf>,
    /// He may read confidential content.
    pub cleared: bool,
}

/// How messages that need a second official are released (four eyes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// As drafts that another official has reviewed, by his own token. The only way in production.
    #[default]
    Reviewed,
    /// A submission names who released it.
    Named,
    /// A submission need not name anybody.
    Free,
}

/// How the daemon logs.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// One JSON object a line.
    pub json: bool,
    /// Filter, such as `info` or `article6=debug`.
    pub level: String,
}

/// The files that a configuration names, also where the rest of it is wrong.
#[derive(Debug, Default)]
struct Named {
    production: bool,
    signing_certificate: Option<PathBuf>,
    signing_key: Option<PathBuf>,
    ledger_key: Option<PathBuf>,
    peer_signing_certificates: Vec<PathBuf>,
    peer_ledger_key: Option<PathBuf>,
    /// Key of the configuration and file of each head of service.
    heads: Vec<(&'static str, PathBuf)>,
    /// Name of the table, and what it says of files; a path that is empty was not given.
    doors: Vec<(&'static str, TlsSettings)>,
}

/// Reads the settings; on failure every mistake there is in the configuration itself.
pub fn read(path: &Path) -> Result<Settings, Vec<Mistake>> {
    gather(path, |_| Vec::new())
}

/// Reads the settings and looks into the files they name; on failure every mistake there is in both. With `now`, a
/// certificate of this Party that is not valid then is a mistake: for those who look before the daemon starts. The
/// daemon itself starts with it, since what is received and shown does not depend on it.
pub fn check(path: &Path, now: Option<SystemTime>) -> Result<Settings, Vec<Mistake>> {
    gather(path, |named| files::mistakes(named, now))
}

fn gather(
    path: &Path,
    judge: impl FnOnce(&Named) -> Vec<(String, String)>,
) -> Result<Settings, Vec<Mistake>> {
    let mut reader = Reader::open(path).map_err(|mistake| vec![mistake])?;
    let mut named = Named::default();
    let settings =
        tables::read(&mut reader, &mut named).map(|settings| Settings { file: path.to_owned(), ..settings });
    for (key, what) in judge(&named) {
        reader.mistake(&key, what);
    }
    let mistakes = reader.finish();
    match settings {
        Some(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(mistakes),
    }
}
