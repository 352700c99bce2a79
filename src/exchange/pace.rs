//! How fast somebody may make the ledger grow.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Seconds' worth that may come at once after a pause.
const BURST_SECONDS: f64 = 10.0;

/// So many a second, and some at once after a pause.
#[derive(Debug)]
pub struct Pace {
    per_second: f64,
    state: Mutex<(f64, Instant)>,
}

impl Pace {
    /// `per_second` events a second, ten times as many after a pause.
    pub fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, state: Mutex::new((per_second * BURST_SECONDS, Instant::now())) }
    }

    /// Whether one more may come now; if so it counts.
    pub fn admits(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let now = Instant::now();
        let earned = now.duration_since(since).as_secs_f64() * self.per_second;
        let left = (left + earned).min(self.per_second * BURST_SECONDS);
        let admitted = left >= 1.0;
        *state = (if admitted { left - 1.0 } else { left }, now);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_it_waits() {
        let pace = Pace::new(1);
        let admitted = (0..100).filter(|_| pace.admits()).count();
        assert_eq!(admitted, 10);
        assert!((0..100).all(|_| !pace.admits()));
    }
}
