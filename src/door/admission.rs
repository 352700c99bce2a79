//! Who may hold a socket: unfinished handshakes, connections, connections of one key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::crypto::Digest;

/// The unfinished handshakes of one door. A newcomer always gets in: when all places are taken, the oldest handshake
/// is ended, so silent sockets cannot keep an honest client waiting.
pub(super) struct Handshakes {
    most: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    next: u64,
    open: VecDeque<(u64, CancellationToken)>,
}

/// One unfinished handshake; gives its place back when dropped.
pub(super) struct Handshake {
    door: Arc<Handshakes>,
    number: u64,
    evicted: CancellationToken,
}

impl Handshakes {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), queue: Mutex::default() })
    }

    /// A place, and whether another had to go for it.
    pub fn enter(self: &Arc<Self>) -> (Handshake, bool) {
        let mut queue = locked(&self.queue);
        let full = queue.open.len() >= self.most;
        if full && let Some((_, oldest)) = queue.open.pop_front() {
            oldest.cancel();
        }
        let number = queue.next;
        queue.next = number.wrapping_add(1);
        let evicted = CancellationToken::new();
        queue.open.push_back((number, evicted.clone()));
        (Handshake { door: self.clone(), number, evicted }, full)
    }
}

impl Handshake {
    /// Resolves when a newcomer takes the place.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        locked(&self.door.queue).open.retain(|(number, _)| *number != self.number);
    }
}

/// The admitted connections of one door.
pub(super) struct Connections {
    most: usize,
    most_per_key: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    keys: BTreeMap<Digest, usize>,
}

/// One admitted connection; gives its place back when dropped.
pub(super) struct Admitted {
    door: Arc<Connections>,
    key: Digest,
}

/// Why a connection is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The door holds as many as it may.
    Door,
    /// The key holds as many as it may.
    Key,
}

impl Connections {
    pub fn new(most: usize, most_per_key: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_key, open: Mutex::default() })
    }

    /// Whether nobody could be admitted now: then a handshake is not worth its cost.
    pub fn is_full(&self) -> bool {
        locked(&self.open).all >= self.most
    }

    /// A place for one connection of `key`.
    pub fn admit(self: &Arc<Self>, key: Digest) -> Result<Admitted, Full> {
        let mut open = locked(&self.open);
        if open.all >= self.most {
            return Err(Full::Door);
        }
        let held = open.keys.get(&key).copied().unwrap_or(0);
        if held >= self.most_per_key {
            return Err(Full::Key);
        }
        open.keys.insert(key, held + 1);
        open.all += 1;
        Ok(Admitted { door: self.clone(), key })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = locked(&self.door.open);
        open.all = open.all.saturating_sub(1);
        match open.keys.get_mut(&self.key) {
            Some(held) if *held > 1 => *held -= 1,
            _ => {
                open.keys.remove(&self.key);
            }
        }
    }
}

/// No holder of these locks can leave what they guard half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_handshake_makes_room() {
        let door = Handshakes::new(2);
        let (first, none) = door.enter();
        let (second, _) = door.enter();
        assert!(!none);
        let (third, evicting) = door.enter();
        assert!(evicting && first.evicted.is_cancelled());
        assert!(!second.evicted.is_cancelled() && !third.evicted.is_cancelled());
        drop((first, second));
        let (_fourth, evicting) = door.enter();
        assert!(!evicting && !third.evicted.is_cancelled());
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let door = Connections::new(3, 2);
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let first = door.admit(one).unwrap();
        let _second = door.admit(one).unwrap();
        assert_eq!(door.admit(one).err(), Some(Full::Key));
        let third = door.admit(other).unwrap();
        assert_eq!(door.admit(other).err(), Some(Full::Door));
        assert!(door.is_full());
        drop((first, third));
        assert!(!door.is_full());
        assert!(door.admit(one).is_ok());
        assert_eq!(locked(&door.open).keys.len(), 1);
    }
}
