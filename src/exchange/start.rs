//! Founding a store, and opening one: `Founded` is its first event, `Started` the first of every run.

use super::agreement::{Agreement, Heads};
use super::case_cache::Cases;
use super::clock::Clock;
use super::commit::{Committer, Progress};
use super::engine::{Engine, QUEUE_COMMANDS, Queues};
use super::event::{Attachments, prepare};
use super::keys::{KeyMissing, OwnKeys};
use super::pace::Pace;
use super::quarantine::Quarantine;
use super::readers::Readers;
use super::writer::{Core, Desk, run, sign_checkpoint};
use crate::channel::lookup::lookups;
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::digest::Digest;
use crate::crypto::random;
use crate::disk::{Disk, DiskFile};
use crate::journal::footer::Fingerprint;
use crate::journal::frame::SealedEvent;
use crate::journal::identity::{Identity, IdentityError};
use crate::journal::open::{self as journal, Fold, OpenError};
use crate::journal::reader::Stored;
use crate::journal::writer::{Persister, Writer};
use crate::journal::{Paths, Sizes, StoreId};
use crate::store::{Store, name_fingerprint, open as open_event};
use crate::vault::{KeyFileError, Vault, VaultError, create_key_file, read_key_file};
use crate::wire::ledger::v1::{Event, Founded, Started, event::Fact};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};

/// Where a store is and how it grows.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Folder of the store and path of the head file.
    pub paths: Paths,
    /// File of the key-encryption key.
    pub key_file: PathBuf,
    /// Sizes of segments and allocation steps.
    pub sizes: Sizes,
    /// Messages of the other Party that may be turned down in a second, each of which is an event for ever.
    pub rejections_per_second: u32,
}

/// Who keeps the ledger, with which keys.
#[derive(Debug)]
pub struct Keeper {
    /// Who talks to whom.
    pub terms: Terms,
    /// What is configured to sign with; a store is founded with the first of each use.
    pub keys: OwnKeys,
    /// Whose signatures are those of the heads of service.
    pub heads: Heads,
}

/// Why a store cannot be founded or opened. Nothing on disk has changed, unless founding was cut short.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder is not this daemon's store.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key-encryption key cannot be had.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A key of the store cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The journal does not open.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The ledger is kept with other keys than are configured.
    #[error(transparent)]
    OtherKey(#[from] KeyMissing),
    /// Something that cannot be done.
    #[error("{0}")]
    Failed(String),
}

/// Founds a store: identity, keys, journal and its first event.
pub fn found(
    disk: &Arc<dyn Disk>,
    settings: &StoreSettings,
    keeper: &Keeper,
    recovery_key_digest: Digest,
    clock: &dyn Clock,
) -> Result<(), StartError> {
    let failed = |error: &dyn Error| StartError::Failed(error.to_string());
    let store = StoreId(random::array().map_err(|error| failed(&error))?);
    let terms = &keeper.terms;
    let signing_key = keeper.keys.signing.first().ok_or(KeyMissing("signing key"))?;
    let ledger_key = keeper.keys.ledger.first().ok_or(KeyMissing("ledger key"))?;
    if Identity::read(disk.as_ref(), &settings.paths).is_ok() {
        return Err(IdentityError::Exists(settings.paths.data.clone()).into());
    }
    let key = create_key_file(disk.as_ref(), &settings.key_file)?;
    let vault = Vault::create(disk.clone(), &settings.paths.data, store.0, key)?;
    vault.ensure_segment_key(0)?;
    let (mut writer, mut persister) =
        journal::create(disk.clone(), settings.paths.clone(), store, settings.sizes)?;
    let founded = Founded {
        environment: terms.environment.into(),
        agreement_id: terms.agreement.clone(),
        party: terms.party.clone(),
        counterparty: terms.counterparty.clone(),
        signing_key: Bytes::copy_from_slice(signing_key.certificate().spki_der()),
        ledger_key: Bytes::copy_from_slice(&ledger_key.public()),
        recovery_key_digest: recovery_key_digest.to_bytes(),
        nonce: Bytes::copy_from_slice(&random::array::<16>().map_err(|error| failed(&error))?),
    };
    let event = Event { recorded_at: Some(clock.now()), epoch: 1, fact: Some(Fact::Founded(founded)) };
    let prepared =
        prepare(&vault, 0, 0, &event, None, Attachments::default()).map_err(|error| failed(&error))?;
    let staged =
        writer.stage(vec![prepared.new], |size, root| sign_checkpoint(terms, ledger_key, 1, size, *root));
    persister.persist(staged).map_err(|error| failed(&error))?;
    // The identity last: a folder without it is no store, and a founding that was cut short is none.
    let identity = Identity {
        store,
        environment: terms.environment_name().to_owned(),
        agreement: terms.agreement.clone(),
        party: terms.party.clone(),
        counterparty: terms.counterparty.clone(),
    };
    Ok(identity.create(disk.as_ref(), &settings.paths)?)
}

/// Opens a store that nobody runs, to read it: also returns its state and its lock.
pub fn open_for_reading(
    disk: &Arc<dyn Disk>,
    settings: &StoreSettings,
    terms: &Terms,
) -> Result<(Store, State, Arc<dyn DiskFile>), StartError> {
    let opened = open(disk, settings, terms)?;
    Ok((opened.store, opened.state, opened.lock))
}

struct OpenedStore {
    store: Store,
    state: State,
    writer: Writer,
    persister: Persister,
    lock: Arc<dyn DiskFile>,
}

fn open(disk: &Arc<dyn Disk>, settings: &StoreSettings, terms: &Terms) -> Result<OpenedStore, StartError> {
    let (identity, lock) = Identity::lock(disk.as_ref(), &settings.paths)?;
    identity.expect(terms.environment_name(), &terms.agreement, &terms.party, &terms.counterparty)?;
    let key = read_key_file(disk.as_ref(), &settings.key_file)?;
    let vault = Arc::new(Vault::open(disk.clone(), &settings.paths.data, identity.store.0, key)?);
    let mut fold = StateFold { vault: vault.clone(), state: State::default() };
    let (writer, persister, reader) =
        journal::open(disk.clone(), settings.paths.clone(), identity.store, settings.sizes, &mut fold)?;
    vault.ensure_segment_key(writer.segment())?;
    Ok(OpenedStore { store: Store::new(reader, vault), state: fold.state, writer, persister, lock })
}

/// Opens a store, folds its state, and starts the engine with the `Started` event of this run.
pub fn start(
    disk: &Arc<dyn Disk>,
    settings: &StoreSettings,
    keeper: Keeper,
    clock: Arc<dyn Clock>,
) -> Result<Engine, StartError> {
    let failed = |error: &dyn Error| StartError::Failed(error.to_string());
    let OpenedStore { store, state, writer, persister, lock } = open(disk, settings, &keeper.terms)?;
    // The ledger says whose it is; other keys must be introduced, not swapped.
    keeper.keys.signing(state.keys())?;
    keeper.keys.ledger(state.keys())?;

    let agreement = Agreement::read(&store, &state, &keeper.terms).map_err(|error| failed(&error))?;
    let agreement = Arc::new(agreement);
    let progress = Progress {
        state: Arc::new(state.clone()),
        agreement: agreement.clone(),
        commits: 0,
        syncs: 0,
        failure: None,
    };
    let (progress, watched) = watch::channel(progress);
    let committer = Committer::start(persister, progress.clone()).map_err(|error| failed(&error))?;
    let Keeper { terms, keys, heads } = keeper;
    let (heads, alerts) = (ArcSwap::from_pointee(heads), Default::default());
    let keys = ArcSwap::from_pointee(keys);
    let quarantine = match state.is_restoring() {
        true => Quarantine::unfinished(clock.now()),
        false => Quarantine::new(state.peer_head().size > 0),
    };
    let (readers, rejections) = (Readers::default(), Pace::per_second(settings.rejections_per_second));
    let cases = Arc::new(Cases::new(store.clone()));
    let core =
        Arc::new(Core { terms, keys, clock, store, cases, readers, quarantine, rejections, heads, alerts });
    let mut desk = Desk::new(core.clone(), (state, agreement), writer, committer);
    let nonce = Bytes::copy_from_slice(&random::array::<16>().map_err(|error| failed(&error))?);
    desk.begin(Fact::Started(Started { nonce, version: env!("CARGO_PKG_VERSION").to_owned() }))
        .map_err(|error| failed(&error))?;

    let (first, first_queue) = mpsc::channel(QUEUE_COMMANDS);
    let (second, second_queue) = mpsc::channel(QUEUE_COMMANDS);
    std::thread::Builder::new()
        .name("decide".into())
        .spawn(move || {
            run(desk, first_queue, second_queue, &progress);
            drop(lock);
        })
        .map_err(|error| failed(&error))?;
    let queues = Arc::new(Mutex::new(Some(Queues { first, second })));
    Ok(Engine { core, progress: watched, queues })
}

/// Folds the state while the journal is read.
pub struct StateFold {
    /// Opens the records.
    pub vault: Arc<Vault>,
    /// The state so far.
    pub state: State,
}

impl Fold for StateFold {
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let bytes = self.vault.open_snapshot(snapshot)?;
        self.state = State::decode(&bytes).ok_or("the state in the footer cannot be decoded")?;
        Ok(())
    }

    fn event(
        &mut self,
        leaf: u64,
        segment: u64,
        event: &SealedEvent,
    ) -> Result<Vec<Fingerprint>, Box<dyn Error + Send + Sync>> {
        let opened = open_event(&self.vault, leaf, Stored { event: event.clone(), segment })?;
        self.state.apply(&opened.event, opened.envelope.as_deref())?;
        Ok(lookups(&opened.event, opened.envelope.as_deref(), &opened.record.effect)
            .iter()
            .map(name_fingerprint)
            .collect())
    }
}
