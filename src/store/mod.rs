//! Journal and vault read as one: committed events, opened.

mod proofs;

use crate::channel::lookup::{Lookup, lookups};
use crate::crypto::digest::{Digest, commitment};
use crate::journal::footer::{Fingerprint, fingerprint};
use crate::journal::frame::SealedEvent;
use crate::journal::reader::{ReadError, Reader, Stored};
use crate::vault::{Place, SealError, Vault};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Event, Item, Record};
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens committed events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    reader: Reader,
    vault: Arc<Vault>,
    recent: Arc<Recent>,
}

/// The events recorded last, opened: delivery, feeds and index all read them within moments.
#[derive(Debug)]
struct Recent(Vec<Mutex<Option<Arc<OpenedEvent>>>>);

/// Events kept opened. Their content is bounded by the size of a batch.
const RECENT_EVENTS: usize = 512;

/// A committed event with its record.
#[derive(Debug, Clone)]
pub struct OpenedEvent {
    /// Its ledger index.
    pub leaf: u64,
    /// The fact.
    pub event: Event,
    /// What is stored with it.
    pub record: Record,
    /// The envelope stored with it, decoded.
    pub envelope: Option<Arc<Envelope>>,
    commitment: Digest,
    item: StoredItem,
}

/// The content of an event, as it is at hand.
#[derive(Debug, Clone)]
enum StoredItem {
    None,
    Sealed(Stored),
    Open(Item),
}

/// Why a committed event cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The content does not open.
    #[error("event {leaf}: {source}")]
    Sealed {
        /// Its ledger index.
        leaf: u64,
        /// Why.
        source: SealError,
    },
    /// What opens is not an event of this software.
    #[error("event {0} cannot be decoded")]
    Undecodable(u64),
    /// What opens is not what the ledger commits to.
    #[error("event {0} is not the one the ledger commits to")]
    Uncommitted(u64),
}

impl Store {
    /// Joins a journal and its vault.
    pub fn new(reader: Reader, vault: Arc<Vault>) -> Self {
        let recent = Recent(std::iter::repeat_with(Mutex::default).take(RECENT_EVENTS).collect());
        Self { reader, vault, recent: Arc::new(recent) }
    }

    /// The journal.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The vault.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Opens one event.
    pub fn event(&self, leaf: u64) -> Result<Arc<OpenedEvent>, StoreError> {
        if leaf < self.reader.head().size
            && let Some(opened) = self.recent.get(leaf)
        {
            return Ok(opened);
        }
        let stored = self.reader.event(leaf)?;
        open(&self.vault, leaf, stored).map(Arc::new)
    }

    /// Opens the item of an event; `None` without one.
    pub fn item(&self, opened: &OpenedEvent) -> Result<Option<Item>, StoreError> {
        let stored = match &opened.item {
            StoredItem::None => return Ok(None),
            StoredItem::Open(item) => return Ok(Some(item.clone())),
            StoredItem::Sealed(stored) => stored,
        };
        let event = &stored.event;
        let place = Place { segment: stored.segment, leaf: opened.leaf, commitment: event.commitment };
        let bytes = self
            .vault
            .open_item(place, &event.seed, &event.item)
            .map_err(|source| StoreError::Sealed { leaf: opened.leaf, source })?;
        Item::decode(bytes.as_slice()).map(Some).map_err(|_| StoreError::Undecodable(opened.leaf))
    }

    /// Keeps an event that is about to be committed at hand. It is shown only once it is.
    pub fn remember(&self, opened: OpenedEvent) {
        self.recent.put(opened);
    }

    /// The newest event found by a name, confirmed.
    pub fn find(&self, lookup: &Lookup) -> Result<Option<Arc<OpenedEvent>>, StoreError> {
        self.find_from(lookup, 0)
    }

    /// The newest event from index `from` on that is found by a name, confirmed.
    pub fn find_from(&self, lookup: &Lookup, from: u64) -> Result<Option<Arc<OpenedEvent>>, StoreError> {
        let fingerprint = name_fingerprint(lookup);
        // Sequences occur once, so the newest hit is the event but for a collision.
        if !matches!(lookup, Lookup::Message(_)) {
            let newest = self.reader.find_newest(fingerprint, from)?;
            match newest.map(|leaf| self.confirm(leaf, lookup)).transpose()? {
                Some(Some(opened)) => return Ok(Some(opened)),
                Some(None) => {}
                None => return Ok(None),
            }
        }
        for leaf in self.reader.find(fingerprint, from)? {
            if let Some(opened) = self.confirm(leaf, lookup)? {
                return Ok(Some(opened));
            }
        }
        Ok(None)
    }

    /// Ledger indexes of the events that have a name's fingerprint, the newest first; one may be a collision.
    pub fn named(&self, lookup: &Lookup) -> Result<Vec<u64>, StoreError> {
        Ok(self.reader.find(name_fingerprint(lookup), 0)?)
    }

    /// The signed checkpoint with which the other Party's head of this size was accepted, where it is held.
    pub fn accepted_note(&self, size: u64) -> Option<String> {
        let found = self.find(&Lookup::Accepted(size)).ok()??;
        found.record.notes.first().cloned()
    }

    /// The checkpoint of this ledger that the other Party cosigned last, with its cosignature.
    pub fn last_cosigned(&self) -> Result<Option<String>, StoreError> {
        Ok(self.find(&Lookup::Cosigned)?.and_then(|found| found.record.notes.first().cloned()))
    }

    fn confirm(&self, leaf: u64, lookup: &Lookup) -> Result<Option<Arc<OpenedEvent>>, StoreError> {
        let opened = self.event(leaf)?;
        let found =
            lookups(&opened.event, opened.envelope.as_deref(), &opened.record.effect).contains(lookup);
        Ok(found.then_some(opened))
    }
}

impl Recent {
    fn get(&self, leaf: u64) -> Option<Arc<OpenedEvent>> {
        let found = self.slot(leaf)?.lock().unwrap_or_else(PoisonError::into_inner).clone();
        found.filter(|opened| opened.leaf == leaf)
    }

    fn put(&self, opened: OpenedEvent) {
        if let Some(slot) = self.slot(opened.leaf) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(opened));
        }
    }

    fn slot(&self, leaf: u64) -> Option<&Mutex<Option<Arc<OpenedEvent>>>> {
        self.0.get(usize::try_from(leaf).ok()? % RECENT_EVENTS)
    }
}

impl OpenedEvent {
    /// An event on its way into the journal.
    pub fn new(
        leaf: u64,
        commitment: Digest,
        event: Event,
        record: Record,
        envelope: Option<Arc<Envelope>>,
        item: Option<Item>,
    ) -> Self {
        let item = item.map_or(StoredItem::None, StoredItem::Open);
        Self { leaf, event, record, envelope, commitment, item }
    }

    /// The ledger's leaf entry.
    pub fn commitment(&self) -> Digest {
        self.commitment
    }
}

/// Fingerprint of a look-up name.
pub fn name_fingerprint(lookup: &Lookup) -> Fingerprint {
    fingerprint(&[&lookup.name()])
}

/// Opens a stored event and checks it against its commitment.
pub fn open(vault: &Vault, leaf: u64, stored: Stored) -> Result<OpenedEvent, StoreError> {
    let SealedEvent { commitment: committed, ref seed, ref record, .. } = stored.event;
    let place = Place { segment: stored.segment, leaf, commitment: committed };
    let bytes =
        vault.open_record(place, seed, record).map_err(|source| StoreError::Sealed { leaf, source })?;
    let record = Record::decode(bytes.as_slice()).map_err(|_| StoreError::Undecodable(leaf))?;
    let salt: &[u8; 32] = record.salt.as_ref().try_into().map_err(|_| StoreError::Undecodable(leaf))?;
    if commitment(salt, &record.event) != committed {
        return Err(StoreError::Uncommitted(leaf));
    }
    let event = Event::decode(record.event.clone()).map_err(|_| StoreError::Undecodable(leaf))?;
    let envelope = match record.envelope.is_empty() {
        true => None,
        false => Some(Envelope::decode(record.envelope.clone()).map_err(|_| StoreError::Undecodable(leaf))?),
    };
    let envelope = envelope.map(Arc::new);
    let item = if stored.event.item.is_empty() { StoredItem::None } else { StoredItem::Sealed(stored) };
    Ok(OpenedEvent { leaf, event, record, envelope, commitment: committed, item })
}
