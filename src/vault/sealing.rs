//! How an event's record and item are sealed into its frame.
//!
//! Both are bound to the store, the ledger index and the commitment of their event, so that no ciphertext can
//! stand in another's place. The item's key is random, and wrapped under the segment's key in front of the item.

use super::{Vault, VaultError};
use crate::crypto::aead::{self, Key};
use crate::crypto::digest::Digest;
use crate::crypto::random;
use zeroize::Zeroizing;

const RECORD: &str = "article6/record/1";
const ITEM_KEY: &str = "article6/item-key/1";
const ITEM: &str = "article6/item/1";
const SNAPSHOT: &str = "article6/snapshot/1";
/// A wrapped item key: 32 bytes and the tag.
const WRAPPED_BYTES: usize = 48;

/// What sealing gives to be stored.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Random; stored in clear.
    pub seed: [u8; 32],
    /// The sealed record.
    pub record: Vec<u8>,
    /// The wrapped item key and the sealed item; empty without an item.
    pub item: Vec<u8>,
}

/// Where a sealed event stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Number of the segment whose key wraps the item's.
    pub segment: u64,
    /// Ledger index of the event.
    pub leaf: u64,
    /// Commitment of the event.
    pub commitment: Digest,
}

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It is larger than a frame can hold.
    #[error("the event is larger than a frame can hold")]
    TooLarge,
    /// The ciphertext is not what was sealed here.
    #[error("the sealed content does not open: it is damaged or was put here from elsewhere")]
    Unopened,
    /// Too long, or no randomness.
    #[error("the content cannot be sealed")]
    Unsealed,
    /// A key cannot be had.
    #[error(transparent)]
    Key(#[from] VaultError),
}

impl Vault {
    /// Seals an event's record, and its item if it has one, in their buffers.
    pub fn seal(&self, place: Place, record: Vec<u8>, item: Option<Vec<u8>>) -> Result<Sealed, SealError> {
        let seed = random::array::<32>().map_err(|_| SealError::Unsealed)?;
        let aad = self.aad(place);
        let record =
            aead::seal(self.metadata_key(), &seed, RECORD, &aad, record).map_err(|_| SealError::Unsealed)?;
        let item = item.map(|item| self.seal_item(place.segment, &seed, &aad, item)).transpose()?;
        Ok(Sealed { seed, record, item: item.unwrap_or_default() })
    }

    fn seal_item(
        &self,
        segment: u64,
        seed: &[u8; 32],
        aad: &[u8],
        item: Vec<u8>,
    ) -> Result<Vec<u8>, SealError> {
        let key = Key::generate().map_err(|_| SealError::Unsealed)?;
        let segment_key = self.segment_key(segment)?;
        let wrapped = aead::wrap(&segment_key, seed, ITEM_KEY, aad, &key).map_err(|_| SealError::Unsealed)?;
        let item = aead::seal(&key, seed, ITEM, aad, item).map_err(|_| SealError::Unsealed)?;
        Ok([wrapped, item].concat())
    }

    /// Opens a record.
    pub fn open_record(
        &self,
        place: Place,
        seed: &[u8; 32],
        record: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        aead::open(self.metadata_key(), seed, RECORD, &self.aad(place), record)
            .map_err(|_| SealError::Unopened)
    }

    /// Opens an item.
    pub fn open_item(
        &self,
        place: Place,
        seed: &[u8; 32],
        item: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (wrapped, item) = item.split_at_checked(WRAPPED_BYTES).ok_or(SealError::Unopened)?;
        let aad = self.aad(place);
        let segment_key = self.segment_key(place.segment)?;
        let key = aead::open(&segment_key, seed, ITEM_KEY, &aad, wrapped).map_err(|_| SealError::Unopened)?;
        let key: [u8; 32] = key.as_slice().try_into().map_err(|_| SealError::Unopened)?;
        aead::open(&Key::from_bytes(key), seed, ITEM, &aad, item).map_err(|_| SealError::Unopened)
    }

    /// Seals a state snapshot: seed and ciphertext.
    pub fn seal_snapshot(&self, snapshot: &[u8]) -> Result<Vec<u8>, SealError> {
        let seed = random::array::<32>().map_err(|_| SealError::Unsealed)?;
        let sealed = aead::seal(self.metadata_key(), &seed, SNAPSHOT, self.store(), snapshot.to_vec())
            .map_err(|_| SealError::Unsealed)?;
        Ok([seed.as_slice(), &sealed].concat())
    }

    /// Opens a state snapshot.
    pub fn open_snapshot(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (seed, sealed) = sealed.split_first_chunk::<32>().ok_or(SealError::Unopened)?;
        aead::open(self.metadata_key(), seed, SNAPSHOT, self.store(), sealed).map_err(|_| SealError::Unopened)
    }

    fn aad(&self, place: Place) -> [u8; 56] {
        let mut aad = [0; 56];
        aad[..16].copy_from_slice(self.store());
        aad[16..24].copy_from_slice(&place.leaf.to_le_bytes());
        aad[24..].copy_from_slice(place.commitment.as_bytes());
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SystemDisk;
    use std::sync::Arc;

    #[test]
    fn content_opens_only_where_it_was_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::from_bytes([1; 32]);
        let vault = Vault::create(Arc::new(SystemDisk), folder.path(), [9; 16], key.clone()).unwrap();
        vault.ensure_segment_key(0).unwrap();
        vault.ensure_segment_key(1).unwrap();
        let place = Place { segment: 0, leaf: 4, commitment: Digest::of(b"c") };
        let sealed = vault.seal(place, b"record".to_vec(), Some(b"body".to_vec())).unwrap();

        let again = Vault::open(Arc::new(SystemDisk), folder.path(), [9; 16], key).unwrap();
        assert_eq!(again.open_record(place, &sealed.seed, &sealed.record).unwrap().as_slice(), b"record");
        assert_eq!(again.open_item(place, &sealed.seed, &sealed.item).unwrap().as_slice(), b"body");
        for wrong in [Place { leaf: 5, ..place }, Place { commitment: Digest::of(b"d"), ..place }] {
            assert!(again.open_record(wrong, &sealed.seed, &sealed.record).is_err());
            assert!(again.open_item(wrong, &sealed.seed, &sealed.item).is_err());
        }
        assert!(again.open_item(Place { segment: 1, ..place }, &sealed.seed, &sealed.item).is_err());
        for at in 0..sealed.item.len() {
            let mut item = sealed.item.clone();
            item[at] ^= 1;
            assert!(again.open_item(place, &sealed.seed, &item).is_err(), "byte {at}");
        }
        let snapshot = vault.seal_snapshot(b"state").unwrap();
        assert_eq!(again.open_snapshot(&snapshot).unwrap().as_slice(), b"state");
        assert!(matches!(
            Vault::open(Arc::new(SystemDisk), folder.path(), [9; 16], Key::from_bytes([2; 32])),
            Err(VaultError::WrongKey(_))
        ));
    }
}
