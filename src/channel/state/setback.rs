//! What sets a chain back: a store that was put back from a backup, and keys that were stolen.

use super::{ChainEnd, FoldError, State};
use crate::crypto::digest::Digest;
use crate::wire::ledger::v1::{PeerRestored, Restored};

impl State {
    /// The chain of sealed messages goes on from the last that both sides hold alike.
    pub(super) fn restore(&mut self, restored: &Restored) -> Result<(), FoldError> {
        self.restoring = !restored.complete;
        if restored.complete {
            return Ok(());
        }
        if restored.from_epoch != self.epoch || restored.sealed_sequence > self.sealed.sequence {
            return Err(FoldError::Epoch);
        }
        self.sealed = ChainEnd {
            sequence: restored.sealed_sequence,
            digest: Digest::from_slice(&restored.sealed_digest).unwrap_or(Digest::ZERO),
            signed_at: restored.sealed_at,
        };
        self.acknowledged = self.acknowledged.min(restored.sealed_sequence);
        self.overdue = self.overdue.min(restored.sealed_sequence);
        self.complaint_answered = self.complaint_answered.min(restored.sealed_sequence);
        Ok(())
    }

    /// What the other Party does not stand by is not its: its chain goes on from before it.
    pub(super) fn set_back_consumed(&mut self, restored: &PeerRestored) -> Result<(), FoldError> {
        if restored.consumed_sequence > self.consumed.sequence {
            return Err(FoldError::Sequence);
        }
        self.consumed = ChainEnd {
            sequence: restored.consumed_sequence,
            digest: Digest::from_slice(&restored.consumed_digest).unwrap_or(Digest::ZERO),
            signed_at: restored.consumed_at,
        };
        self.acknowledged = self.acknowledged.min(restored.receipted_sequence);
        Ok(())
    }
}
