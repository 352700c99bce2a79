//! Time as an argument: the machine's clock, or one that a test moves.

use prost_types::Timestamp;
use std::fmt::Debug;
use std::time::SystemTime;

/// Tells the time of day.
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now())
    }
}
