//! Heads: the other Party's are accepted and cosigned, this ledger's are cosigned by it, and contradictions hold the
//! channel.
//!
//! Accepted and cosigned are one thing: the head is recorded before the cosignature leaves, and only a head that extends
//! the recorded one is cosigned after it.

use super::event::Attachments;
use super::writer::{Desk, Fatal};
use crate::channel::keys::Side;
use crate::channel::state::PeerHead;
use crate::crypto::digest::Digest;
use crate::ledger::Checkpoint;
use crate::ledger::cosignature::{Shown, judge};
use crate::wire::channel::v1::KeyUse;
use crate::wire::ledger::v1::{
    Contradiction, ContradictionKind, Cosigned, KeyIntroduced, PeerRestored, Witnessed, event::Fact,
};
use bytes::Bytes;
use tokio::sync::oneshot;

/// Bytes that an event takes beside its notes.
const OVERHEAD_BYTES: u64 = 2 << 10;

/// Bytes that an event about a key takes beside what every event takes.
const KEY_BYTES: usize = 8 << 10;

/// A head of the other Party's ledger whose signature is verified.
#[derive(Debug, Clone)]
pub struct ShownHead {
    /// The head.
    pub checkpoint: Checkpoint,
    /// The signed checkpoint, as it came.
    pub note: String,
    /// The other Party's epoch, whose ledger it is.
    pub epoch: u32,
    /// The size that the proof starts at.
    pub from: u64,
    /// The consistency proof.
    pub proof: Vec<Digest>,
}

/// What the other Party is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadAnswer {
    /// It is the head accepted last: cosign it.
    Accepted,
    /// The head accepted last is another one, of this size: prove from there.
    Elsewhere(u64),
}

/// Why a head is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It contradicts the head accepted before.
    #[error("the ledger does not extend the head accepted before; the channel is held")]
    Contradicts,
    /// It is not proven to extend the head accepted before.
    #[error(
        "the ledger is not proven to extend the head accepted before; once more, and the channel is held"
    )]
    Unproven,
    /// The channel is held.
    #[error("the channel is held after a contradiction, until a person releases it")]
    Held,
    /// This store is an older copy of itself.
    #[error("this daemon's store is an older copy of itself and must be restored first")]
    Quarantined,
    /// There is no space here.
    #[error("there is no space left; nothing was changed")]
    NoSpace,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

/// What is to be done about a head.
pub(super) enum Heads {
    /// Accept a head of the other Party.
    Show(Box<ShownHead>, oneshot::Sender<Result<HeadAnswer, HeadError>>),
    /// Record that the other Party cosigned a head of this ledger, with the cosigned checkpoint.
    Cosign(Cosigned, String, oneshot::Sender<Result<(), HeadError>>),
    /// Record that the other Party's store was put back from a backup, with its disclosed event; holds the channel.
    PeerRestored(Box<PeerRestored>, Bytes, Vec<Fact>, oneshot::Sender<Result<(), HeadError>>),
    /// Record the digest of the other Party's recovery key, once.
    RecoveryKey(Digest, oneshot::Sender<Result<(), HeadError>>),
    /// Hold the channel.
    Contradict(Contradiction, Vec<String>, oneshot::Sender<Result<(), HeadError>>),
}

impl Heads {
    pub(super) fn bytes_max(&self) -> u64 {
        let notes = match self {
            Self::Show(shown, _) => shown.note.len(),
            Self::Cosign(_, note, _) => note.len(),
            Self::PeerRestored(_, proof, keys, _) => proof.len() + keys.len() * KEY_BYTES,
            Self::RecoveryKey(..) => KEY_BYTES,
            Self::Contradict(_, notes, _) => notes.iter().map(String::len).sum(),
        };
        2 * notes as u64 + OVERHEAD_BYTES
    }

    pub(super) fn refuse(self) {
        match self {
            Self::Show(_, reply) => {
                let _ = reply.send(Err(HeadError::NoSpace));
            }
            Self::Cosign(_, _, reply)
            | Self::Contradict(_, _, reply)
            | Self::PeerRestored(_, _, _, reply)
            | Self::RecoveryKey(_, reply) => {
                let _ = reply.send(Err(HeadError::NoSpace));
            }
        }
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        match self {
            Self::Show(shown, reply) => {
                let answer = show(desk, *shown)?;
                desk.answer(move |_| {
                    let _ = reply.send(answer);
                });
            }
            Self::Cosign(cosigned, note, reply) => {
                if cosigned.size > desk.state.cosigned().size {
                    let attachments = Attachments { notes: vec![note], ..Attachments::default() };
                    desk.record(Fact::Cosigned(cosigned), None, attachments)?;
                }
                desk.answer(move |_| {
                    let _ = reply.send(Ok(()));
                });
            }
            Self::RecoveryKey(digest, reply) => {
                if desk.state.keys().known(Side::Peer, KeyUse::Recovery).next().is_none() {
                    let fact = KeyIntroduced {
                        of_counterparty: true,
                        r#use: KeyUse::Recovery.into(),
                        key: digest.to_bytes(),
                        ..KeyIntroduced::default()
                    };
                    desk.record(Fact::KeyIntroduced(fact), None, Attachments::default())?;
                }
                desk.answer(move |_| {
                    let _ = reply.send(Ok(()));
                });
            }
            Self::PeerRestored(restored, receipt, keys, reply) => {
                // A retired key, or one too many: whoever signed that, it cannot be recorded.
                let all: Vec<Fact> =
                    std::iter::once(Fact::PeerRestored((*restored).clone())).chain(keys.clone()).collect();
                if !desk.state.keys().takes(&all)
                    || restored.consumed_sequence > desk.state.consumed().sequence
                {
                    let _ = reply.send(Err(HeadError::Unproven));
                    return Ok(());
                }
                if restored.epoch > desk.state.peer_epoch().max(1) {
                    tracing::error!(
                        epoch = restored.epoch,
                        revoked = restored.revoked,
                        "the other Party's store was put back from a backup, or its keys were stolen: the channel is held until a person releases it"
                    );
                    let attachments = Attachments { receipt, ..Attachments::default() };
                    desk.record(Fact::PeerRestored(*restored), None, attachments)?;
                    for fact in keys {
                        desk.record(fact, None, Attachments::default())?;
                    }
                    desk.trust();
                }
                desk.answer(move |_| {
                    let _ = reply.send(Ok(()));
                });
            }
            Self::Contradict(contradiction, notes, reply) => {
                contradict(desk, contradiction, notes)?;
                desk.answer(move |_| {
                    let _ = reply.send(Ok(()));
                });
            }
        }
        Ok(())
    }
}

fn show(desk: &mut Desk, shown: ShownHead) -> Result<Result<HeadAnswer, HeadError>, Fatal> {
    if desk.core.quarantine.found().is_some() {
        return Ok(Err(HeadError::Quarantined));
    }
    if desk.state.is_held() {
        return Ok(Err(HeadError::Held));
    }
    let PeerHead { size, root } = desk.state.peer_head();
    let kind = match judge((size, &root), &shown.checkpoint, shown.from, &shown.proof) {
        Shown::Same => return Ok(Ok(HeadAnswer::Accepted)),
        Shown::Elsewhere => return Ok(Ok(HeadAnswer::Elsewhere(size))),
        Shown::Extends => {
            let Checkpoint { size, root, .. } = shown.checkpoint;
            let fact = Fact::Witnessed(Witnessed { size, root: root.to_bytes(), epoch: shown.epoch });
            let attachments = Attachments { notes: vec![shown.note], ..Attachments::default() };
            desk.record(fact, None, attachments)?;
            desk.trust();
            return Ok(Ok(HeadAnswer::Accepted));
        }
        Shown::Forks => ContradictionKind::Fork,
        // A proof may be garbled once; the sender is told, and holds another if it holds one ledger.
        Shown::Unproven(_) if !desk.doubt() => return Ok(Err(HeadError::Unproven)),
        Shown::Unproven(_) => ContradictionKind::Unproven,
    };
    let fact = contradiction(kind, desk.state.peer_head(), &shown.checkpoint);
    let notes = desk.core.store.accepted_note(size).into_iter().chain([shown.note]).collect();
    contradict(desk, fact, notes)?;
    Ok(Err(HeadError::Contradicts))
}

/// What is recorded of two heads that no single ledger has had.
pub fn contradiction(kind: ContradictionKind, held: PeerHead, shown: &Checkpoint) -> Contradiction {
    Contradiction {
        kind: kind.into(),
        held_size: held.size,
        held_root: held.root.to_bytes(),
        shown_size: shown.size,
        shown_root: shown.root.to_bytes(),
    }
}

/// Holds the channel, once.
fn contradict(desk: &mut Desk, fact: Contradiction, notes: Vec<String>) -> Result<(), Fatal> {
    if desk.state.is_held() {
        return Ok(());
    }
    tracing::error!(
        kind = fact.kind().as_str_name(),
        held_size = fact.held_size,
        shown_size = fact.shown_size,
        "what the other Party signed contradicts itself: the channel is held until a person releases it"
    );
    desk.record(Fact::Contradiction(fact), None, Attachments { notes, ..Attachments::default() }).map(drop)
}
