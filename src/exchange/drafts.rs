//! Drafts on their way through the journal: each step follows the step its caller has seen, or none.

use super::event::Attachments;
use super::local::NoteError;
use super::writer::{Desk, Fatal};
use crate::limits;
use crate::wire::ledger::v1::{DraftChanged, Item, event::Fact};
use prost::Message as _;
use tokio::sync::oneshot;

/// Bytes that an event takes beside its fact and its text.
const OVERHEAD_BYTES: u64 = 2 << 10;

/// Why a step is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Somebody else took a step since.
    #[error("the draft has moved since it was read")]
    Moved,
    /// As many drafts are open as may be.
    #[error("as many drafts are open as may be")]
    TooMany,
    /// It was not recorded.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A step to record.
#[derive(Debug, Clone)]
pub struct DraftStep {
    /// What is done.
    pub change: DraftChanged,
    /// Ledger index of the step that the caller has seen last; `None` for a new draft.
    pub after: Option<u64>,
    /// The text, where the step brings one.
    pub item: Option<Item>,
}

pub(super) struct ChangeDraft {
    pub(super) step: DraftStep,
    pub(super) reply: oneshot::Sender<Result<u64, DraftError>>,
}

impl DraftStep {
    pub(super) fn bytes_max(&self) -> u64 {
        let item = self.item.as_ref().map_or(0, prost::Message::encoded_len);
        (self.change.encoded_len() + item) as u64 + OVERHEAD_BYTES
    }

    /// Whether the step follows the last one of its draft.
    pub(super) fn follows(&self, desk: &Desk) -> Result<(), DraftError> {
        let drafts = desk.state.drafts();
        let id: Result<[u8; 16], _> = self.change.draft_id.as_ref().try_into();
        let last = id.ok().and_then(|id| drafts.get(&id).copied());
        if last != self.after {
            return Err(DraftError::Moved);
        }
        if self.after.is_none() && drafts.len() >= limits::OPEN_DRAFTS {
            return Err(DraftError::TooMany);
        }
        Ok(())
    }

    pub(super) fn record(self, desk: &mut Desk) -> Result<u64, Fatal> {
        let attachments = Attachments { item: self.item, ..Attachments::default() };
        Ok(desk.record(Fact::DraftChanged(self.change), None, attachments)?.leaf)
    }
}

impl ChangeDraft {
    pub(super) fn bytes_max(&self) -> u64 {
        self.step.bytes_max()
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(NoteError::NoSpace.into()));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        if let Err(error) = self.step.follows(desk) {
            let _ = self.reply.send(Err(error));
            return Ok(());
        }
        let leaf = self.step.record(desk)?;
        desk.answer(move |_| {
            let _ = self.reply.send(Ok(leaf));
        });
        Ok(())
    }
}
