//! One served connection: its HTTP bounds, and the reasons for which it ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_rustls::server::TlsStream;

use super::accept::Door;
use super::call;
use super::counters::Count;
use super::identity::PeerIdentity;
use super::shutdown::Draining;
use super::standing::Standing;
use crate::crypto::random;
use crate::limits;

/// What was chosen by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// By its ALPN name.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"h2" => Some(Self::Http2),
            b"http/1.1" => Some(Self::Http1),
            _ => None,
        }
    }
}

/// What the calls of one connection share.
pub(super) struct Session {
    pub door: Arc<Door>,
    pub identity: PeerIdentity,
    pub standing: Standing,
    pub activity: Arc<Activity>,
    pub draining: Draining,
    protocol: Protocol,
}

impl Session {
    pub fn new(door: Arc<Door>, identity: PeerIdentity, standing: Standing, protocol: Protocol) -> Self {
        Self { door, identity, standing, activity: Arc::default(), draining: Draining::default(), protocol }
    }
}

/// Serves calls until the client leaves, the door drains, the certificate no longer qualifies, or idle time, age or
/// keepalive end it.
pub(super) async fn serve(stream: TlsStream<TcpStream>, session: Session) {
    let session = Arc::new(session);
    let io = TokioIo::new(stream);
    let calls = session.clone();
    let service = service_fn(move |request| call::answer(calls.clone(), request));
    match session.protocol {
        Protocol::Http2 => {
            let connection = bounded_http2(&session).serve_connection(io, service);
            drive(std::pin::pin!(connection), |connection| connection.graceful_shutdown(), &session).await;
        }
        Protocol::Http1 => {
            let connection = bounded_http1(&session).serve_connection(io, service);
            drive(std::pin::pin!(connection), |connection| connection.graceful_shutdown(), &session).await;
        }
    }
}

fn bounded_http2(session: &Session) -> http2::Builder<TokioExecutor> {
    let bounds = &session.door.settings.limits;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams_per_connection)
        .max_header_list_size(bounds.header_list_bytes)
        .max_frame_size(limits::FRAME_BYTES)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(limits::SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(limits::PENDING_ACCEPT_RESET_STREAMS)
        .max_local_error_reset_streams(limits::LOCAL_ERROR_RESET_STREAMS)
        .keep_alive_interval(bounds.keepalive_interval)
        .keep_alive_timeout(bounds.keepalive_timeout);
    builder
}

fn bounded_http1(session: &Session) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(session.door.settings.limits.idle)
        .max_buf_size(limits::HTTP1_BUFFER_BYTES);
    builder
}

/// Polls the connection to its end. `leave` sends GOAWAY (RFC 9113 §6.8), or ends keep-alive in HTTP/1.1.
async fn drive<C>(mut connection: Pin<&mut C>, leave: impl Fn(Pin<&mut C>), session: &Session)
where
    C: Future<Output = Result<(), hyper::Error>>,
{
    let door = &session.door;
    let bounds = &door.settings.limits;
    // A period of zero is not one.
    let mut tick = interval(bounds.tick.max(Duration::from_millis(1)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = door.tls.changes();
    // One timer: first the age, and once leaving the grace.
    let mut timer = std::pin::pin!(sleep(with_jitter(bounds.age)));
    let mut leaving = false;
    loop {
        let reason = tokio::select! {
            // How a client leaves is its own affair: every way of it ends the connection.
            _ = connection.as_mut() => return,
            () = session.standing.lost() => return door.count(Count::Disqualified),
            () = timer.as_mut() => {
                if leaving {
                    return door.count(Count::Cut);
                }
                Some(Count::Aged)
            }
            () = door.shutdown.draining(), if !leaving => None,
            _ = tick.tick() => {
                session.standing.holds(SystemTime::now());
                if leaving || session.activity.idle() < bounds.idle {
                    continue;
                }
                Some(Count::Idle)
            }
            Ok(()) = changes.changed() => {
                session.standing.holds(SystemTime::now());
                continue;
            }
        };
        if let Some(reason) = reason {
            door.count(reason);
        }
        leaving = true;
        session.draining.begin();
        leave(connection.as_mut());
        timer.set(sleep(bounds.grace));
    }
}

/// Up to a tenth less, so that connections made together do not all return together.
fn with_jitter(age: Duration) -> Duration {
    let draw = u16::from_be_bytes(random::array().unwrap_or_default());
    age.saturating_sub(age.mul_f64(f64::from(draw) / (10.0 * f64::from(u16::MAX))))
}

/// The open calls of one connection, and since when there are none.
pub(super) struct Activity(Mutex<(usize, Instant)>);

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new((0, Instant::now())))
    }
}

/// One open call.
pub(super) struct Active(Arc<Activity>);

impl Activity {
    pub fn begin(self: &Arc<Self>) -> Active {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += 1;
        Active(self.clone())
    }

    /// How long no call has been open.
    fn idle(&self) -> Duration {
        let (open, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open > 0 { Duration::ZERO } else { since.elapsed() }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let mut activity = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *activity = (activity.0.saturating_sub(1), Instant::now());
    }
}
