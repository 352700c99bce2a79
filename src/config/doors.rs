//! The tables of the three doors.

use super::tables::both;
use super::values::{boolean, duration, host_and_port};
use super::{DoorSettings, KeyPair, Named, PeerSettings, Reader, files};
use crate::channel::retry::Backoff;
use crate::door::TlsSettings;
use crate::door::tls::RevocationPolicy;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// The door to the other Party, and the way to its door.
pub(super) fn read_peer(table: &mut Reader, named: &mut Named) -> Option<PeerSettings> {
    let pin_files = table.paths("pins");
    let mut pins = BTreeSet::new();
    for path in &pin_files {
        match files::pins_in(path, named.production) {
            Ok(found) => pins.extend(found),
            Err(mistake) => table.mistake("pins", mistake.to_string()),
        }
    }
    if pin_files.is_empty() {
        table.mistake("pins", "name at least one certificate file of the other Party's daemon".to_owned());
    }
    let door = read_door(table, "peer", RevocationPolicy::AlarmOnly, named);
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
    named.peer_signing_certificates.clone_from(&signing_certificates);
    named.peer_ledger_key.clone_from(&ledger_key);
    let default = Backoff::default();
    let backoff = Backoff {
        first: table.or("retry_first", default.first, duration),
        cap: table.or("retry_cap", default.cap, duration),
    };
    let hybrid = table.or("hybrid", true, boolean);
    let next = [table.optional_path("next_certificate"), table.optional_path("next_key")];
    let [next_certificate, next_key] = both(table, "next_certificate", "next_key", next);
    let mut door = door?;
    door.tls.pins = pins;
    door.tls.hybrid = hybrid;
    Some(PeerSettings {
        door,
        address: address?,
        server_name: server_name?,
        next: KeyPair::of(next_certificate, next_key),
        pins: pin_files,
        signing_certificates,
        ledger_key: ledger_key?,
        backoff,
    })
}

/// A door, and the files of its table.
pub(super) fn read_door(
    table: &mut Reader,
    name: &'static str,
    revocation_policy: RevocationPolicy,
    named: &mut Named,
) -> Option<DoorSettings> {
    let listen = table.required("listen", |text| {
        text.parse().map_err(|_| "an address with a port is expected, such as \"127.0.0.1:7601\"".to_owned())
    });
    let (certificate, key) = (table.path("certificate"), table.path("key"));
    let complete = certificate.is_some() && key.is_some();
    let authorities = table.paths("authorities");
    if authorities.is_empty() {
        table.mistake(
            "authorities",
            "name the file of the authority whose certificates are accepted".to_owned(),
        );
    }
    let reflection = table.or("reflection", true, boolean);
    let tls = TlsSettings {
        chain: certificate.unwrap_or_default(),
        key: key.unwrap_or_default(),
        authorities,
        revocation: table.optional_path("revocation_list"),
        revocation_policy,
        production: named.production,
        ..TlsSettings::default()
    };
    named.doors.push((name, tls.clone()));
    complete.then_some(DoorSettings { listen: listen?, tls, reflection })
}

/// A port that is given to two doors is opened by the first alone.
pub(super) fn one_door_each(reader: &mut Reader, doors: &[(&str, Option<SocketAddr>)]) {
    for (at, (name, listen)) in doors.iter().enumerate() {
        let Some(listen) = listen else { continue };
        let earlier =
            doors.iter().take(at).find(|(_, other)| other.is_some_and(|other| meet(*listen, other)));
        if let Some((other, _)) = earlier {
            reader.mistake(&format!("{name}.listen"), format!("the {other} door has this address already"));
        }
    }
}

fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}
