//! Every resource bound of the process, with its unit.
//!
//! A bound is checked before the resource is taken. What configuration may change has its default
//! here; the hard ceilings are those of the types that carry it.

use std::time::Duration;

/// Authenticated connections the peer door holds at once: one channel needs two, restarts overlap.
pub const PEER_CONNECTIONS: usize = 64;
/// Authenticated connections the back-office door holds at once.
pub const BACKOFFICE_CONNECTIONS: usize = 512;
/// Authenticated connections the operations door holds at once.
pub const OPERATIONS_CONNECTIONS: usize = 64;
/// Connections one client key (its SPKI) may hold at once.
pub const CONNECTIONS_PER_KEY: usize = 16;
/// Connections that have not yet finished their TLS handshake; the oldest one makes room.
pub const HANDSHAKES_IN_FLIGHT: usize = 64;
/// From accept to the finished TLS handshake, the first byte included.
pub const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a client whose handshake failed may take to read why.
pub const ALERT_LINGER: Duration = Duration::from_millis(500);

/// HTTP/2 streams open at once on one connection of the peer door.
pub const PEER_STREAMS_PER_CONNECTION: u32 = 32;
/// HTTP/2 streams open at once on one connection of the back-office door.
pub const BACKOFFICE_STREAMS_PER_CONNECTION: u32 = 128;
/// Decoded header list, in bytes (RFC 9113 §6.5.2); trailers with error details included.
pub const HEADER_LIST_BYTES: u32 = 16 * 1024;
/// HTTP/2 frame payload, in bytes (RFC 9113 §4.2: the smallest a peer must accept).
pub const FRAME_BYTES: u32 = 16 * 1024;
/// Flow-control window of one stream, in bytes: one message fits without a round trip.
pub const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// Flow-control window of one connection, in bytes: bounds what a sender has in flight.
pub const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Bytes one stream may have queued for a client that does not read.
pub const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Streams reset by the client before they were accepted (rapid reset, CVE-2023-44487).
pub const PENDING_ACCEPT_RESET_STREAMS: usize = 20;
/// Streams reset by us for a protocol error (RUSTSEC-2024-0003), per connection.
pub const LOCAL_ERROR_RESET_STREAMS: usize = 64;
/// Read buffer of an HTTP/1.1 connection, in bytes; bounds request line and headers.
pub const HTTP1_BUFFER_BYTES: usize = 16 * 1024;

/// One gRPC message, in bytes, either way; documents travel in chunks.
pub const MESSAGE_BYTES: usize = 1024 * 1024;
/// Bytes of unary requests held at once, per door.
pub const BYTES_IN_FLIGHT: usize = 32 * 1024 * 1024;
/// Unary requests being worked on at once, per door.
pub const REQUESTS_IN_FLIGHT: usize = 256;
/// Long-lived calls (streams) open at once, per door.
pub const STREAMS_IN_FLIGHT: usize = 1024;
/// Answer time of a unary call: the default when the client names none, and the most it may ask.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// When a caller who was turned away for load should try again.
pub const OVERLOAD_RETRY: Duration = Duration::from_secs(1);

/// Silence on a connection before an HTTP/2 PING.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Wait for the answer to that PING before the connection is given up.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// A connection without a call for so long is closed.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(120);
/// Longest age of a connection, before jitter of up to a tenth is taken off; then GOAWAY.
pub const CONNECTION_AGE: Duration = Duration::from_secs(3600);
/// Time for open calls to end after GOAWAY before the connection is cut.
pub const CONNECTION_GRACE: Duration = Duration::from_secs(30);
/// Cosigned heads that a restored side offers as common; older ones lie before every backup that anybody keeps.
pub const RECALL_HEADS: usize = 256;
/// Epochs of the other Party before its current one whose receipts are accepted.
pub const EARLIER_EPOCHS: u32 = 16;
/// How often it is looked whether a key is to be introduced or retired.
pub const ROTATION_LOOK: Duration = Duration::from_secs(1);
/// How often a connection looks at its idle time and its certificate; an unfit session ends within it.
pub const CONNECTION_TICK: Duration = Duration::from_secs(5);

/// First sleep after `accept` failed for want of descriptors or memory; doubles.
pub const ACCEPT_BACKOFF_FIRST: Duration = Duration::from_millis(10);
/// Longest such sleep.
pub const ACCEPT_BACKOFF_LAST: Duration = Duration::from_secs(1);
/// One log line of a kind per this time at most; the rest are counted.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Looking up a host name when dialling.
pub const DIAL_RESOLVE: Duration = Duration::from_secs(5);
/// TCP connection to one address.
pub const DIAL_TCP: Duration = Duration::from_secs(5);
/// TLS handshake when dialling, HTTP/2 preface included.
pub const DIAL_TLS: Duration = Duration::from_secs(5);
/// Addresses tried of those a name resolves to.
pub const DIAL_ADDRESSES: usize = 8;

/// A certificate or key file, in bytes.
pub const TLS_FILE_BYTES: u64 = 1024 * 1024;
/// A certificate revocation list file, in bytes.
pub const CRL_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Field violations one refusal names.
pub const REFUSAL_VIOLATIONS: usize = 24;
/// Encoded details of a refusal: 5 KiB in a header, where they stand in base64, beside a text of percent signs, under
/// the 8 KiB that common clients take.
pub const REFUSAL_DETAILS_BYTES: usize = 3840;
/// Bytes of one text in a refusal.
pub const REFUSAL_TEXT_BYTES: usize = 200;

/// An envelope's bytes.
pub const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// A body's bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// A signature's bytes.
pub const SIGNATURE_BYTES_MAX: usize = 8 * 1024;

/// Messages in one of the first requests of a session; doubles with each answer.
pub const DELIVERIES_PER_FIRST_REQUEST: usize = 8;
/// Messages in one request of a delivery.
pub const DELIVERIES_PER_REQUEST: usize = 128;
/// Bytes of messages in one request of a delivery, unless a single message is longer.
pub const DELIVERY_REQUEST_BYTES: usize = 512 * 1024;
// Whatever a courier sends fits the one message that the other side takes: salts and framing have the rest.
const _: () = assert!(
    2 * DELIVERY_REQUEST_BYTES <= MESSAGE_BYTES
        && ENVELOPE_BYTES_MAX + BODY_BYTES_MAX + SIGNATURE_BYTES_MAX <= DELIVERY_REQUEST_BYTES
);
/// Messages that make another delivery request worth sending while one is under way.
pub const DELIVERIES_WORTH_A_REQUEST: usize = 64;
/// Delivery requests sent and not yet answered.
pub const DELIVERY_REQUESTS_IN_FLIGHT: usize = 8;
/// Deliver streams of the other Party open at once, all its connections together.
pub const DELIVER_STREAMS: usize = 4;
/// Delivery requests of the other Party being verified or stored at once.
pub const DELIVERY_REQUESTS_HELD: usize = 8;
/// Deliveries whose signatures one task verifies: a request of many is spread over the cores.
pub const DELIVERIES_VERIFIED_TOGETHER: usize = 4;
/// Longest wait for the answer to a delivery request.
pub const DELIVERY_ANSWER: Duration = Duration::from_secs(60);
/// Longest wait for the answer to Open.
pub const OPEN_ANSWER: Duration = Duration::from_secs(15);

/// Shortest time between two heads shown to be cosigned.
pub const WITNESS_INTERVAL: Duration = Duration::from_secs(1);
/// Heads shown one after the other when what is accepted moves meanwhile, before the pause between them.
pub const WITNESS_CROSSINGS: u32 = 50;
/// Longest time without a cosignature: the heartbeat of an idle channel.
pub const WITNESS_HEARTBEAT: Duration = Duration::from_secs(30);
/// Shortest time between two heads of the other Party that are recorded.
pub const WITNESS_RECORDS: Duration = Duration::from_millis(500);
/// Heads of the other Party that may be recorded at once after a pause.
pub const WITNESS_BURST: u32 = 8;

/// How often is looked for a receipt that is overdue, at most.
pub const OVERDUE_LOOK: Duration = Duration::from_secs(30);
/// Difference to the other Party's clock beyond which it is an event and an alarm.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// How often the machine's clock is compared with the floor.
pub const CLOCK_LOOK: Duration = Duration::from_secs(1);
/// How far the clock may be below the floor: a clock that is disciplined is set back by less.
pub const CLOCK_FALL: Duration = Duration::from_secs(2);
/// 2026-01-01T00:00:00Z, in seconds since 1970: this software is younger, so no clock that is right says less.
pub const CLOCK_FLOOR: i64 = 1_767_225_600;

/// Items read from the journal at once for a feed.
pub const FEED_PAGE: usize = 256;
/// Bytes of content read at once for a feed.
pub const FEED_PAGE_BYTES: usize = 1024 * 1024;
/// Sign of life on a quiet feed.
pub const FEED_HEARTBEAT: Duration = Duration::from_secs(15);
/// Feeds one client may have open.
pub const FEEDS_PER_CLIENT: usize = 16;
/// Messages on a page of a list, where the caller names no number.
pub const PAGE_SIZE: usize = 50;
/// Messages on a page of a list at most, whatever the caller asks for.
pub const PAGE_SIZE_MAX: usize = 500;
/// Rows looked at for one page; a page may be short, and the next goes on.
pub const PAGE_BUDGET: usize = 20_000;
/// How long a query waits for the index to cover what is durable.
pub const INDEX_PATIENCE: Duration = Duration::from_secs(2);

/// Drafts that may be open at once. Each is held in memory by its identity.
pub const OPEN_DRAFTS: usize = 1000;
