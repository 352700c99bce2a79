//! One door's bounds.

use std::time::Duration;

use crate::limits;

/// What one door allows. The defaults are those of the peer door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Authenticated connections at once.
    pub connections: usize,
    /// Connections of one client key at once.
    pub connections_per_key: usize,
    /// Unfinished handshakes at once.
    pub handshakes: usize,
    /// From accept to the finished handshake.
    pub handshake: Duration,
    /// HTTP/2 streams at once on one connection.
    pub streams_per_connection: u32,
    /// Decoded header list, bytes.
    pub header_list_bytes: u32,
    /// Unary requests being worked on at once.
    pub requests_in_flight: usize,
    /// Long-lived calls open at once.
    pub streams_in_flight: usize,
    /// Default and longest answer time of a unary call.
    pub deadline: Duration,
    /// Silence before a PING.
    pub keepalive_interval: Duration,
    /// Wait for its answer.
    pub keepalive_timeout: Duration,
    /// A connection without a call for so long is closed.
    pub idle: Duration,
    /// Longest age of a connection.
    pub age: Duration,
    /// From GOAWAY to the cut.
    pub grace: Duration,
    /// How often a connection's standing is looked at.
    pub tick: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::PEER_CONNECTIONS,
            connections_per_key: limits::CONNECTIONS_PER_KEY,
            handshakes: limits::HANDSHAKES_IN_FLIGHT,
            handshake: limits::HANDSHAKE,
            streams_per_connection: limits::PEER_STREAMS_PER_CONNECTION,
            header_list_bytes: limits::HEADER_LIST_BYTES,
            requests_in_flight: limits::REQUESTS_IN_FLIGHT,
            streams_in_flight: limits::STREAMS_IN_FLIGHT,
            deadline: limits::DEADLINE,
            keepalive_interval: limits::KEEPALIVE_INTERVAL,
            keepalive_timeout: limits::KEEPALIVE_TIMEOUT,
            idle: limits::CONNECTION_IDLE,
            age: limits::CONNECTION_AGE,
            grace: limits::CONNECTION_GRACE,
            tick: limits::CONNECTION_TICK,
        }
    }
}

impl Limits {
    /// The bounds of the back-office door: more clients, more calls on each connection.
    #[must_use]
    pub fn backoffice() -> Self {
        Self {
            connections: limits::BACKOFFICE_CONNECTIONS,
            streams_per_connection: limits::BACKOFFICE_STREAMS_PER_CONNECTION,
            ..Self::default()
        }
    }

    /// The bounds of the operations door.
    #[must_use]
    pub fn operations() -> Self {
        Self { connections: limits::OPERATIONS_CONNECTIONS, ..Self::default() }
    }
}
