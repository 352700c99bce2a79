//! How fast somebody may make the ledger grow.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Seconds' worth that may come at once after a pause, where a rate is all that is given.
const BURST_SECONDS: u32 = 10;

/// One in each period, and some at once after a pause.
#[derive(Debug)]
pub struct Pace {
    period: Duration,
    burst: u32,
    /// When everything that was let in will have been paid for.
    paid: Mutex<Instant>,
}

impl Pace {
    /// One in each `period`, `burst` after a pause.
    pub fn new(period: Duration, burst: u32) -> Self {
        Self { period, burst, paid: Mutex::new(Instant::now()) }
    }

    /// So many a second, ten times as many after a pause.
    pub fn per_second(rate: u32) -> Self {
        Self::new(Duration::from_secs(1) / rate.max(1), rate.saturating_mul(BURST_SECONDS))
    }

    /// Whether one more may come now; if so it counts.
    pub fn admits(&self) -> bool {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let until = (*paid).max(now) + self.period;
        let admitted = until.duration_since(now) <= self.period * self.burst;
        if admitted {
            *paid = until;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_it_waits() {
        let pace = Pace::per_second(1);
        let admitted = (0..100).filter(|_| pace.admits()).count();
        assert_eq!(admitted, 10);
        assert!((0..100).all(|_| !pace.admits()));
        let quick = Pace::new(Duration::from_millis(20), 1);
        assert!(quick.admits() && !quick.admits());
        std::thread::sleep(Duration::from_millis(40));
        assert!(quick.admits(), "one more for each period");
    }
}
