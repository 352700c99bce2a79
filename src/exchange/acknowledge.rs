//! Verified receipts of the other Party are recorded.

use super::event::Attachments;
use super::services;
use super::writer::{Desk, Fatal};
use crate::crypto::digest::Digest;
use crate::wire::ledger::v1::{Acknowledged, RejectionReason, event::Fact};
use bytes::Bytes;
use tokio::sync::oneshot;

/// Bytes that an event takes beside the receipt.
const OVERHEAD_BYTES: u64 = 2 << 10;

/// A receipt that was verified against the envelope it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Sequence of the envelope.
    pub sequence: u64,
    /// Digest of the envelope.
    pub envelope_digest: Digest,
    /// Encoded receipt.
    pub receipt: Bytes,
    /// Why the other Party rejected the message; `None` when it accepted it.
    pub rejection: Option<RejectionReason>,
    /// The other Party's ledger as accepted with it: leaves.
    pub peer_size: u64,
    /// The other Party's ledger as accepted with it: root hash.
    pub peer_root: Digest,
    /// The signed checkpoint of that ledger; once for all receipts that came together, with the last.
    pub peer_note: Option<String>,
}

/// Why receipts are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    /// They do not follow the last one recorded.
    #[error("the receipts do not follow the last one recorded")]
    OutOfOrder,
    /// There is no space here.
    #[error("there is no space left; nothing was changed")]
    NoSpace,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

pub(super) struct Acknowledge {
    pub(super) receipts: Vec<Accepted>,
    pub(super) reply: oneshot::Sender<Result<(), AcknowledgeError>>,
}

impl Acknowledge {
    pub(super) fn bytes_max(&self) -> u64 {
        let of =
            |accepted: &Accepted| accepted.receipt.len() + accepted.peer_note.as_ref().map_or(0, String::len);
        self.receipts.iter().map(|accepted| of(accepted) as u64 + OVERHEAD_BYTES).sum()
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(AcknowledgeError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        let mut answer = Ok(());
        for accepted in self.receipts {
            if accepted.sequence <= desk.state.acknowledged() {
                continue;
            }
            if accepted.sequence != desk.state.acknowledged() + 1
                || accepted.sequence > desk.state.sealed().sequence
            {
                answer = Err(AcknowledgeError::OutOfOrder);
                break;
            }
            let fact = Fact::Acknowledged(Acknowledged {
                sequence: accepted.sequence,
                envelope_digest: accepted.envelope_digest.to_bytes(),
                receipt_digest: Digest::of(&accepted.receipt).to_bytes(),
                rejection: accepted.rejection.unwrap_or_default().into(),
                peer_size: accepted.peer_size,
                peer_root: accepted.peer_root.to_bytes(),
            });
            let notes = accepted.peer_note.into_iter().collect();
            let attachments = Attachments { receipt: accepted.receipt, notes, ..Attachments::default() };
            let service = desk.state.keys().is_open_service(accepted.sequence);
            let recorded = desk.record(fact, None, attachments)?;
            if accepted.rejection.is_some() {
                desk.underway.rejection(recorded.leaf);
            }
            if service && accepted.rejection.is_none() {
                services::acknowledged(desk, accepted.sequence)?;
            }
        }
        desk.answer(move |_| {
            let _ = self.reply.send(answer);
        });
        Ok(())
    }
}
