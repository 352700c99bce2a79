//! What a door counts. The names are a closed set, fit for metric labels.

use std::sync::atomic::{AtomicU64, Ordering};

/// Everything that a door counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Count {
    /// Sockets accepted.
    Accepted,
    /// Connections that finished TLS and were admitted.
    Established,
    /// `accept` failed: descriptors, memory, or the network.
    AcceptFailed,
    /// Turned away: the door holds as many connections as it may.
    ConnectionsFull,
    /// Turned away: this key holds as many connections as it may.
    KeyFull,
    /// A silent or the oldest handshake made room for a newcomer.
    HandshakeEvicted,
    /// The handshake took too long.
    HandshakeTimeout,
    /// The handshake failed: version, certificate, garbage.
    HandshakeFailed,
    /// The client did not choose an application protocol that the door speaks.
    ProtocolRefused,
    /// A session was closed because its certificate no longer qualifies.
    Disqualified,
    /// A connection was closed after too long a time without a call.
    Idle,
    /// A connection was asked to end because of its age.
    Aged,
    /// A connection was cut after its grace.
    Cut,
    /// Calls that reached a handler.
    Calls,
    /// Calls turned away for load.
    Overloaded,
    /// Calls that ended at their deadline.
    DeadlineExceeded,
}

impl Count {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Accepted,
        Self::Established,
        Self::AcceptFailed,
        Self::ConnectionsFull,
        Self::KeyFull,
        Self::HandshakeEvicted,
        Self::HandshakeTimeout,
        Self::HandshakeFailed,
        Self::ProtocolRefused,
        Self::Disqualified,
        Self::Idle,
        Self::Aged,
        Self::Cut,
        Self::Calls,
        Self::Overloaded,
        Self::DeadlineExceeded,
    ];

    /// Stable label for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Established => "established",
            Self::AcceptFailed => "accept_failed",
            Self::ConnectionsFull => "connections_full",
            Self::KeyFull => "key_full",
            Self::HandshakeEvicted => "handshake_evicted",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::HandshakeFailed => "handshake_failed",
            Self::ProtocolRefused => "protocol_refused",
            Self::Disqualified => "disqualified",
            Self::Idle => "idle",
            Self::Aged => "aged",
            Self::Cut => "cut",
            Self::Calls => "calls",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded => "deadline_exceeded",
        }
    }
}

/// The counters of one door; they only rise while the process runs.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; Count::ALL.len()]);

impl Counters {
    /// One more.
    pub fn add(&self, count: Count) {
        if let Some(counter) = self.0.get(count as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many so far.
    #[must_use]
    pub fn get(&self, count: Count) -> u64 {
        self.0.get(count as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_its_own_place() {
        for (place, count) in Count::ALL.into_iter().enumerate() {
            assert_eq!(place, count as usize, "{}", count.label());
        }
    }
}
