//! The keys of one store, wrapped under its key-encryption key, one small file each.
//!
//! # Layout of a wrapped key, 96 bytes
//!
//! ```text
//! offset size
//!      0    8  magic "A6KEY" 00 00 01
//!      8   32  seed
//!     40   48  the key, sealed under the key-encryption key; bound to the store and the key's name
//!     88    4  zero
//!     92    4  CRC32C of bytes 0..92, little-endian
//! ```

use crate::crypto::aead::{self, Key};
use crate::crypto::random;
use crate::disk::{Disk, read_file, write_file};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: [u8; 8] = *b"A6KEY\0\0\x01";
const LABEL: &str = "article6/wrapped-key/1";
const METADATA: &str = "metadata";
/// Segment keys kept in memory; others are read again when needed.
const CACHED_KEYS: usize = 64;

/// Why a key of the store cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file is not there.
    #[error("the store's key {0} is missing: restore the store from a backup")]
    Missing(PathBuf),
    /// The file is damaged.
    #[error("the store's key {0} is damaged: restore the store from a backup")]
    Damaged(PathBuf),
    /// The key-encryption key is not the store's.
    #[error("the key file does not open {0}: [store] key_file names the key of another store")]
    WrongKey(PathBuf),
    /// No randomness.
    #[error("the system gave no random bytes")]
    Random,
    /// The file system failed.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// The open vault of one store.
#[derive(Debug)]
pub struct Vault {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    store: [u8; 16],
    key_encryption_key: Key,
    metadata: Key,
    segments: Mutex<BTreeMap<u64, Arc<Key>>>,
}

impl Vault {
    /// Creates the vault of a new store with its metadata key.
    pub fn create(
        disk: Arc<dyn Disk>,
        data: &Path,
        store: [u8; 16],
        key_encryption_key: Key,
    ) -> Result<Self, VaultError> {
        let folder = data.join("vault");
        disk.create_dir(&folder).map_err(|error| VaultError::Io(folder.clone(), error))?;
        let metadata = Key::generate().map_err(|_| VaultError::Random)?;
        let vault = Self { disk, folder, store, key_encryption_key, metadata, segments: Mutex::default() };
        vault.write(METADATA, &vault.metadata)?;
        vault.disk.sync_dir(data).map_err(|error| VaultError::Io(data.to_owned(), error))?;
        Ok(vault)
    }

    /// Opens the vault of a store.
    pub fn open(
        disk: Arc<dyn Disk>,
        data: &Path,
        store: [u8; 16],
        key_encryption_key: Key,
    ) -> Result<Self, VaultError> {
        let folder = data.join("vault");
        let metadata = read(disk.as_ref(), &folder, store, &key_encryption_key, METADATA)?;
        Ok(Self { disk, folder, store, key_encryption_key, metadata, segments: Mutex::default() })
    }

    /// The key that records are sealed under.
    pub(super) fn metadata_key(&self) -> &Key {
        &self.metadata
    }

    /// Identifier of the store, bound into everything sealed.
    pub(super) fn store(&self) -> &[u8; 16] {
        &self.store
    }

    /// The key of an existing segment.
    pub fn segment_key(&self, segment: u64) -> Result<Arc<Key>, VaultError> {
        if let Some(key) = self.cached().get(&segment) {
            return Ok(key.clone());
        }
        let name = name(segment);
        let key =
            Arc::new(read(self.disk.as_ref(), &self.folder, self.store, &self.key_encryption_key, &name)?);
        self.remember(segment, &key);
        Ok(key)
    }

    /// Makes sure that a segment has a key, durable before this returns.
    pub fn ensure_segment_key(&self, segment: u64) -> Result<(), VaultError> {
        match self.segment_key(segment) {
            Err(VaultError::Missing(_)) => {}
            other => return other.map(drop),
        }
        let key = Arc::new(Key::generate().map_err(|_| VaultError::Random)?);
        self.write(&name(segment), &key)?;
        self.remember(segment, &key);
        Ok(())
    }

    fn remember(&self, segment: u64, key: &Arc<Key>) {
        let mut cached = self.cached();
        cached.insert(segment, key.clone());
        if cached.len() > CACHED_KEYS {
            cached.pop_first();
        }
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Key>>> {
        // A cache cannot be left half-changed in a way that matters.
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, name: &str, key: &Key) -> Result<(), VaultError> {
        let path = self.folder.join(format!("{name}.key"));
        let seed = random::array::<32>().map_err(|_| VaultError::Random)?;
        let sealed = aead::wrap(&self.key_encryption_key, &seed, LABEL, &aad(&self.store, name), key)
            .map_err(|_| VaultError::Damaged(path.clone()))?;
        let mut bytes = [&MAGIC[..], &seed, &sealed, &[0; 4]].concat();
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        write_file(self.disk.as_ref(), &path, &bytes).map_err(|error| VaultError::Io(path, error))
    }
}

/// Path of a segment's wrapped key in the folder of a store; of the metadata key for `None`.
pub fn wrapped_key_path(data: &Path, segment: Option<u64>) -> PathBuf {
    let name = segment.map_or_else(|| METADATA.to_owned(), name);
    data.join("vault").join(format!("{name}.key"))
}

/// Whether a wrapped key's file is undamaged. Whether the key opens is known to who holds the key-encryption key.
pub fn is_wrapped_key(bytes: &[u8]) -> bool {
    content(bytes).is_some()
}

fn content(bytes: &[u8]) -> Option<&[u8; 92]> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    let content: &[u8; 92] = content.try_into().ok()?;
    let sound =
        content[..8] == MAGIC && crc32c::crc32c(content).to_le_bytes() == *crc && content[88..] == [0; 4];
    sound.then_some(content)
}

fn read(
    disk: &dyn Disk,
    folder: &Path,
    store: [u8; 16],
    key_encryption_key: &Key,
    name: &str,
) -> Result<Key, VaultError> {
    let path = folder.join(format!("{name}.key"));
    let bytes = read_file(disk, &path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => VaultError::Missing(path.clone()),
        _ => VaultError::Io(path.clone(), error),
    })?;
    let damaged = || VaultError::Damaged(path.clone());
    let content = content(&bytes).ok_or_else(damaged)?;
    let mut seed = [0; 32];
    seed.copy_from_slice(&content[8..40]);
    let key = aead::open(key_encryption_key, &seed, LABEL, &aad(&store, name), &content[40..88])
        .map_err(|_| VaultError::WrongKey(path.clone()))?;
    let key: [u8; 32] = key.as_slice().try_into().map_err(|_| damaged())?;
    Ok(Key::from_bytes(key))
}

fn name(segment: u64) -> String {
    format!("{segment:012}")
}

fn aad(store: &[u8; 16], name: &str) -> Vec<u8> {
    [store.as_slice(), name.as_bytes()].concat()
}
