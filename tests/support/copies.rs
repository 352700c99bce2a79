//! Copies of stores put in the place of their originals, and what two stores then hold.

use super::bundles::article6;
use super::parties::Parties;
use article6::commands::homes::Home;
use article6::crypto::digest::Digest;
use article6::disk::{Disk, SystemDisk};
use article6::exchange::start::open_for_reading;
use article6::store::{OpenedEvent, Store};
use article6::wire::channel::v1::StatementType;
use article6::wire::ledger::v1::event::Fact;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

/// Every envelope's digest, by sender, epoch and sequence.
pub type Places = BTreeMap<(String, u32, u64), Digest>;

/// Copies the store while its daemon runs.
pub fn backup(home: &Home, name: &str) -> PathBuf {
    let dir = home.folder.join(name);
    let made = article6(&["backup", dir.to_str().unwrap(), "--config", home.config().to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

/// Puts a copy in the place of the store; the original is kept apart.
pub fn put_back(home: &Home, copy: &Path) {
    for (part, copied) in [("store", "store"), ("head/head", "head")] {
        let here = home.folder.join(part);
        std::fs::rename(&here, here.with_extension(format!("lost-{}", copy.file_name().unwrap().display())))
            .unwrap();
        std::fs::rename(copy.join(copied), here).unwrap();
    }
}

pub fn restore(home: &Home) -> Output {
    article6(&["restore", "--reason", "a test", "--config", home.config().to_str().unwrap()])
}

/// Restores; returns what the command told.
pub fn restored(home: &Home) -> String {
    let output = restore(home);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every event of a stopped daemon's store, with its store.
pub fn events(home: &Home) -> (Store, Vec<Arc<OpenedEvent>>) {
    let settings = article6::config::read(&home.config()).unwrap();
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (store, ..) = open_for_reading(&disk, &settings.store, &settings.terms).unwrap();
    let events = (0..store.reader().head().size).map(|leaf| store.event(leaf).unwrap()).collect();
    (store, events)
}

/// Every envelope that a stopped store tells of, by sender, epoch and sequence; and the messages it holds now.
pub fn envelopes(home: &Home, all: &mut Places) -> BTreeSet<Vec<u8>> {
    let mut messages = BTreeSet::new();
    for opened in events(home).1 {
        let Some(envelope) = &opened.envelope else { continue };
        let digest = Digest::of(&opened.record.envelope);
        let place = (envelope.sender.clone(), envelope.epoch, envelope.sequence);
        let before = all.insert(place.clone(), digest);
        assert!(before.is_none_or(|before| before == digest), "{place:?} was used twice");
        if matches!(opened.event.fact, Some(Fact::Sealed(_) | Fact::Received(_)))
            && envelope.statement_type == StatementType::Treaty as i32
        {
            messages.insert(envelope.message_id.to_vec());
        }
    }
    messages
}

/// Both stopped stores are sound, hold the same messages, and used no place twice; returns the messages.
pub fn agreed(parties: &Parties) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeMap::new();
    let (us, kz) = (envelopes(&parties.us, &mut all), envelopes(&parties.kz, &mut all));
    assert_eq!(us, kz, "both hold the same messages");
    for home in [&parties.us, &parties.kz] {
        let output = article6(&["verify", home.folder.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    us
}
