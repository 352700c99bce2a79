//! Composing and verifying envelopes: the exact bytes are what is signed, stored and sent.

use super::state::State;
use super::terms::Terms;
use crate::crypto::certificate::Certificate;
use crate::crypto::cms::{self, CmsError};
use crate::crypto::digest::Digest;
use crate::wire::channel::v1 as wire;
use bytes::Bytes;
use prost::Message as _;
use prost_types::Timestamp;
use std::sync::Arc;
use std::time::SystemTime;

/// Kind and version of the statement an envelope makes.
pub const STATEMENT: &str = "article6/envelope/1";

/// An envelope whose bytes and fields belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    bytes: Bytes,
    digest: Digest,
    fields: Arc<wire::Envelope>,
}

/// A value whose signature was verified with a key that the channel trusts.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified<T> {
    value: T,
    key: Digest,
}

/// What the sender of a message decides; everything else comes from the channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// TREATY, SERVICE or TEST.
    pub statement_type: wire::StatementType,
    /// Identity of the message.
    pub message_id: [u8; 16],
    /// The case.
    pub case_id: [u8; 16],
    /// What the message is.
    pub kind: u32,
    /// The message answered.
    pub in_reply_to: Option<[u8; 16]>,
    /// The official who acts.
    pub acting_official: String,
    /// The official who released the message.
    pub releasing_official: String,
    /// Language of the texts.
    pub language: String,
    /// Commitment to the body.
    pub body_commitment: Digest,
    /// Digest of the directives in force; `None` without any.
    pub directives: Option<Digest>,
    /// Commitments to the documents.
    pub documents: Vec<wire::DocumentCommitment>,
}

/// Why bytes are not an acceptable envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an encoded envelope.
    #[error("the envelope cannot be decoded")]
    Undecodable,
    /// Names a signing key that the channel does not trust.
    #[error("the envelope names a signing key that is not trusted")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature does not verify: {0}")]
    Signature(CmsError),
}

impl Envelope {
    /// Composes the next envelope of a chain.
    ///
    /// `leaf` is the ledger index of the event that will record it; `signed_at` never goes back along the chain.
    pub fn compose(
        terms: &Terms,
        state: &State,
        signing_key: &Digest,
        leaf: u64,
        signed_at: Timestamp,
        draft: Draft,
    ) -> Self {
        let fields = wire::Envelope {
            statement: STATEMENT.to_owned(),
            environment: terms.environment.into(),
            agreement_id: terms.agreement.clone(),
            epoch: state.epoch(),
            sender: terms.party.clone(),
            recipient: terms.counterparty.clone(),
            signing_key_id: signing_key.to_bytes(),
            sequence: state.sealed().sequence + 1,
            previous_digest: state.sealed().digest.to_bytes(),
            peer_epoch: state.peer_epoch(),
            peer_sequence_seen: state.consumed().sequence,
            sealed_leaf_index: leaf,
            statement_type: draft.statement_type.into(),
            message_id: Bytes::copy_from_slice(&draft.message_id),
            case_id: Bytes::copy_from_slice(&draft.case_id),
            kind: draft.kind,
            in_reply_to: draft.in_reply_to.map(|id| Bytes::copy_from_slice(&id)).unwrap_or_default(),
            signed_at: Some(state.sealed().signed_at.map_or(signed_at, |before| later(before, signed_at))),
            acting_official: draft.acting_official,
            releasing_official: draft.releasing_official,
            directives: draft.directives.map(|digest| digest.to_bytes()).unwrap_or_default(),
            language: draft.language,
            body_commitment: draft.body_commitment.to_bytes(),
            documents: draft.documents,
        };
        let bytes = Bytes::from(fields.encode_to_vec());
        Self { digest: Digest::of(&bytes), bytes, fields: Arc::new(fields) }
    }

    /// Reads an envelope. Nothing is known of its signature yet.
    pub fn decode(bytes: Bytes) -> Result<Self, EnvelopeError> {
        let fields = wire::Envelope::decode(bytes.clone()).map_err(|_| EnvelopeError::Undecodable)?;
        Ok(Self { digest: Digest::of(&bytes), bytes, fields: Arc::new(fields) })
    }

    /// Verifies the detached signature over the exact bytes with the trusted certificate of the named key.
    pub fn verify(self, signature: &[u8], trusted: &[Certificate]) -> Result<Verified<Self>, EnvelopeError> {
        let certificate = trusted
            .iter()
            .find(|certificate| certificate.key_id().as_bytes().as_slice() == self.fields.signing_key_id)
            .ok_or(EnvelopeError::UnknownKey)?;
        cms::verify(signature, certificate, &self.bytes).map_err(EnvelopeError::Signature)?;
        Ok(Verified { key: certificate.key_id(), value: self })
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// SHA-256 of the exact bytes: the envelope's identity.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The decoded fields.
    pub fn fields(&self) -> &wire::Envelope {
        &self.fields
    }

    /// The decoded fields, to be kept.
    pub fn shared(&self) -> &Arc<wire::Envelope> {
        &self.fields
    }

    /// When it was sealed, for the signature's signing time.
    pub fn signing_time(&self) -> SystemTime {
        self.fields.signed_at.and_then(|at| SystemTime::try_from(at).ok()).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl<T> Verified<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Identifier of the key that verified it.
    pub fn key(&self) -> Digest {
        self.key
    }
}

/// The later of two times.
pub fn later(a: Timestamp, b: Timestamp) -> Timestamp {
    if order(&a) >= order(&b) { a } else { b }
}

/// Orders times.
pub fn order(time: &Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}
