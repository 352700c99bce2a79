//! From the tables of a configuration to settings.

use super::domestic;
use super::doors::{one_door_each, read_door, read_peer};
use super::values::{between, country, duration, identifier, log_level, one_of, rate, role};
use super::{Client, KeyPair, LogSettings, Named, Official, Reader, Release, Settings, files};
use crate::channel::terms::Terms;
use crate::door::tls::RevocationPolicy;
use crate::exchange::start::StoreSettings;
use crate::journal::{Paths, Sizes};
use crate::wire::channel::v1::Environment;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Reads every table. `named` holds the files, also where `None` is returned.
pub(super) fn read(reader: &mut Reader, named: &mut Named) -> Option<Settings> {
    let (mut terms, mut stalled_after) = (None, Duration::from_secs(15 * 60));
    let mut receipt_overdue = Duration::from_secs(24 * 3600);
    // Rejections of the other Party's messages, and reads of each client, in a second.
    let mut rates = (10, 200);
    let mut key_overlap = Duration::from_secs(7 * 24 * 3600);
    reader.table("channel", |channel| {
        terms = read_terms(channel, named);
        stalled_after = channel.or("stalled_after", stalled_after, duration);
        receipt_overdue = channel.or("receipt_overdue", receipt_overdue, duration);
        key_overlap = channel.or("key_overlap", key_overlap, duration);
        rates.0 = channel.or("rejections_per_second", rates.0, rate);
    });
    let mut identity = None;
    reader.table("identity", |table| identity = read_identity(table, named));
    let (mut peer, mut backoffice, mut operations) = (None, None, None);
    let mut release = Release::default();
    reader.table("peer", |table| peer = read_peer(table, named));
    reader.table("backoffice", |table| {
        backoffice = read_door(table, "backoffice", RevocationPolicy::Enforce, named);
        rates.1 = table.or("reads_per_second", rates.1, rate);
        release = read_release(table, named.production);
        if named.production && table.optional_path("revocation_list").is_none() {
            let what =
                "in production this door needs a revocation list: it is how a client is shut out at once";
            table.mistake("revocation_list", what.to_owned());
        }
    });
    reader.table("operations", |table| {
        operations = read_door(table, "operations", RevocationPolicy::Enforce, named);
    });
    one_door_each(
        reader,
        &[
            ("peer", peer.as_ref().map(|peer| peer.door.listen)),
            ("backoffice", backoffice.as_ref().map(|door| door.listen)),
            ("operations", operations.as_ref().map(|door| door.listen)),
        ],
    );
    let (mut clients, mut officials) = (Vec::new(), BTreeMap::new());
    reader.tables("officials", |table| read_official(table, &mut officials));
    reader.tables("clients", |table| read_client(table, &officials, named.production, &mut clients));
    let mut heads = [None, None];
    let mut highest_marking = String::new();
    reader.table("treaty", |table| {
        heads = read_heads(table, named);
        highest_marking = table.or("highest_marking", String::new(), domestic::text);
    });
    let domestic = domestic::read(reader, highest_marking);
    let [head_certificate, peer_head_certificate] = heads;
    let mut store = None;
    reader.table("store", |table| store = read_store(table));
    let mut log = LogSettings { json: false, level: "info".to_owned() };
    reader.table("log", |table| {
        log.json = table.or("format", false, |text| one_of(text, &[("plain", false), ("json", true)]));
        log.level = table.or("level", log.level.clone(), log_level);
    });
    let Identity { signing, ledger_key, next_signing, next_ledger_key } = identity?;
    let (mut store, index, index_cache_bytes) = store?;
    store.rejections_per_second = rates.0;
    Some(Settings {
        file: PathBuf::new(),
        terms: terms?,
        stalled_after,
        receipt_overdue,
        signing,
        ledger_key,
        next_signing,
        next_ledger_key,
        key_overlap,
        head_certificate,
        peer_head_certificate,
        reads_per_second: rates.1,
        peer: peer?,
        backoffice: backoffice?,
        clients,
        officials,
        release,
        domestic,
        operations: operations?,
        store,
        index,
        index_cache_bytes,
        log,
    })
}

fn read_terms(table: &mut Reader, named: &mut Named) -> Option<Terms> {
    let environments = [("PRODUCTION", Environment::Production), ("TEST", Environment::Test)];
    let environment = table.required("environment", |text| one_of(&text.to_uppercase(), &environments));
    named.production = environment == Some(Environment::Production);
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

struct Identity {
    signing: KeyPair,
    ledger_key: PathBuf,
    next_signing: Option<KeyPair>,
    next_ledger_key: Option<PathBuf>,
}

fn read_identity(table: &mut Reader, named: &mut Named) -> Option<Identity> {
    named.signing_certificate = table.path("signing_certificate");
    named.signing_key = table.path("signing_key");
    named.ledger_key = table.path("ledger_key");
    let next = [table.optional_path("next_signing_certificate"), table.optional_path("next_signing_key")];
    let next_ledger_key = table.optional_path("next_ledger_key");
    let [next_certificate, next_key] = both(table, "next_signing_certificate", "next_signing_key", next);
    let signing = KeyPair::of(named.signing_certificate.clone(), named.signing_key.clone())?;
    let next_signing = KeyPair::of(next_certificate, next_key);
    Some(Identity { signing, ledger_key: named.ledger_key.clone()?, next_signing, next_ledger_key })
}

/// Whose word counts for the services. An accord needs both heads, so one without the other is a mistake.
fn read_heads(table: &mut Reader, named: &mut Named) -> [Option<PathBuf>; 2] {
    let heads = [table.optional_path("head_certificate"), table.optional_path("peer_head_certificate")];
    match &heads {
        [Some(_), None] => {
            table.mistake(
                "peer_head_certificate",
                "head_certificate needs that of the other Party".to_owned(),
            );
        }
        [None, Some(_)] => {
            table.mistake("head_certificate", "peer_head_certificate needs that of this Party".to_owned());
        }
        [None, None] if named.production => {
            let what = "in production the heads of both services designate the officials (Article 6.1): name their \
                        certificates here and in peer_head_certificate";
            table.mistake("head_certificate", what.to_owned());
        }
        _ => {}
    }
    let keys = ["treaty.head_certificate", "treaty.peer_head_certificate"];
    named.heads = keys.into_iter().zip(heads.clone()).filter_map(|(key, path)| Some((key, path?))).collect();
    heads
}

/// A certificate and its key: one without the other is a mistake.
pub(super) fn both(
    table: &mut Reader,
    certificate: &str,
    key: &str,
    paths: [Option<PathBuf>; 2],
) -> [Option<PathBuf>; 2] {
    match &paths {
        [Some(_), None] => table.mistake(key, format!("{certificate} needs its key")),
        [None, Some(_)] => table.mistake(certificate, format!("{key} needs its certificate")),
        _ => {}
    }
    paths
}

/// Four eyes can be set stricter than the environment asks, never looser.
fn read_release(table: &mut Reader, production: bool) -> Release {
    let names = [("reviewed", Release::Reviewed), ("named", Release::Named), ("free", Release::Free)];
    let default = if production { Release::Reviewed } else { Release::Free };
    let release = table.or("release", default, |text| one_of(text, &names));
    if production && release != Release::Reviewed {
        table.mistake(
            "release",
            "in production a second official reviews what is released: \"reviewed\"".into(),
        );
    }
    release
}

fn read_official(table: &mut Reader, officials: &mut BTreeMap<String, Official>) {
    let id = table.required("id", identifier);
    let roles = table.list("roles", role);
    if roles.is_empty() {
        table.mistake("roles", "name at least one role: without one an official may do nothing".to_owned());
    }
    let token_key = table.optional_path("token_key");
    if let Some(Err(mistake)) = token_key.as_deref().map(files::token_key) {
        table.mistake("token_key", mistake.to_string());
    }
    // A designated official sees all cases in the scope of his designation; others need to be cleared by name.
    let designated = roles.iter().any(|role| role == "DESIGNATED_OFFICIAL");
    let cleared = table.or("cleared", designated, |text| one_of(text, &[("true", true), ("false", false)]));
    let Some(id) = id else { return };
    if officials.insert(id.clone(), Official { roles, token_key, cleared }).is_some() {
        table.mistake("id", format!("two [[officials]] have the id {id}"));
    }
}

fn read_client(
    table: &mut Reader,
    officials: &BTreeMap<String, Official>,
    production: bool,
    clients: &mut Vec<Client>,
) {
    let name = table.required("name", identifier);
    let certificate = table.path("certificate");
    let key_id = certificate.as_deref().and_then(|path| {
        let key = files::client_key(path, production);
        key.map_err(|mistake| table.mistake("certificate", mistake.to_string())).ok()
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
    // In production a client is believed only where that is written down.
    let trusted = table.or("trusted", !production, |text| one_of(text, &[("true", true), ("false", false)]));
    let (Some(name), Some(certificate), Some(key_id)) = (name, certificate, key_id) else { return };
    if clients.iter().any(|client| client.name == name) {
        table.mistake("name", format!("two [[clients]] have the name {name}"));
    }
    if let Some(other) = clients.iter().find(|client| client.key_id == key_id) {
        table.mistake("certificate", format!("the client {} has the same key", other.name));
    }
    clients.push(Client { name, certificate, key_id, officials: may_act_for, trusted });
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
        StoreSettings {
            paths,
            key_file: key_file?,
            sizes: Sizes { segment_bytes, step_bytes },
            rejections_per_second: 0,
        },
        index,
        cache,
    ))
}
