//! Envelopes of the other Party are judged, consumed and stored.

use super::commit::Committed;
use super::event::Attachments;
use super::services::{self, ServiceArrival};
use super::writer::{Desk, Fatal, KEY_EVENT_BYTES};
use crate::channel::envelope::{Envelope, Verified};
use crate::channel::inbound::{Facts, Judgement, Refusal, judge};
use crate::channel::lookup::Lookup;
use crate::channel::lookup::message_id;
use crate::crypto::digest::Digest;
use crate::ledger::tlog_proof::TlogProof;
use crate::wire::channel::v1::StatementType;
use crate::wire::ledger::v1::{
    Equivocation, Item, Receipt, Received, Rejected, RejectionReason, event::Fact,
};
use bytes::Bytes;
use prost::Message as _;
use tokio::sync::oneshot;

/// Bytes that an event takes beside what arrived.
const OVERHEAD_BYTES: u64 = 4 << 10;

/// A verified envelope with what came along.
#[derive(Debug)]
pub struct Arrival {
    /// The envelope.
    pub envelope: Verified<Envelope>,
    /// Its signature, as it arrived.
    pub signature: Bytes,
    /// The content; `None` when the sender can no longer produce it.
    pub item: Option<Item>,
    /// Every field of the envelope is within its bounds.
    pub well_formed: bool,
    /// The body matches its commitment, or is declared unavailable.
    pub body_matches: bool,
    /// The body is within the limit.
    pub body_fits: bool,
    /// What the message does to its case.
    pub effect: Bytes,
    /// What it says, if it is a statement of the daemons.
    pub service: ServiceArrival,
}

/// What became of an arrival.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Consumed just now.
    Fresh {
        /// Ledger index of its event.
        leaf: u64,
        /// The encoded event.
        event: Bytes,
        /// Salt of the event's commitment.
        salt: [u8; 32],
        /// The commit that recorded it.
        committed: Committed,
    },
    /// Consumed before.
    Repeated {
        /// Ledger index of its event.
        leaf: u64,
    },
}

/// Why a delivery stops. What was consumed before stays consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// The envelope is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another envelope holds its place.
    #[error("another envelope holds this place in the chain")]
    Equivocation,
    /// The sender's ledger is not proven to extend the one accepted here.
    #[error("show your ledger with Witness first: it is not proven to extend the one accepted here")]
    Unproven,
    /// The channel is held.
    #[error("the channel is held after a contradiction, until a person releases it")]
    Held,
    /// This store is an older copy of itself.
    #[error("this daemon's store is an older copy of itself and must be restored first")]
    Quarantined,
    /// More messages than may be are turned down.
    #[error("too many of your messages are turned down in a short time; nothing was consumed")]
    TooManyRejections,
    /// There is no space here.
    #[error("there is no space left; nothing was changed")]
    NoSpace,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

pub(super) struct Consume {
    pub(super) arrivals: Vec<Arrival>,
    /// They crossed before and come back: neither a channel that is held nor a quarantine keeps them out.
    pub(super) recalled: bool,
    /// The journal was searched for the arrivals' messages up to this index, and none was found.
    pub(super) searched: u64,
    pub(super) reply: oneshot::Sender<Result<Vec<Outcome>, ConsumeError>>,
}

enum Decided {
    Fresh(u64, Bytes, [u8; 32]),
    Repeated(u64),
}

impl Consume {
    pub(super) fn bytes_max(&self) -> u64 {
        let of = |arrival: &Arrival| {
            let body = arrival.item.as_ref().map_or(0, Item::encoded_len);
            let service = if arrival.service == ServiceArrival::None { 0 } else { KEY_EVENT_BYTES };
            (arrival.envelope.get().bytes().len() + arrival.signature.len() + body + arrival.effect.len())
                as u64
                + service
                + OVERHEAD_BYTES
        };
        self.arrivals.iter().map(of).sum()
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(ConsumeError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        if desk.core.quarantine.found().is_some() && !self.recalled {
            drop(self.reply.send(Err(ConsumeError::Quarantined)));
            return Ok(());
        }
        if desk.state.is_held() && !self.recalled {
            drop(self.reply.send(Err(ConsumeError::Held)));
            return Ok(());
        }
        let mut decided = Vec::with_capacity(self.arrivals.len());
        let mut stopped = None;
        for arrival in self.arrivals {
            match decide_one(desk, arrival, self.searched)? {
                Ok(one) => decided.push(one),
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
        }
        let reply = self.reply;
        desk.answer(move |committed| {
            let outcomes = decided.into_iter().map(|one| match one {
                Decided::Fresh(leaf, event, salt) => {
                    Outcome::Fresh { leaf, event, salt, committed: committed.clone() }
                }
                Decided::Repeated(leaf) => Outcome::Repeated { leaf },
            });
            let _ = reply.send(stopped.map_or(Ok(outcomes.collect()), Err));
        });
        Ok(())
    }
}

fn decide_one(
    desk: &mut Desk,
    arrival: Arrival,
    searched: u64,
) -> Result<Result<Decided, ConsumeError>, Fatal> {
    let held = held(desk, arrival.envelope.get().fields().sequence)?;
    let facts = Facts {
        well_formed: arrival.well_formed,
        body_matches: arrival.body_matches,
        body_fits: arrival.body_fits,
        service_known: arrival.service != ServiceArrival::Unknown,
        service_fits: services::is_acceptable(desk, &arrival),
        message_id_used: id_used(desk, &arrival, searched)?,
        held: held.map(|(_, digest)| digest),
        objection: objection(desk, &arrival),
        unseen_receipt_leaf: unseen_receipt(desk, arrival.envelope.get().fields().peer_sequence_seen)?,
    };
    Ok(match judge(&desk.core.terms, &desk.state, &arrival.envelope, facts) {
        Judgement::Refuse(refusal) => Err(refusal.into()),
        Judgement::Repeat => held.map(|(leaf, _)| Decided::Repeated(leaf)).ok_or(ConsumeError::Equivocation),
        Judgement::Equivocation => {
            note_equivocation(desk, &arrival, held)?;
            Err(ConsumeError::Equivocation)
        }
        Judgement::Receive => Ok(consume(desk, arrival, None)?),
        Judgement::Reject(_) if !desk.core.rejections.admits() => Err(ConsumeError::TooManyRejections),
        Judgement::Reject(reason) => Ok(consume(desk, arrival, Some(reason))?),
    })
}

fn consume(desk: &mut Desk, arrival: Arrival, rejected: Option<RejectionReason>) -> Result<Decided, Fatal> {
    let envelope = arrival.envelope.get();
    let fields = envelope.fields();
    let (sequence, envelope_digest) = (fields.sequence, envelope.digest().to_bytes());
    let signature_digest = Digest::of(&arrival.signature).to_bytes();
    let content_unavailable = arrival.item.is_none();
    let fact = match rejected {
        None => Fact::Received(Received { sequence, envelope_digest, signature_digest, content_unavailable }),
        Some(reason) => {
            Fact::Rejected(Rejected { sequence, envelope_digest, signature_digest, reason: reason.into() })
        }
    };
    // A message that was turned down is proven by its envelope; its content is not kept.
    let item = if rejected.is_none() { arrival.item } else { None };
    let attachments = Attachments {
        envelope: envelope.bytes().clone(),
        signature: arrival.signature,
        effect: if rejected.is_none() { arrival.effect } else { Bytes::new() },
        item,
        ..Attachments::default()
    };
    if rejected.is_none() {
        desk.agreement().alert(&desk.core.alerts, fields, desk.core.clock.now());
    }
    let recorded = desk.record(fact, Some(envelope.shared()), attachments)?;
    if rejected.is_none() {
        services::received(desk, &arrival.service, sequence)?;
    }
    if let Some(id) = message_id(fields).filter(|_| rejected.is_none()) {
        desk.underway.message(id, recorded.leaf);
        if StatementType::try_from(fields.statement_type) == Ok(StatementType::Treaty) {
            desk.arrived(recorded.leaf);
        }
    }
    Ok(Decided::Fresh(recorded.leaf, recorded.prepared_event, recorded.salt))
}

/// What the agreement says against a message at its place in its sender's chain. Elsewhere nobody asks.
fn objection(desk: &Desk, arrival: &Arrival) -> Option<RejectionReason> {
    let (core, envelope) = (&desk.core, arrival.envelope.get().fields());
    let body = arrival.item.as_ref().map(|item| item.body.as_ref());
    desk.agreement().objection(&core.terms, &core.heads.load(), envelope, body)
}

/// The event and the envelope that hold a sequence, if it is consumed.
fn held(desk: &mut Desk, sequence: u64) -> Result<Option<(u64, Digest)>, Fatal> {
    if sequence == 0 || sequence > desk.state.consumed().sequence {
        return Ok(None);
    }
    let store = desk.core.store.clone();
    let failed = |error: crate::store::StoreError| Fatal::Store(error.to_string());
    let mut found = store.find(&Lookup::Consumed(sequence)).map_err(failed)?;
    if found.is_none() {
        desk.settle()?;
        found = store.find(&Lookup::Consumed(sequence)).map_err(failed)?;
    }
    Ok(found.map(|opened| (opened.leaf, Digest::of(&opened.record.envelope))))
}

fn id_used(desk: &mut Desk, arrival: &Arrival, searched: u64) -> Result<bool, Fatal> {
    let fields = arrival.envelope.get().fields();
    let Some(id) = message_id(fields).filter(|_| fields.sequence == desk.state.consumed().sequence + 1)
    else {
        return Ok(false);
    };
    if desk.underway.holds_message(&id) {
        return Ok(true);
    }
    let found = desk.core.store.find_from(&Lookup::Message(id), searched);
    Ok(found.map_err(|error| Fatal::Store(error.to_string()))?.is_some())
}

/// Ledger index, at the other Party, of its receipt for the message after the last it says it has seen.
fn unseen_receipt(desk: &Desk, seen: u64) -> Result<Option<u64>, Fatal> {
    if seen >= desk.state.acknowledged() {
        return Ok(None);
    }
    let found = desk.core.store.find(&Lookup::Acknowledged(seen + 1));
    let found = found.map_err(|error| Fatal::Store(error.to_string()))?;
    let receipt = found.and_then(|opened| Receipt::decode(opened.record.receipt.clone()).ok());
    Ok(receipt.and_then(|receipt| TlogProof::parse(&receipt.tlog_proof).ok()).map(|proof| proof.index))
}

/// Records, once for each place, that two signed envelopes claim it.
fn note_equivocation(desk: &mut Desk, arrival: &Arrival, held: Option<(u64, Digest)>) -> Result<(), Fatal> {
    let envelope = arrival.envelope.get();
    let sequence = envelope.fields().sequence;
    let Some((_, held)) = held else { return Ok(()) };
    desk.settle()?;
    let noted = desk.core.store.find(&Lookup::Equivocation(sequence));
    if noted.map_err(|error| Fatal::Store(error.to_string()))?.is_some() {
        return Ok(());
    }
    tracing::error!(sequence, "another signed envelope claims a place in the chain that is taken");
    let fact = Fact::Equivocation(Equivocation {
        sequence,
        held_digest: held.to_bytes(),
        other_digest: envelope.digest().to_bytes(),
    });
    let attachments = Attachments {
        envelope: envelope.bytes().clone(),
        signature: arrival.signature.clone(),
        ..Attachments::default()
    };
    desk.record(fact, Some(envelope.shared()), attachments).map(drop)
}
