//! Facts on their way into the journal.

use crate::channel::lookup::lookups;
use crate::crypto::aead::TAG_BYTES;
use crate::crypto::digest::{Digest, commitment};
use crate::crypto::random;
use crate::journal::frame::{ITEM_BYTES_MAX, RECORD_BYTES_MAX, SealedEvent};
use crate::journal::writer::NewEvent;
use crate::store::{OpenedEvent, name_fingerprint};
use crate::vault::{Place, SealError, Vault};
use crate::wire::channel::v1::Envelope;
use crate::wire::ledger::v1::{Event, Item, Record};
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

/// Bytes that sealing an item adds, at most: its wrapped key and two tags.
const ITEM_OVERHEAD: usize = 256;

/// What is stored with a fact.
#[derive(Debug, Default)]
pub struct Attachments {
    /// Exact envelope bytes.
    pub envelope: Bytes,
    /// Its signature.
    pub signature: Bytes,
    /// What the message does to its case.
    pub effect: Bytes,
    /// The receipt that is recorded.
    pub receipt: Bytes,
    /// Signed notes that the fact rests on.
    pub notes: Vec<String>,
    /// The content.
    pub item: Option<Item>,
    /// The signatures of the heads of service that the message needs are valid.
    pub head_signed: bool,
}

/// A fact sealed for its place in the journal.
#[derive(Debug)]
pub struct Prepared {
    /// For the journal.
    pub new: NewEvent,
    /// Encoded event, for the receipt.
    pub event: Bytes,
    /// Its salt, for the receipt.
    pub salt: [u8; 32],
    /// The event as readers will see it.
    pub opened: OpenedEvent,
}

/// Seals an event for its place.
pub fn prepare(
    vault: &Vault,
    segment: u64,
    leaf: u64,
    event: &Event,
    envelope: Option<&Arc<Envelope>>,
    attachments: Attachments,
) -> Result<Prepared, SealError> {
    let salt = random::array::<32>().map_err(|_| SealError::Unsealed)?;
    let bytes = Bytes::from(event.encode_to_vec());
    let place = Place { segment, leaf, commitment: commitment(&salt, &bytes) };
    let record = Record {
        event: bytes.clone(),
        salt: Bytes::copy_from_slice(&salt),
        envelope: attachments.envelope,
        signature: attachments.signature,
        effect: attachments.effect,
        receipt: attachments.receipt,
        notes: attachments.notes,
        head_signed: attachments.head_signed,
    };
    // Callers bound what they bring. A frame that could not be read again must never be written.
    let item_bytes = attachments.item.as_ref().map_or(0, prost::Message::encoded_len);
    if record.encoded_len() + TAG_BYTES > RECORD_BYTES_MAX || item_bytes + ITEM_OVERHEAD > ITEM_BYTES_MAX {
        return Err(SealError::TooLarge);
    }
    let item = attachments.item.as_ref().map(to_seal);
    let sealed = vault.seal(place, to_seal(&record), item)?;
    let opened =
        OpenedEvent::new(leaf, place.commitment, event.clone(), record, envelope.cloned(), attachments.item);
    let keys = lookups(event, envelope.map(Arc::as_ref), &opened.record.effect)
        .iter()
        .map(name_fingerprint)
        .collect();
    let sealed = SealedEvent {
        commitment: place.commitment,
        seed: sealed.seed,
        record: sealed.record,
        item: sealed.item,
    };
    Ok(Prepared { new: NewEvent { event: sealed, keys }, event: bytes, salt, opened })
}

/// The encoded message in a buffer that it can be sealed in.
fn to_seal(message: &impl prost::Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.encoded_len() + TAG_BYTES);
    message.encode_raw(&mut bytes);
    bytes
}

/// Identity of the message that a client's submission makes: the same for the same request, for ever.
pub fn derive_message_id(terms: &crate::channel::terms::Terms, client: &str, request_id: &str) -> [u8; 16] {
    let parts: [&str; 5] = [terms.environment_name(), &terms.agreement, &terms.party, client, request_id];
    let mut preimage = b"article6/message-id/1".to_vec();
    for part in parts {
        preimage.extend_from_slice(&(part.len() as u64).to_be_bytes());
        preimage.extend_from_slice(part.as_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&Digest::of(&preimage).as_bytes()[..16]);
    // RFC 9562, section 5.8: version 8, variant 10.
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    id
}
