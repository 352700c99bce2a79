//! Facts of this side alone: messages taken over, content read, the daemon started.

use super::event::Attachments;
use super::writer::{Desk, Fatal};
use crate::wire::ledger::v1::{HandedOver, event::Fact};
use prost::Message as _;
use tokio::sync::oneshot;

/// Bytes that an event takes beside its fact.
const OVERHEAD_BYTES: u64 = 2 << 10;

/// Why a fact is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// There is no space. Nothing was changed.
    #[error("there is no space left; nothing was changed")]
    NoSpace,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

pub(super) struct HandOver {
    pub(super) handed_over: HandedOver,
    pub(super) reply: oneshot::Sender<Result<(), NoteError>>,
}

/// Any fact that changes no chain.
pub(super) struct Note {
    pub(super) fact: Fact,
    pub(super) reply: oneshot::Sender<Result<(), NoteError>>,
}

impl HandOver {
    pub(super) fn bytes_max(&self) -> u64 {
        self.handed_over.encoded_len() as u64 + OVERHEAD_BYTES
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(NoteError::NoSpace));
    }

    /// A cursor that does not move forward and names nothing is recorded already.
    pub(super) fn decide(mut self, desk: &mut Desk) -> Result<(), Fatal> {
        if self.handed_over.next_leaf <= desk.state.cursor(&self.handed_over.client) {
            self.handed_over.next_leaf = 0;
        }
        if self.handed_over.next_leaf > 0 || !self.handed_over.leaves.is_empty() {
            desk.record(Fact::HandedOver(self.handed_over), None, Attachments::default())?;
        }
        desk.answer(move |_| {
            let _ = self.reply.send(Ok(()));
        });
        Ok(())
    }
}

impl Note {
    pub(super) fn bytes_max(&self) -> u64 {
        self.fact.encoded_len() as u64 + OVERHEAD_BYTES
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(NoteError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        desk.record(self.fact, None, Attachments::default())?;
        desk.answer(move |_| {
            let _ = self.reply.send(Ok(()));
        });
        Ok(())
    }
}
