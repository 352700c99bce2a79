//! What becomes of an envelope that arrives.
//!
//! Three outcomes are kept apart. *Consumed*: the number is taken, by `Received` or by `Rejected` with its reason,
//! and the next envelope chains to it. *Refused*: nothing is consumed and nothing recorded. *Repeated*: it is held
//! already, and gets the receipt it got before.

use super::envelope::{Envelope, STATEMENT, Verified, order};
use super::keys::Side;
use super::state::State;
use super::terms::Terms;
use crate::crypto::digest::Digest;
use crate::wire::channel::v1::{Environment, StatementType};
use crate::wire::ledger::v1::RejectionReason;

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Consume it and store the message.
    Receive,
    /// Consume it and turn the message down.
    Reject(RejectionReason),
    /// It is held already: answer with its receipt.
    Repeat,
    /// Another envelope holds its place.
    Equivocation,
    /// Consume nothing.
    Refuse(Refusal),
}

/// Why an envelope is refused. The reasons are stable codes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an envelope of this version.
    #[error("the statement is not {STATEMENT}")]
    WrongStatement,
    /// Test traffic in production, or the reverse.
    #[error("the envelope is for another environment")]
    WrongEnvironment,
    /// Another agreement.
    #[error("the envelope is under another agreement")]
    WrongAgreement,
    /// Not from the other Party of this channel.
    #[error("the sender is not the other Party of this channel")]
    WrongSender,
    /// Not for this Party.
    #[error("the recipient is not the Party served here")]
    WrongRecipient,
    /// Not the other Party's current epoch.
    #[error("the epoch is not the other Party's current one")]
    WrongEpoch,
    /// Numbers before it are missing.
    #[error("envelopes before this one are missing")]
    SequenceGap,
    /// Does not chain to the envelope before it.
    #[error("the envelope does not chain to the one before it")]
    WrongPreviousDigest,
    /// Signed with a key that went out of use.
    #[error("the envelope is signed with a key that its Party has retired")]
    KeyRetired,
}

impl Refusal {
    /// Stable reason code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::WrongStatement => "WRONG_STATEMENT",
            Self::WrongEnvironment => "WRONG_ENVIRONMENT",
            Self::WrongAgreement => "WRONG_AGREEMENT",
            Self::WrongSender => "WRONG_SENDER",
            Self::WrongRecipient => "WRONG_RECIPIENT",
            Self::WrongEpoch => "WRONG_EPOCH",
            Self::SequenceGap => "SEQUENCE_GAP",
            Self::WrongPreviousDigest => "WRONG_PREVIOUS_DIGEST",
            Self::KeyRetired => "KEY_RETIRED",
        }
    }
}

/// What only look-ups and the content can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Every field of the envelope is within its bounds.
    pub well_formed: bool,
    /// The body matches its commitment, or is declared unavailable.
    pub body_matches: bool,
    /// The body is within the limit.
    pub body_fits: bool,
    /// It is a statement of the daemons of a kind that is known here.
    pub service_known: bool,
    /// What a statement of the daemons says can be; true for every other statement.
    pub service_fits: bool,
    /// What is said against the message beyond the channel; the last thing to count.
    pub objection: Option<RejectionReason>,
    /// The message identifier belongs to another message.
    pub message_id_used: bool,
    /// The envelope held at this sequence, if it was consumed.
    pub held: Option<Digest>,
    /// Index, in the other Party's ledger, of its receipt for the message after `peer_sequence_seen`, where this
    /// side holds that receipt.
    pub unseen_receipt_leaf: Option<u64>,
}

/// Judges a verified envelope against the state it would be folded into.
pub fn judge(terms: &Terms, state: &State, envelope: &Verified<Envelope>, facts: Facts) -> Judgement {
    let fields = envelope.get().fields();
    if let Some(refusal) = wrong_channel(terms, envelope.get()) {
        return Judgement::Refuse(refusal);
    }
    if fields.sequence <= state.consumed().sequence {
        return match facts.held {
            Some(held) if held == envelope.get().digest() => Judgement::Repeat,
            Some(_) => Judgement::Equivocation,
            // Sequences begin at 1: nothing holds 0, so nobody equivocates about it.
            None => Judgement::Refuse(Refusal::SequenceGap),
        };
    }
    if fields.epoch != state.peer_epoch().max(1) {
        return Judgement::Refuse(Refusal::WrongEpoch);
    }
    if fields.sequence != state.consumed().sequence + 1 {
        return Judgement::Refuse(Refusal::SequenceGap);
    }
    if fields.previous_digest != state.consumed().digest.as_bytes().as_slice() {
        return Judgement::Refuse(Refusal::WrongPreviousDigest);
    }
    // What a retired key signed before its retirement is held, and was answered above.
    if state.keys().is_retired(Side::Peer, &envelope.key()) {
        return Judgement::Refuse(Refusal::KeyRetired);
    }
    rejection(state, envelope.get(), facts).map_or(Judgement::Receive, Judgement::Reject)
}

fn wrong_channel(terms: &Terms, envelope: &Envelope) -> Option<Refusal> {
    let fields = envelope.fields();
    let wrong = [
        (fields.statement != STATEMENT, Refusal::WrongStatement),
        (Environment::try_from(fields.environment) != Ok(terms.environment), Refusal::WrongEnvironment),
        (fields.agreement_id != terms.agreement, Refusal::WrongAgreement),
        (fields.sender != terms.counterparty, Refusal::WrongSender),
        (fields.recipient != terms.party, Refusal::WrongRecipient),
    ];
    wrong.into_iter().find_map(|(wrong, refusal)| wrong.then_some(refusal))
}

fn rejection(state: &State, envelope: &Envelope, facts: Facts) -> Option<RejectionReason> {
    let fields = envelope.fields();
    let known_statement = match StatementType::try_from(fields.statement_type) {
        Ok(StatementType::Treaty | StatementType::Test) => true,
        Ok(StatementType::Service) => facts.service_known,
        _ => false,
    };
    let backwards = match (state.consumed().signed_at, fields.signed_at) {
        (Some(before), Some(now)) => order(&now) < order(&before),
        _ => false,
    };
    let impossible = fields.peer_sequence_seen < state.consumed_peer_sequence_seen()
        || fields.peer_sequence_seen > state.sealed().sequence
        || facts.unseen_receipt_leaf.is_some_and(|receipt| receipt < fields.sealed_leaf_index);
    let wrong = [
        (!facts.well_formed, RejectionReason::EnvelopeMalformed),
        (!known_statement, RejectionReason::StatementUnknown),
        (backwards, RejectionReason::TimeRanBackwards),
        (impossible, RejectionReason::PeerSequenceImpossible),
        (facts.message_id_used, RejectionReason::MessageIdReused),
        (!facts.body_fits, RejectionReason::BodyTooLarge),
        (!facts.body_matches, RejectionReason::BodyMismatch),
        (!facts.service_fits, RejectionReason::ServiceRefused),
    ];
    wrong.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason)).or(facts.objection)
}
