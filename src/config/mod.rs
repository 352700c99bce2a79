//! From the configuration file to each module's own settings; every mistake at once.
//!
//! Read by `app` and `commands` only. Paths are taken from the folder of the file. The environment wins over the
//! file: `ARTICLE6__STORE__DIR` stands for `[store] dir`.

mod reader;

pub use reader::Mistake;
pub(crate) use reader::Reader;

use crate::channel::retry::Backoff;
use crate::channel::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use crate::door::TlsSettings;
use crate::door::tls::RevocationPolicy;
use crate::exchange::start::StoreSettings;
use crate::journal::{Paths, Sizes};
use crate::wire::channel::v1::Environment;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything the daemon is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who talks to whom.
    pub terms: Terms,
    /// Delivery that fails for longer is shown as STALLED.
    pub stalled_after: Duration,
    /// The signing key, PKCS#8 PEM, and its certificate.
    pub signing: KeyPair,
    /// The ledger's Ed25519 key, PKCS#8 PEM.
    pub ledger_key: PathBuf,
    /// The door to the other Party.
    pub peer: PeerSettings,
    /// The door to back-office systems.
    pub backoffice: DoorSettings,
    /// Who may use it.
    pub clients: Vec<Client>,
    /// Officials that clients act for.
    pub officials: BTreeMap<String, Vec<String>>,
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
    /// SHA-256 of its certificate's public key.
    pub key_id: Digest,
    /// Officials it may act for; `*` for all that are configured.
    pub officials: Vec<String>,
}

/// How the daemon logs.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// One JSON object a line.
    pub json: bool,
    /// Filter, such as `info` or `article6=debug`.
    pub level: String,
}

/// Reads the settings; on failure every mistake there is.
pub fn read(path: &Path) -> Result<Settings, Vec<Mistake>> {
    let mut reader = Reader::open(path).map_err(|mistake| vec![mistake])?;
    let settings = gather(&mut reader);
    let mistakes = reader.finish();
    match settings {
        Some(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(mistakes),
    }
}

fn gather(reader: &mut Reader) -> Option<Settings> {
    let (mut terms, mut stalled_after) = (None, Duration::from_secs(15 * 60));
    reader.table("channel", |channel| {
        terms = read_terms(channel);
        stalled_after = channel.or("stalled_after", stalled_after, duration);
    });
    let production = terms.as_ref().is_some_and(|terms| terms.environment == Environment::Production);
    let (mut signing, mut ledger_key) = (None, None);
    reader.table("identity", |identity| {
        signing = key_pair(identity, "signing_certificate", "signing_key");
        ledger_key = identity.path("ledger_key");
    });
    let (mut peer, mut backoffice, mut operations) = (None, None, None);
    reader.table("peer", |table| peer = read_peer(table, production));
    reader.table("backoffice", |table| backoffice = read_door(table, production, RevocationPolicy::Enforce));
    reader.table("operations", |table| operations = read_door(table, production, RevocationPolicy::Enforce));
    let (mut clients, mut officials) = (Vec::new(), BTreeMap::new());
    reader.tables("officials", |table| {
        let id = table.required("id", identifier);
        let roles = table.list("roles", role);
        officials.extend(id.map(|id| (id, roles)));
    });
    reader.tables("clients", |table| clients.extend(read_client(table, &officials)));
    let mut store = None;
    reader.table("store", |table| store = read_store(table));
    let mut log = LogSettings { json: false, level: "info".to_owned() };
    reader.table("log", |table| {
        log.json = table.or("format", false, |text| one_of(text, &[("plain", false), ("json", true)]));
        log.level = table.or("level", log.level.clone(), |text| Ok(text.to_owned()));
    });
    let (store, index, index_cache_bytes) = store?;
    Some(Settings {
        terms: terms?,
        stalled_after,
        signing: signing?,
        ledger_key: ledger_key?,
        peer: peer?,
        backoffice: backoffice?,
        clients,
        officials,
        operations: operations?,
        store,
        index,
        index_cache_bytes,
        log,
    })
}

fn read_terms(table: &mut Reader) -> Option<Terms> {
    let environments = [("PRODUCTION", Environment::Production), ("TEST", Environment::Test)];
    let environment = table.required("environment", |text| one_of(&text.to_uppercase(), &environments));
    let agreement = table.required("agreement", identifier);
    let party = table.required("party", country);
    let counterparty = table.required("counterparty", country);
    if party.is_some() && party == counterparty {
        table.mistake("counterparty", "the two Parties must differ".to_owned());
    }
    Some(Terms {
        environment: environment?,
        agreement: agreement?,
        party: party?,
        counterparty: counterparty?,
    })
}

fn read_peer(table: &mut Reader, production: bool) -> Option<PeerSettings> {
    let mut pins = BTreeSet::new();
    for path in table.paths("pins") {
        match certificates(&path) {
            Ok(found) => pins.extend(found.iter().map(Certificate::key_id)),
            Err(what) => table.mistake("pins", what),
        }
    }
    if pins.is_empty() {
        table.mistake("pins", "name at least one certificate file of the other Party's daemon".to_owned());
    }
    let door = read_door(table, production, RevocationPolicy::AlarmOnly);
    let address = table.required("address", host_and_port);
    let server_name = table.required("server_name", |text| Ok(text.to_owned()));
    let signing_certificates = table.paths("signing_certificates");
    if signing_certificates.is_empty() {
        table.mistake(
            "signing_certificates",
            "name the certificate of the key that signs the other Party's messages".to_owned(),
        );
    }
    let ledger_key = table.path("ledger_key");
    let default = Backoff::default();
    let backoff = Backoff {
        first: table.or("retry_first", default.first, duration),
        cap: table.or("retry_cap", default.cap, duration),
    };
    let hybrid = table.or("hybrid", true, boolean);
    let mut door = door?;
    door.tls.pins = pins;
    door.tls.hybrid = hybrid;
    Some(PeerSettings {
        door,
        address: address?,
        server_name: server_name?,
        signing_certificates,
        ledger_key: ledger_key?,
        backoff,
    })
}

fn read_door(
    table: &mut Reader,
    production: bool,
    revocation_policy: RevocationPolicy,
) -> Option<DoorSettings> {
    let listen = table.required("listen", |text| {
        text.parse().map_err(|_| "an address with a port is expected, such as \"127.0.0.1:7601\"".to_owned())
    });
    let pair = key_pair(table, "certificate", "key");
    let authorities = table.paths("authorities");
    if authorities.is_empty() {
        table.mistake(
            "authorities",
            "name the file of the authority whose certificates are accepted".to_owned(),
        );
    }
    let revocation = table.optional_path("revocation_list");
    let reflection = table.or("reflection", true, boolean);
    let pair = pair?;
    let tls = TlsSettings {
        chain: pair.certificate,
        key: pair.key,
        authorities,
        revocation,
        revocation_policy,
        production,
        ..TlsSettings::default()
    };
    Some(DoorSettings { listen: listen?, tls, reflection })
}

fn read_client(table: &mut Reader, officials: &BTreeMap<String, Vec<String>>) -> Option<Client> {
    let name = table.required("name", identifier);
    let certificate = table.path("certificate");
    let key_id = certificate.and_then(|path| match certificates(&path) {
        Ok(found) => found.first().map(Certificate::key_id),
        Err(what) => {
            table.mistake("certificate", what);
            None
        }
    });
    let may_act_for = table.list("officials", |text| {
        if text == "*" || officials.contains_key(text) {
            Ok(text.to_owned())
        } else {
            Err(format!("no [[officials]] has the id {text}"))
        }
    });
    if may_act_for.is_empty() {
        table.mistake("officials", "name the officials this client acts for, or \"*\" for all".to_owned());
    }
    Some(Client { name: name?, key_id: key_id?, officials: may_act_for })
}

fn read_store(table: &mut Reader) -> Option<(StoreSettings, PathBuf, u64)> {
    let data = table.path("dir");
    let head = table.path("head_file");
    let key_file = table.path("key_file");
    let sizes = Sizes::default();
    let segment_bytes =
        table.or("segment_bytes", sizes.segment_bytes, |text| between(text, 64 << 10, 16 << 30));
    let step_bytes = table
        .or("allocation_bytes", sizes.step_bytes.min(segment_bytes), |text| between(text, 16 << 10, 1 << 30));
    let index = table.optional_path("index_dir");
    let cache = table.or("index_cache_bytes", 32 << 20, |text| between(text, 1 << 20, 64 << 30));
    let data = data?;
    if let (Some(key_file), true) =
        (&key_file, table.optional("key_file", |text| Ok(text.to_owned())).is_some())
        && key_file.starts_with(&data)
    {
        table.mistake(
            "key_file",
            "the key must not stand in the store's own folder: a copy of the store would hold its key"
                .to_owned(),
        );
    }
    let index = index.unwrap_or_else(|| data.join("index"));
    let paths = Paths { data, head: head? };
    Some((
        StoreSettings { paths, key_file: key_file?, sizes: Sizes { segment_bytes, step_bytes } },
        index,
        cache,
    ))
}

fn key_pair(table: &mut Reader, certificate: &str, key: &str) -> Option<KeyPair> {
    let (certificate, key) = (table.path(certificate), table.path(key));
    Some(KeyPair { certificate: certificate?, key: key? })
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Certificate::all_from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "a duration is expected, such as \"15m\"".to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}

fn boolean(text: &str) -> Result<bool, String> {
    one_of(text, &[("true", true), ("false", false)])
}

fn between(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("a number from {least} to {most} is expected"))
    }
}

fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        format!("one of {} is expected", values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
    })
}

fn country(text: &str) -> Result<String, String> {
    let sound = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("a country code of ISO 3166-1 alpha-2 is expected, such as \"US\"".to_owned())
    }
}

fn identifier(text: &str) -> Result<String, String> {
    let sound = (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if sound {
        Ok(text.to_owned())
    } else {
        Err("1 to 40 letters, digits and the characters - _ . are expected".to_owned())
    }
}

/// The roles an official may have.
const ROLES: [&str; 8] = [
    "CASE_OFFICER",
    "DESIGNATED_OFFICIAL",
    "RELEASING_OFFICER",
    "RECORDS_CUSTODIAN",
    "AUDITOR",
    "TREATY_ADMINISTRATOR",
    "OPERATIONS",
    "HEAD_OF_SERVICE",
];

fn role(text: &str) -> Result<String, String> {
    if ROLES.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("one of {} is expected", ROLES.join(", ")))
    }
}

pub(crate) fn host_and_port(text: &str) -> Result<String, String> {
    let sound =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("host:port is expected, such as \"customs.example:7601\"".to_owned())
    }
}
