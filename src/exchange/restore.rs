//! A store that was put back from a backup goes on: a new epoch, what crossed taken in again, what never crossed sealed
//! anew.
//!
//! Each step may be cut short; doing all of them again finishes it.

use super::event::Attachments;
use super::parcel::Parcel;
use super::submit::{Outgoing, permits, seal};
use super::writer::{Desk, Fatal};
use crate::channel::envelope::Draft;
use crate::channel::lookup::{Lookup, message_id};
use crate::crypto::cms;
use crate::crypto::digest::{Digest, commitment};
use crate::store::{OpenedEvent, Store, StoreError};
use crate::wire::channel::v1::{Envelope, StatementType};
use crate::wire::ledger::v1::{Restored, Sealed, event::Fact};
use prost::Message as _;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Bytes that an event takes beside what it holds.
const OVERHEAD_BYTES: u64 = 8 << 10;

/// Why a step of a restore is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// What came back is not what this Party sealed.
    #[error("message {0} came back and is not what this Party sealed: {1}")]
    NotOurs(u64, &'static str),
    /// There is no space here.
    #[error("there is no space left; free some and run restore again")]
    NoSpace,
    /// The engine stopped.
    #[error("the engine stopped; run restore again")]
    Stopping,
}

/// A step, and where its answer goes.
pub(super) struct Restore {
    pub(super) step: Step,
    pub(super) reply: oneshot::Sender<Result<(), RestoreError>>,
}

/// A step of a restore.
#[derive(Debug)]
pub(super) enum Step {
    /// A new epoch begins, with what follows for the keys.
    Begin(u32, Box<Restored>, Vec<Fact>),
    /// The work is complete.
    Complete(Box<Restored>),
    /// This Party's own messages, as they came back, in sequence.
    Recalled(Vec<Parcel>),
    /// Messages that were sealed in the history that is given up, and never crossed: their ledger indexes.
    SealAnew(Vec<u64>),
}

impl Restore {
    pub(super) fn bytes_max(&self) -> u64 {
        match &self.step {
            Step::Begin(_, restored, keys) => {
                restored.encoded_len() as u64 + (keys.len() as u64 + 1) * OVERHEAD_BYTES
            }
            Step::Complete(_) => OVERHEAD_BYTES,
            Step::Recalled(parcels) => parcels.iter().map(|it| it.len() as u64 + OVERHEAD_BYTES).sum(),
            // As much as a body may have, and its effect.
            Step::SealAnew(leaves) => {
                leaves.len() as u64 * (2 * crate::limits::BODY_BYTES_MAX as u64 + OVERHEAD_BYTES)
            }
        }
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(RestoreError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        let answer = match self.step {
            Step::Begin(epoch, restored, keys) => {
                desk.record_in(epoch, Fact::Restored(*restored), None, Attachments::default())?;
                for fact in keys {
                    desk.record(fact, None, Attachments::default())?;
                }
                Ok(())
            }
            Step::Complete(restored) => {
                desk.record(
                    Fact::Restored(Restored { complete: true, ..*restored }),
                    None,
                    Attachments::default(),
                )?;
                Ok(())
            }
            Step::Recalled(parcels) => recalled(desk, parcels)?,
            Step::SealAnew(leaves) => {
                for leaf in leaves {
                    seal_anew(desk, leaf)?;
                }
                Ok(())
            }
        };
        desk.answer(move |_| {
            let _ = self.reply.send(answer);
        });
        Ok(())
    }
}

fn recalled(desk: &mut Desk, parcels: Vec<Parcel>) -> Result<Result<(), RestoreError>, Fatal> {
    for parcel in parcels {
        let sequence = desk.state.sealed().sequence + 1;
        let envelope = match verify(desk, sequence, &parcel) {
            Ok(envelope) => envelope,
            Err(what) => return Ok(Err(RestoreError::NotOurs(sequence, what))),
        };
        let fact = Fact::Sealed(Sealed {
            sequence,
            envelope_digest: Digest::of(&parcel.envelope).to_bytes(),
            signature_digest: Digest::of(&parcel.signature).to_bytes(),
            recalled: true,
        });
        let treaty = StatementType::try_from(envelope.statement_type) == Ok(StatementType::Treaty);
        let body = parcel.item.as_ref().filter(|_| treaty).map(|item| item.body.clone());
        let effect = body.map(|body| super::content::effect(&body)).unwrap_or_default();
        let attachments = Attachments {
            envelope: parcel.envelope,
            signature: parcel.signature,
            effect,
            item: parcel.item,
            ..Attachments::default()
        };
        desk.record(fact, Some(&Arc::new(envelope)), attachments)?;
    }
    Ok(Ok(()))
}

/// What comes back bears this Party's own signature and continues its chain.
fn verify(desk: &Desk, sequence: u64, parcel: &Parcel) -> Result<Envelope, &'static str> {
    let envelope = Envelope::decode(parcel.envelope.clone()).map_err(|_| "it cannot be read")?;
    let (terms, end) = (&desk.core.terms, desk.state.sealed());
    if envelope.sender != terms.party || envelope.sequence != sequence {
        return Err("it is another message");
    }
    if envelope.previous_digest != end.digest.as_bytes().as_slice() {
        return Err("it does not continue the chain");
    }
    let keys = desk.core.keys.load();
    let certificate = keys.certificate(&envelope.signing_key_id).ok_or("its key is not configured")?;
    cms::verify(&parcel.signature, certificate, &parcel.envelope)
        .map_err(|_| "its signature does not hold")?;
    let Some(item) = &parcel.item else { return Ok(envelope) };
    let salt: &[u8; 32] = item.salt.as_ref().try_into().map_err(|_| "its salt is malformed")?;
    match commitment(salt, &item.body).as_bytes().as_slice() == envelope.body_commitment {
        true => Ok(envelope),
        false => Err("its content is another"),
    }
}

/// Seals a message again, with the same identity and content, where the agreement permits it now.
fn seal_anew(desk: &mut Desk, leaf: u64) -> Result<(), Fatal> {
    let failed = |error: StoreError| Fatal::Store(error.to_string());
    let store = desk.core.store.clone();
    let opened = store.event(leaf).map_err(failed)?;
    let Some((envelope, id)) = opened.envelope.as_ref().and_then(|it| Some((it.clone(), message_id(it)?)))
    else {
        return Ok(());
    };
    let Some(item) = store.item(&opened).map_err(failed)? else { return Ok(()) };
    let body_salt = <[u8; 32]>::try_from(item.salt.as_ref()).unwrap_or_default();
    let draft = Draft {
        statement_type: StatementType::try_from(envelope.statement_type).unwrap_or_default(),
        message_id: id,
        case_id: envelope.case_id.as_ref().try_into().unwrap_or_default(),
        kind: envelope.kind,
        in_reply_to: envelope.in_reply_to.as_ref().try_into().ok(),
        acting_official: envelope.acting_official.clone(),
        releasing_official: envelope.releasing_official.clone(),
        language: envelope.language.clone(),
        body_commitment: commitment(&body_salt, &item.body),
        directives: Digest::from_slice(&envelope.directives),
        documents: envelope.documents.clone(),
    };
    let effect = opened.record.effect.clone();
    let outgoing =
        Outgoing { draft, body: item.body, body_salt, effect, touches_case: false, releases: None };
    // It is signed now: what the agreement does not permit now stays given up, for an official to say again.
    if let Err(code) = permits(desk, &outgoing) {
        tracing::warn!(leaf, code = code.name(), "a message that was given up is not sealed anew");
        return Ok(());
    }
    seal(desk, outgoing).map(drop)
}

/// The messages that the given-up history sealed and that have no place in the chain: sealed before the last restore,
/// behind the place that it set the chain back to, and not found anywhere since.
///
/// # Errors
/// [`StoreError`] when the journal cannot be read.
pub fn voided(store: &Store) -> Result<Vec<u64>, StoreError> {
    let Some(restored) = store.find(&Lookup::Restored)? else { return Ok(Vec::new()) };
    let Some(Fact::Restored(fact)) = &restored.event.fact else { return Ok(Vec::new()) };
    let mut voided = Vec::new();
    for sequence in fact.sealed_sequence + 1.. {
        let mut named = store.named(&Lookup::Sealed(sequence))?;
        named.retain(|leaf| *leaf < restored.leaf);
        // The newest before the restore: an older one was given up by an earlier restore.
        let Some(leaf) = named.first() else { break };
        let opened: Arc<OpenedEvent> = store.event(*leaf)?;
        let id = opened.envelope.as_deref().and_then(message_id);
        let newest = id.map(|id| store.find(&Lookup::Message(id))).transpose()?.flatten();
        if newest.is_some_and(|newest| newest.leaf == opened.leaf) {
            voided.push(*leaf);
        }
    }
    Ok(voided)
}
