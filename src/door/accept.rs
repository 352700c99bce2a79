//! From listening socket to served connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::service::Routes;

use super::admission::{Admitted, Connections, Full, Handshakes};
use super::budget::Budget;
use super::connection::{self, Session};
use super::counters::{Count, Counters};
use super::identity::PeerIdentity;
use super::limits::Limits;
use super::shutdown::Shutdown;
use super::standing::Standing;
use super::throttle::Throttle;
use super::tls::TlsState;
use crate::crypto::Certificate;
use crate::limits;

/// What makes one door this door.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// For the log: `peer`, `backoffice`, `operations`.
    pub name: &'static str,
    /// Its bounds.
    pub limits: Limits,
    /// Calls that live long and have no deadline of ours: full method paths (`/package.Service/Method`), or prefixes
    /// that end in `/`.
    pub long_lived: Vec<&'static str>,
    /// What it counts; keep a clone to read it.
    pub counters: Arc<Counters>,
}

/// What the connections of one door share.
pub(super) struct Door {
    pub settings: DoorSettings,
    pub tls: Arc<TlsState>,
    pub routes: Routes,
    pub shutdown: Shutdown,
    pub requests: Arc<Semaphore>,
    pub budget: Arc<Budget>,
    pub streams: Arc<Semaphore>,
    handshakes: Arc<Handshakes>,
    connections: Arc<Connections>,
    quiet: Throttle,
}

/// Accepts connections and serves `routes` on them until `shutdown` drains; then the listener closes, and the
/// connections, which are tasks of `shutdown`, end by themselves or are cut by it.
///
/// Every client shows a certificate that `tls` accepts, over TLS 1.3 with ALPN (RFC 7301); handlers find it as
/// [`PeerIdentity`] in the request's extensions, and beside it [`super::Draining`]. A failing `accept` is retried after a
/// pause that doubles from [`limits::ACCEPT_BACKOFF_FIRST`] to [`limits::ACCEPT_BACKOFF_LAST`].
pub async fn serve(
    listener: TcpListener,
    tls: Arc<TlsState>,
    routes: Routes,
    settings: DoorSettings,
    shutdown: Shutdown,
) {
    let bounds = &settings.limits;
    let door = Arc::new(Door {
        budget: Budget::new(limits::BYTES_IN_FLIGHT),
        requests: Arc::new(Semaphore::new(bounds.requests_in_flight.min(Semaphore::MAX_PERMITS))),
        streams: Arc::new(Semaphore::new(bounds.streams_in_flight.min(Semaphore::MAX_PERMITS))),
        handshakes: Handshakes::new(bounds.handshakes),
        connections: Connections::new(bounds.connections, bounds.connections_per_key),
        quiet: Throttle::new(limits::LOG_INTERVAL),
        routes: routes.prepare(),
        settings,
        tls,
        shutdown,
    });
    let mut pause = limits::ACCEPT_BACKOFF_FIRST;
    loop {
        let accepted = tokio::select! {
            biased;
            () = door.shutdown.draining() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, remote)) => {
                pause = limits::ACCEPT_BACKOFF_FIRST;
                door.count(Count::Accepted);
                door.shutdown.spawn(receive(door.clone(), tcp, remote));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => pause = door.pause(&error, pause).await,
        }
    }
}

impl Door {
    pub fn count(&self, count: Count) {
        self.settings.counters.add(count);
    }

    /// Counts a connection that came to nothing, and logs it unless too many others were logged just now.
    fn turn_away(&self, count: Count, remote: SocketAddr, cause: &dyn std::fmt::Display) {
        self.count(count);
        if let Some(left_out) = self.quiet.admit() {
            let (door, reason) = (self.settings.name, count.label());
            tracing::warn!(door, reason, %remote, %cause, left_out, "connection turned away");
        }
    }

    /// Waits out a failure of `accept` for want of descriptors, buffers or memory; returns the next pause.
    async fn pause(&self, error: &io::Error, pause: Duration) -> Duration {
        self.count(Count::AcceptFailed);
        if let Some(left_out) = self.quiet.admit() {
            tracing::warn!(door = self.settings.name, %error, left_out, "cannot accept connections");
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.shutdown.draining() => {}
        }
        pause.saturating_mul(2).min(limits::ACCEPT_BACKOFF_LAST)
    }
}

/// The connection died before it was accepted; the next one may be well.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn receive(door: Arc<Door>, tcp: TcpStream, remote: SocketAddr) {
    if door.connections.is_full() {
        return door.turn_away(Count::ConnectionsFull, remote, &"no place left");
    }
    // Without it small frames wait for the other side's acknowledgements; with an error it is slow, not wrong.
    let _ = tcp.set_nodelay(true);
    let generation = door.tls.generation();
    let Some(stream) = shake_hands(&door, tcp, remote).await else { return };
    let Some((session, admitted)) = admit(&door, &stream, remote, generation) else { return };
    door.count(Count::Established);
    connection::serve(stream, session).await;
    drop(admitted);
}

async fn shake_hands(door: &Door, tcp: TcpStream, remote: SocketAddr) -> Option<TlsStream<TcpStream>> {
    let (place, evicting) = door.handshakes.enter();
    if evicting {
        door.count(Count::HandshakeEvicted);
    }
    let acceptor = TlsAcceptor::from(door.tls.server_config());
    let done = tokio::select! {
        () = place.evicted() => return None,
        () = door.shutdown.draining() => return None,
        done = timeout(door.settings.limits.handshake, acceptor.accept(tcp).into_fallible()) => done,
    };
    match done {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err((error, tcp))) => {
            door.turn_away(Count::HandshakeFailed, remote, &error);
            tokio::select! {
                () = place.evicted() => {}
                _ = timeout(limits::ALERT_LINGER, drain(tcp)) => {}
            }
        }
        Err(_) => door.turn_away(Count::HandshakeTimeout, remote, &"handshake not finished in time"),
    }
    None
}

/// Reads what the client still had to say: closing a socket with unread bytes resets it, and the alert that tells the
/// client why would be lost (RFC 9293 §3.10.4).
async fn drain(mut tcp: TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    tcp.shutdown().await?;
    while tcp.read(&mut rest).await? > 0 {}
    Ok(())
}

fn admit(
    door: &Arc<Door>,
    stream: &TlsStream<TcpStream>,
    remote: SocketAddr,
    generation: u64,
) -> Option<(Session, Admitted)> {
    let (_, tls) = stream.get_ref();
    // rustls lets a client pass that offers no protocol at all (RFC 7301 §3.2 leaves it open).
    let Some(protocol) = tls.alpn_protocol().and_then(connection::Protocol::named) else {
        door.turn_away(Count::ProtocolRefused, remote, &"no application protocol chosen");
        return None;
    };
    let chain = tls.peer_certificates().unwrap_or_default().to_vec();
    let Some(leaf) = chain.first().and_then(|leaf| Certificate::from_der(leaf).ok()) else {
        door.turn_away(Count::HandshakeFailed, remote, &"certificate cannot be read");
        return None;
    };
    let group =
        tls.negotiated_key_exchange_group().map_or_else(String::new, |group| format!("{:?}", group.name()));
    let admitted = match door.connections.admit(leaf.key_id()) {
        Ok(admitted) => admitted,
        Err(full) => {
            let count = if full == Full::Key { Count::KeyFull } else { Count::ConnectionsFull };
            door.turn_away(count, remote, &"no place left");
            return None;
        }
    };
    let standing = Standing::new(door.tls.clone(), chain, &leaf, generation);
    let identity = PeerIdentity { key_id: leaf.key_id(), certificate: Arc::new(leaf), remote, group };
    Some((Session::new(door.clone(), identity, standing, protocol), admitted))
}
