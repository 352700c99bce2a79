//! Keys and certificates read anew while the daemon runs: all of them, or none.

use super::AsyncReload;
use super::material::{callers, client_keys, heads, own_keys, peer_tls, trusted};
use crate::backoffice::roster::Roster;
use crate::config::Settings;
use crate::crypto::digest::Digest;
use crate::door::TlsState;
use crate::door::throttle::Throttle;
use crate::exchange::engine::Engine;
use crate::operations::keys::Keys;
use crate::peer::Trust;
use crate::wire::ledger::v1::{ConfigurationChanged, event::Fact};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How often the files are looked at for changes.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often the log tells of the same stale list.
const ALARM_INTERVAL: Duration = Duration::from_secs(3600);

/// What is read anew: everything of [`Settings`] that is a file.
#[derive(Debug)]
pub(super) struct Material {
    pub settings: Settings,
    /// Whose ledger tells of keys that came into use and went out of it.
    pub engine: Engine,
    /// Name and state of each door.
    pub doors: [(&'static str, Arc<TlsState>); 3],
    pub trust: Arc<ArcSwap<Trust>>,
    pub roster: Roster,
    /// The files beside those of the doors, as they were read. Held while files are read, so that no reload is
    /// overtaken by an older one.
    pub others: Mutex<Vec<(PathBuf, Option<Digest>)>>,
}

impl Material {
    /// The files beside those of the doors, as they are now.
    pub fn others(settings: &Settings) -> Vec<(PathBuf, Option<Digest>)> {
        let peer = &settings.peer;
        let clients = settings.clients.iter().map(|client| &client.certificate);
        let pairs = settings.next_signing.iter().chain(&settings.peer.next).chain([&settings.signing]);
        let own = pairs.flat_map(|pair| [&pair.certificate, &pair.key]);
        let own = own.chain(&settings.next_ledger_key).chain([&settings.ledger_key]);
        let paths = peer
            .signing_certificates
            .iter()
            .chain([&peer.ledger_key])
            .chain(&peer.pins)
            .chain(&settings.head_certificate)
            .chain(&settings.peer_head_certificate)
            .chain(clients)
            .chain(own);
        paths.map(|path| (path.clone(), std::fs::read(path).ok().map(|bytes| Digest::of(&bytes)))).collect()
    }
}

impl Material {
    /// Digest of the configuration and of the public files it names; a file that is not there counts as such.
    fn digest(&self) -> Digest {
        let Settings { peer, backoffice, operations, signing, next_signing, clients, file, .. } =
            &self.settings;
        let doors = [&peer.door, backoffice, operations].into_iter().flat_map(|door| {
            std::iter::once(&door.tls.chain).chain(&door.tls.authorities).chain(&door.tls.revocation)
        });
        let next = next_signing.iter().chain(&peer.next).map(|pair| &pair.certificate);
        let paths = std::iter::once(file).chain([&signing.certificate]).chain(next).chain(doors);
        let paths = paths.chain(&peer.pins).chain(&peer.signing_certificates).chain([&peer.ledger_key]);
        let paths = paths.chain(clients.iter().map(|client| &client.certificate));
        let paths = paths.chain(&self.settings.head_certificate).chain(&self.settings.peer_head_certificate);
        let digests = paths.map(|path| std::fs::read(path).map_or(Digest::ZERO, |bytes| Digest::of(&bytes)));
        Digest::of(&digests.flat_map(|digest| *digest.as_bytes()).collect::<Vec<_>>())
    }

    /// Records, once, that the configuration is another than before.
    pub async fn note_configuration(self: &Arc<Self>) {
        let material = self.clone();
        let Ok(digest) = tokio::task::spawn_blocking(move || material.digest()).await else { return };
        if self.engine.state().configuration() == digest {
            return;
        }
        let fact = Fact::ConfigurationChanged(ConfigurationChanged { digest: digest.to_bytes() });
        if let Err(error) = self.engine.note(fact).await {
            tracing::warn!(%error, "a change of the configuration is not recorded");
        }
    }
}

impl Keys for Material {
    /// Everything is read and understood before the first thing is put into force.
    fn reload(&self) -> Result<usize, String> {
        let mut before = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Self::others(&self.settings);
        let mut mistakes = Vec::new();
        let state = self.engine.state();
        let peer = peer_tls(&self.settings, state.keys());
        let peer = peer.map_err(|mistake| mistakes.push(mistake.to_string())).ok();
        let mut staged = Vec::new();
        for (name, door) in &self.doors {
            let mut settings = door.settings();
            if let (&"peer", Some(peer)) = (name, &peer) {
                settings.clone_from(peer);
            }
            match TlsState::stage(settings) {
                Ok(new) => staged.push((door, new)),
                Err(error) => mistakes.push(format!("{name}: {error}")),
            }
        }
        let trust = trusted(&self.settings).map_err(|mistake| mistakes.push(mistake.to_string())).ok();
        let keys = client_keys(&self.settings).map_err(|mistake| mistakes.push(mistake.to_string())).ok();
        let heads = heads(&self.settings).map_err(|mistake| mistakes.push(mistake.to_string())).ok();
        let own = own_keys(&self.settings).map_err(|mistake| mistakes.push(mistake.to_string())).ok();
        // Without the keys in force nothing could be signed any more.
        let own = own.filter(|own| {
            match own.signing(state.keys()).map(drop).and(own.ledger(state.keys()).map(drop)) {
                Ok(()) => true,
                Err(missing) => {
                    mistakes.push(missing.to_string());
                    false
                }
            }
        });
        let (Some(trust), Some(keys), Some(own), Some(heads), true) =
            (trust, keys, own, heads, mistakes.is_empty())
        else {
            return Err(mistakes.join("; "));
        };
        let mut changed: usize = staged.into_iter().map(|(door, new)| door.commit(new)).sum();
        // Whether or not a file differs: what was read before this daemon first looked may be older than its files.
        self.trust.store(Arc::new(trust));
        self.engine.core().keys.store(Arc::new(own));
        self.engine.core().heads.store(Arc::new(heads));
        self.roster.replace(callers(&self.settings, &keys, Some(&self.roster.now())));
        changed += now.iter().filter(|file| !before.contains(file)).count();
        *before = now;
        Ok(changed)
    }

    fn stale_lists(&self) -> Vec<&'static str> {
        let now = SystemTime::now();
        self.doors.iter().filter(|(_, tls)| tls.stale_lists(now) > 0).map(|(name, _)| *name).collect()
    }
}

/// Puts keys of the door to the other Party into force as the ledger tells of them.
pub(super) async fn follow_keys(material: Arc<Material>) {
    let mut progress = material.engine.progress();
    // Whatever came between the opening of the doors and this is put into force once more.
    let mut version = 0;
    loop {
        let now = progress.borrow_and_update().state.keys().version();
        if std::mem::replace(&mut version, now) != now {
            let reloaded = material.clone();
            match tokio::task::spawn_blocking(move || reloaded.reload()).await {
                Ok(Ok(_)) => tracing::info!("the keys that the ledger tells of are in force"),
                Ok(Err(error)) => tracing::error!(%error, "keys cannot be changed as the ledger tells"),
                Err(error) => tracing::error!(%error, "the change of keys was cut short"),
            }
        }
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// Reads the files anew when asked and from time to time, and tells of revocation lists that are out of date.
pub(super) async fn keep_fresh(material: Arc<Material>, mut asked: impl AsyncReload) {
    let quiet = Throttle::new(ALARM_INTERVAL);
    alarm(&material, &quiet);
    loop {
        let on_request = tokio::select! {
            () = asked.asked() => true,
            () = tokio::time::sleep(INTERVAL) => false,
        };
        let reloaded = material.clone();
        match tokio::task::spawn_blocking(move || reloaded.reload()).await {
            Ok(Ok(0)) if !on_request => {}
            Ok(Ok(changed_files)) => tracing::info!(changed_files, "certificates are read anew"),
            Ok(Err(error)) => {
                tracing::error!(%error, "certificates cannot be read anew; the old ones stay in force")
            }
            Err(error) => tracing::error!(%error, "the reload was cut short"),
        }
        alarm(&material, &quiet);
        material.note_configuration().await;
    }
}

fn alarm(material: &Material, quiet: &Throttle) {
    let doors = material.stale_lists();
    if !doors.is_empty() && quiet.admit().is_some() {
        let doors = doors.join(", ");
        tracing::warn!(
            doors,
            "a revocation list is past the time it was to be replaced: fetch the authority's newest"
        );
    }
}
