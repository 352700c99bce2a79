//! This Party as a cosigner of the other Party's ledger.

use super::Link;
use crate::exchange::keys::KeyMissing;
use crate::ledger::cosignature::message;
use std::sync::{Arc, Mutex, PoisonError};

/// What was cosigned last. A cosignature says that no larger head was seen up to its time: a smaller one at a later time
/// would prove against this Party that it took that back.
#[derive(Debug, Clone, Default)]
pub(super) struct Stated(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    epoch: u32,
    size: u64,
    time: u64,
}

impl Stated {
    /// The time to state for a head of this size in an epoch of the other Party; `None` for one that was overtaken.
    fn state(&self, epoch: u32, size: u64, now: u64) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if (epoch, size) < (last.epoch, last.size) {
            return None;
        }
        *last = Last { epoch, size, time: now.max(last.time) };
        Some(last.time)
    }
}

impl Link {
    /// This Party's cosignature over a head of this epoch and size that it has recorded; `None` when a larger one was
    /// cosigned meanwhile.
    pub(super) fn cosign(&self, epoch: u32, size: u64, body: &str) -> Result<Option<String>, KeyMissing> {
        let (core, state) = (self.engine.core(), self.engine.state());
        let keys = core.keys.load();
        let key = keys.ledger(state.keys())?;
        // A clock that was set back moves no time back that this Party recorded or stated.
        let now = core.clock.now().seconds.max(state.last_recorded_at().map_or(0, |last| last.seconds));
        let Some(time) = self.stated.state(epoch, size, u64::try_from(now).unwrap_or(0)) else {
            return Ok(None);
        };
        let signature = key.sign(message(time, body).as_bytes());
        Ok(Some(core.terms.cosigner(state.epoch(), key.public()).signature(time, &signature).line()))
    }
}

#[cfg(test)]
mod tests {
    use super::Stated;

    #[test]
    fn neither_size_nor_time_falls_within_an_epoch() {
        let stated = Stated::default();
        assert_eq!(stated.state(1, 5, 100), Some(100));
        assert_eq!(stated.state(1, 5, 101), Some(101), "the heartbeat");
        assert_eq!(stated.state(1, 9, 90), Some(101), "the clock was set back");
        assert_eq!(stated.state(1, 5, 200), None, "overtaken");
        assert_eq!(stated.state(2, 4, 200), Some(200), "a restored ledger may be shorter");
        assert_eq!(stated.state(1, 9, 300), None);
    }
}
