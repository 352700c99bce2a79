//! What proves delivery: the receiver's disclosed event, read against the envelope it must be about.

use crate::crypto::digest::Digest;
use crate::wire::ledger::v1::{Event, RejectionReason, event::Fact};
use prost::Message as _;
use prost_types::Timestamp;

/// The envelope a receipt is expected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentEnvelope {
    /// Its sequence.
    pub sequence: u64,
    /// Its digest.
    pub digest: Digest,
    /// Digest of the signature that was sent with it.
    pub signature: Digest,
}

/// What a receipt says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receipted {
    /// When the receiver recorded the message, by its own clock.
    pub recorded_at: Timestamp,
    /// Why it was turned down; `None` when it was stored.
    pub rejection: Option<RejectionReason>,
}

/// Why an event is no receipt for an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not an event.
    #[error("the receipt cannot be decoded")]
    Undecodable,
    /// An event of another kind.
    #[error("the receipt discloses an event that is no receipt")]
    NoReceipt,
    /// For another envelope or signature.
    #[error("the receipt is for another envelope")]
    OtherEnvelope,
}

/// Reads a disclosed event as the receipt for an envelope. That the ledger contains the event is proven apart.
pub fn read_event(event: &[u8], sent: &SentEnvelope) -> Result<Receipted, ReceiptError> {
    let event = Event::decode(event).map_err(|_| ReceiptError::Undecodable)?;
    let recorded_at = event.recorded_at.ok_or(ReceiptError::Undecodable)?;
    let (sequence, envelope, signature, rejection) = match event.fact.ok_or(ReceiptError::Undecodable)? {
        Fact::Received(received) => {
            (received.sequence, received.envelope_digest, received.signature_digest, None)
        }
        Fact::Rejected(rejected) => {
            let reason = rejected.reason();
            (rejected.sequence, rejected.envelope_digest, rejected.signature_digest, Some(reason))
        }
        _ => return Err(ReceiptError::NoReceipt),
    };
    let same = sequence == sent.sequence
        && envelope == sent.digest.as_bytes().as_slice()
        && signature == sent.signature.as_bytes().as_slice();
    if same { Ok(Receipted { recorded_at, rejection }) } else { Err(ReceiptError::OtherEnvelope) }
}
