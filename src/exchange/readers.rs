//! Readers who follow what arrives: its reading is recorded in the commit that records its arrival.
//!
//! Content leaves only after its reading is recorded. For one who waits for it anyway the two facts are one commit: it
//! leaves as soon as it is durable, and no commit is spent on the reading alone.

use crate::wire::ledger::v1::Read;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Most messages recorded as read before their reader has taken them. A stream that breaks leaves at most so many that
/// are recorded as read and never left.
const AHEAD: u64 = 256;

/// All who follow.
#[derive(Debug, Default)]
pub struct Readers(Mutex<Vec<Weak<Following>>>);

/// One who follows, until it is dropped.
#[derive(Debug)]
pub struct Following {
    /// The reading, without messages.
    reading: Read,
    window: Mutex<Window>,
}

/// The ledger indexes between which everything that arrived is recorded as read.
#[derive(Debug, Default)]
struct Window {
    /// The first; none before the deciding task has met the reader.
    first: Option<u64>,
    /// The first that is not, once the reader was too slow.
    end: Option<u64>,
    /// Messages recorded and not taken.
    untaken: u64,
}

impl Readers {
    /// Follows what arrives from now on. `reading` says who reads what for.
    pub fn follow(&self, reading: Read) -> Arc<Following> {
        let following = Arc::new(Following { reading, window: Mutex::default() });
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| reader.strong_count() > 0);
        readers.push(Arc::downgrade(&following));
        following
    }

    /// Those who follow now.
    pub(super) fn now(&self) -> Vec<Arc<Following>> {
        let readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.iter().filter_map(Weak::upgrade).filter(|reader| !reader.has_ended()).collect()
    }
}

impl Following {
    /// Whether the reading of the message that arrived at a ledger index is recorded.
    pub fn has_recorded(&self, leaf: u64) -> bool {
        let window = self.window();
        window.first.is_some_and(|first| first <= leaf) && window.end.is_none_or(|end| leaf < end)
    }

    /// Whether no more is recorded, because the reader was too slow.
    pub fn has_ended(&self) -> bool {
        self.window().end.is_some()
    }

    /// The reader has taken so many messages of those recorded.
    pub fn took(&self, messages: u64) {
        let mut window = self.window();
        window.untaken = window.untaken.saturating_sub(messages);
    }

    /// The reading of messages that arrive in one commit; `None` when none of them is to be recorded.
    pub(super) fn reads(&self, leaves: &[u64]) -> Option<Read> {
        let mut window = self.window();
        if window.end.is_some() {
            return None;
        }
        window.first = window.first.or(leaves.first().copied());
        let room = usize::try_from(AHEAD - window.untaken.min(AHEAD)).unwrap_or(0);
        window.end = leaves.get(room).copied();
        let leaves = leaves.get(..room).unwrap_or(leaves).to_vec();
        window.untaken += leaves.len() as u64;
        (!leaves.is_empty()).then(|| Read { leaves, ..self.reading.clone() })
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_keeps_up_is_recorded_without_a_gap() {
        let readers = Readers::default();
        let reader = readers.follow(Read { client: "bo".into(), ..Read::default() });
        assert!(!reader.has_recorded(10), "nothing before the deciding task has met it");
        for first in (10..1000).step_by(10) {
            let leaves: Vec<u64> = (first..first + 10).collect();
            let read = readers.now().first().and_then(|reader| reader.reads(&leaves)).unwrap();
            assert_eq!((read.client.as_str(), &read.leaves), ("bo", &leaves));
            reader.took(10);
        }
        assert!(reader.has_recorded(10) && reader.has_recorded(999) && !reader.has_recorded(9));
        drop(reader);
        assert!(readers.now().is_empty());
    }

    #[test]
    fn a_reader_who_does_not_take_is_recorded_so_far_and_no_further() {
        let readers = Readers::default();
        let reader = readers.follow(Read::default());
        let leaves: Vec<u64> = (0..AHEAD + 5).map(|leaf| 2 * leaf).collect();
        assert_eq!(reader.reads(&leaves).unwrap().leaves.len() as u64, AHEAD);
        assert!(reader.has_ended() && readers.now().is_empty());
        assert!(reader.has_recorded(2 * AHEAD - 2) && !reader.has_recorded(2 * AHEAD));
        reader.took(AHEAD);
        assert_eq!(reader.reads(&[5000]), None, "what has ended does not begin again with a gap");
    }
}
