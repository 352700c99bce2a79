//! When delivery is tried again: capped exponential back-off with jitter, for as long as it takes.

use std::time::Duration;

/// The settings of the back-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Longest wait before the first retry.
    pub first: Duration,
    /// Longest wait ever.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), cap: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row (from 1). `jitter` is uniform in 0..=u32::MAX and spreads the
    /// wait over its upper half, so that two daemons never fall into step.
    pub fn wait(&self, failures: u32, jitter: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        full / 2 + (full / 2).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_to_the_cap_and_never_beyond(failures in 1u32.., jitter: u32) {
            let backoff = Backoff::default();
            let wait = backoff.wait(failures, jitter);
            prop_assert!(wait <= backoff.cap);
            prop_assert!(wait >= backoff.first.min(backoff.cap) / 2);
            if failures > 20 {
                prop_assert!(wait >= backoff.cap / 2);
            }
        }
    }
}
