//! The current keys, certificates and trust of one TLS party, behind one swap.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{ClientConfig, ServerConfig};
use tokio::sync::watch;

use super::material::Material;
use super::settings::{TlsError, TlsSettings};
use crate::crypto::{Certificate, Digest};

/// One TLS party: server, client or both. What it works with is replaced whole or not at all.
pub struct TlsState {
    current: ArcSwap<Material>,
    generation: watch::Sender<u64>,
    /// Reloads follow one another: the last one to begin must not be overtaken by an older one.
    reloading: Mutex<()>,
}

/// What was read and is not yet in force.
pub struct Staged(Material);

impl TlsState {
    /// Reads the files and builds the first state. Blocks on the file system.
    ///
    /// # Errors
    /// [`TlsError`] tells which file is at fault and how.
    pub fn load(settings: TlsSettings) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self {
            current: ArcSwap::from_pointee(Material::load(settings)?),
            generation: watch::Sender::new(0),
            reloading: Mutex::new(()),
        }))
    }

    /// Reads the same files again; returns how many changed. Blocks on the file system.
    ///
    /// # Errors
    /// As [`Self::load`]; then the old state stays in force, whole.
    pub fn reload(&self) -> Result<usize, TlsError> {
        self.reconfigure(self.settings())
    }

    /// Takes other settings (pins, files, policies); returns how many files are not as they were. Blocks on the file
    /// system.
    ///
    /// # Errors
    /// As [`Self::load`]; then the old state stays in force, whole.
    pub fn reconfigure(&self, settings: TlsSettings) -> Result<usize, TlsError> {
        let _turn = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.put(Self::stage(settings)?))
    }

    /// Reads files without putting them into force: for those who reload several parties, all of them or none. Blocks
    /// on the file system.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn stage(settings: TlsSettings) -> Result<Staged, TlsError> {
        Ok(Staged(Material::load(settings)?))
    }

    /// Puts into force what was staged; returns how many files are not as they were.
    pub fn commit(&self, staged: Staged) -> usize {
        let _turn = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(staged)
    }

    /// What is in force.
    pub fn settings(&self) -> TlsSettings {
        self.current.load().settings.clone()
    }

    /// Rises with every state that differs from the one before.
    pub fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// Tells of every new generation.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// For accepting: take it anew for each connection.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.current.load().server.clone()
    }

    /// For dialling: take it anew for each connection.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        self.current.load().client.clone()
    }

    /// Own certificate: its end of validity is worth an alarm before it comes.
    pub fn certificate(&self) -> Arc<Certificate> {
        self.current.load().leaf.clone()
    }

    /// The keys accepted from the other side; empty: any certified key.
    pub fn pins(&self) -> Vec<Digest> {
        self.current.load().settings.pins.iter().copied().collect()
    }

    /// How many revocation lists were to be replaced before `now`, or never say when they are.
    pub fn stale_lists(&self, now: SystemTime) -> usize {
        let current = self.current.load();
        current.next_updates.iter().filter(|next| next.is_none_or(|next| next < now)).count()
    }

    /// Judges a client's chain by the current state, as a new handshake would.
    ///
    /// # Errors
    /// What the handshake would have failed with.
    pub fn judge_client(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), rustls::Error> {
        let (leaf, intermediates) = chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
        self.current.load().clients.verify_client_cert(leaf, intermediates, now).map(|_| ())
    }

    fn put(&self, Staged(new): Staged) -> usize {
        let old = self.current.load_full();
        let changed = new.files.iter().filter(|file| !old.files.contains(file)).count();
        if changed > 0 || new.settings != old.settings {
            self.current.store(Arc::new(new));
            self.generation.send_modify(|generation| *generation = generation.wrapping_add(1));
        }
        changed
    }
}

/// Generation alone: what it holds is secret or names people.
impl fmt::Debug for TlsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsState(generation {})", self.generation())
    }
}
