//! How delivery to the other Party goes, as the other doors show it.

use prost_types::Timestamp;

/// Whether messages reach the other Party, and if not, why and since when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// The other daemon is reached, agrees on where the chains stand, and gives sound receipts for what waits.
    pub open: bool,
    /// Stable code of the last failure; empty while open.
    pub reason: String,
    /// Since when delivery has been failing.
    pub failing_since: Option<Timestamp>,
    /// Attempts since then.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Key exchange group of the current connection.
    pub tls_group: String,
    /// When the other Party last cosigned this ledger, by its clock, in this session.
    pub cosigned_at: Option<Timestamp>,
    /// Seconds that the other Party's clock was ahead of this one then; negative: behind.
    pub peer_ahead_seconds: i64,
}
