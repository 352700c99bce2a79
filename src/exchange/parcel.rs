//! Messages between the journal and the wire: what delivery reads, and what arrives before it is judged.

use super::deliver::Arrival;
use super::services;
use crate::channel::envelope::{Envelope, EnvelopeError};
use crate::channel::lookup::Lookup;
use crate::channel::receipt::SentEnvelope;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::{Digest, commitment};
use crate::limits::BODY_BYTES_MAX;
use crate::store::{Store, StoreError};
use crate::wire::channel::v1::StatementType;
use crate::wire::ledger::v1::Item;
use bytes::Bytes;

/// A message on its way between two daemons.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// Exact envelope bytes.
    pub envelope: Bytes,
    /// Its signature.
    pub signature: Bytes,
    /// The content; `None` when the sender can no longer produce it.
    pub item: Option<Item>,
}

impl Parcel {
    /// Bytes it takes on the wire, roughly.
    pub fn len(&self) -> usize {
        self.envelope.len() + self.signature.len() + self.item.as_ref().map_or(0, |item| item.body.len() + 64)
    }

    /// Whether it carries nothing at all.
    pub fn is_empty(&self) -> bool {
        self.envelope.is_empty()
    }

    /// What its receipt must be for.
    pub fn expects(&self, sequence: u64) -> SentEnvelope {
        SentEnvelope { sequence, digest: Digest::of(&self.envelope), signature: Digest::of(&self.signature) }
    }
}

/// Reads sealed messages from `sequence` on, as many as are durable and fit. The first always fits.
pub fn sealed_from(
    store: &Store,
    sequence: u64,
    count_max: usize,
    bytes_max: usize,
) -> Result<Vec<Parcel>, StoreError> {
    let mut parcels = Vec::new();
    let mut bytes = 0;
    for sequence in (sequence..).take(count_max) {
        let Some(opened) = store.find(&Lookup::Sealed(sequence))? else { break };
        let item = store.item(&opened)?;
        let parcel = Parcel {
            envelope: opened.record.envelope.clone(),
            signature: opened.record.signature.clone(),
            item,
        };
        bytes += parcel.len();
        if bytes > bytes_max && !parcels.is_empty() {
            break;
        }
        parcels.push(parcel);
    }
    Ok(parcels)
}

/// Verifies what arrived and finds out all about it that does not depend on the state of the channel.
pub fn inspect(parcel: Parcel, trusted: &[Certificate]) -> Result<Arrival, EnvelopeError> {
    let envelope = Envelope::decode(parcel.envelope)?.verify(&parcel.signature, trusted)?;
    let fields = envelope.get().fields();
    let well_formed = crate::rules::check("article6.channel.v1.Envelope", envelope.get().bytes()).is_empty();
    let body_fits = parcel.item.as_ref().is_none_or(|item| item.body.len() <= BODY_BYTES_MAX);
    let body_matches = parcel.item.as_ref().is_none_or(|item| {
        <&[u8; 32]>::try_from(item.salt.as_ref())
            .is_ok_and(|salt| commitment(salt, &item.body).as_bytes().as_slice() == fields.body_commitment)
    });
    let treaty = matches!(StatementType::try_from(fields.statement_type), Ok(StatementType::Treaty));
    let effect = match &parcel.item {
        Some(item) if treaty && body_matches && body_fits => super::content::effect(&item.body),
        _ => Bytes::new(),
    };
    let body = parcel.item.as_ref().map(|item| item.body.as_ref());
    let service = services::read(fields, body, trusted);
    Ok(Arrival {
        service,
        envelope,
        signature: parcel.signature,
        item: parcel.item,
        well_formed,
        body_matches,
        body_fits,
        effect,
    })
}
