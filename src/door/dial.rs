//! The other direction: one connection to another daemon's door.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::body::Body;

use super::dialled_body;
use super::first_byte::{First, FirstByte, inner_tls};
use super::tls::TlsState;
use crate::crypto::{Certificate, Digest};
use crate::limits;

/// Whom to dial, and how long to wait.
#[derive(Clone, Debug)]
pub struct DialSettings {
    /// `host:port`; an IPv6 address in brackets.
    pub address: String,
    /// The name that the server's certificate must bear: DNS name or IP address.
    pub server_name: String,
    /// Own certificate and whom to trust; taken anew at each dialling.
    pub tls: Arc<TlsState>,
    /// For the name to be looked up.
    pub resolve: Duration,
    /// For the TCP connection to each address.
    pub tcp: Duration,
    /// For the TLS handshake, and again for the server's first answer.
    pub handshake: Duration,
}

impl DialSettings {
    /// With the waits of [`limits`].
    pub fn new(address: impl Into<String>, server_name: impl Into<String>, tls: Arc<TlsState>) -> Self {
        Self {
            address: address.into(),
            server_name: server_name.into(),
            tls,
            resolve: limits::DIAL_RESOLVE,
            tcp: limits::DIAL_TCP,
            handshake: limits::DIAL_TLS,
        }
    }
}

/// The stages of dialling, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the name.
    Resolve,
    /// The TCP connection.
    Tcp,
    /// Judging the server's certificate.
    Tls,
    /// HTTP/2; the server judges our certificate meanwhile.
    Http2,
}

/// Why there is no connection, by stage.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DialError {
    /// Our settings: not a server name, or no address that fits a URI.
    #[error("not a usable server name or address")]
    Name,
    /// The network, before TLS.
    #[error("{0:?}: {1}")]
    Network(Stage, io::ErrorKind),
    /// A stage took too long.
    #[error("{0:?} took too long")]
    Timeout(Stage),
    /// We did not accept the server, or it did not speak TLS 1.3 as we do.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// The server did not choose `h2` (RFC 7301).
    #[error("the server does not speak HTTP/2")]
    Protocol,
    /// The server did not accept us: its alert (RFC 8446 §6.2).
    #[error("the server refused our certificate or connection: {0}")]
    Refused(rustls::Error),
    /// The server closed, or did not speak HTTP/2 after saying it would.
    #[error("the server closed the connection before HTTP/2 began")]
    Closed,
}

/// One living connection, as a service for generated clients: `Client::new(dialled)`. Clones share it.
///
/// It does not reconnect: once it breaks every call fails with UNAVAILABLE and [`Self::closed`] resolves. When the last
/// clone is dropped the connection ends with its open calls.
#[derive(Clone, Debug)]
pub struct Dialled {
    sender: SendRequest<Body>,
    authority: Authority,
    group: Arc<str>,
    server_key: Digest,
    closed: CancellationToken,
    _hold: Arc<DropGuard>,
}

/// Dials once: resolve, TCP, TLS, ALPN, HTTP/2. In TLS 1.3 a client is through before the server has judged its
/// certificate; so this waits for the server's first HTTP/2 frame, and `Ok` means both sides accepted each other.
///
/// # Errors
/// [`DialError`] names the stage. Nothing is retried but the further addresses of the name, over TCP.
pub async fn dial(settings: &DialSettings) -> Result<Dialled, DialError> {
    let name = ServerName::try_from(settings.server_name.clone()).map_err(|_| DialError::Name)?;
    let authority = authority(settings)?;
    let tcp = reach(settings).await?;
    let connector = TlsConnector::from(settings.tls.client_config());
    let stream = timeout(settings.handshake, connector.connect(name, tcp))
        .await
        .map_err(|_| DialError::Timeout(Stage::Tls))?
        .map_err(|error| tls_error(&error))?;
    let (_, tls) = stream.get_ref();
    if tls.alpn_protocol() != Some(b"h2") {
        return Err(DialError::Protocol);
    }
    let group =
        tls.negotiated_key_exchange_group().map_or_else(String::new, |group| format!("{:?}", group.name()));
    let server_key = tls
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|leaf| Certificate::from_der(leaf).ok())
        .ok_or(DialError::Protocol)?
        .key_id();
    let (sender, closed, hold) = begin_http2(settings, stream).await?;
    Ok(Dialled { sender, authority, group: group.into(), server_key, closed, _hold: Arc::new(hold) })
}

impl DialError {
    /// Stable reason code.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Name => "PEER_ADDRESS_UNUSABLE",
            Self::Network(Stage::Resolve, _) | Self::Timeout(Stage::Resolve) => "PEER_NAME_UNRESOLVED",
            Self::Network(..) => "PEER_UNREACHABLE",
            Self::Timeout(Stage::Tcp) => "PEER_UNREACHABLE",
            Self::Timeout(_) | Self::Closed => "PEER_SILENT",
            Self::Tls(_) | Self::Protocol => "PEER_CERTIFICATE_REFUSED",
            Self::Refused(_) => "OWN_CERTIFICATE_REFUSED",
        }
    }
}

impl Dialled {
    /// Resolves when the connection is no more.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether the connection is no more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// The key exchange group negotiated, by its IANA name as rustls writes it: `X25519MLKEM768`, `X25519`.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// SHA-256 of the SubjectPublicKeyInfo that the server proved to hold.
    #[must_use]
    pub fn server_key(&self) -> Digest {
        self.server_key
    }

    /// Generated clients name the path alone; HTTP/2 wants scheme and authority too (RFC 9113 §8.3.1).
    fn absolute(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Uri::builder().scheme(Scheme::HTTPS).authority(self.authority.clone()).path_and_query(path).build()
    }
}

impl tower::Service<http::Request<Body>> for Dialled {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    /// Always ready: generated clients turn an error here into UNKNOWN, so [`Self::call`] is where a closed connection shows.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let uri = self.absolute(request.uri());
        let mut sender = self.sender.clone();
        let hold = self._hold.clone();
        Box::pin(async move {
            *request.uri_mut() = uri.map_err(|_| Status::internal("the call's path is no URI"))?;
            let response = sender.send_request(request).await.map_err(dialled_body::status)?;
            Ok(dialled_body::Answer::of(response, hold))
        })
    }
}

fn authority(settings: &DialSettings) -> Result<Authority, DialError> {
    let (_, port) = settings.address.rsplit_once(':').ok_or(DialError::Name)?;
    let name = &settings.server_name;
    let text = if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") };
    text.parse().map_err(|_| DialError::Name)
}

async fn reach(settings: &DialSettings) -> Result<TcpStream, DialError> {
    let addresses: Vec<SocketAddr> = timeout(settings.resolve, lookup_host(settings.address.as_str()))
        .await
        .map_err(|_| DialError::Timeout(Stage::Resolve))?
        .map_err(|error| DialError::Network(Stage::Resolve, error.kind()))?
        .take(limits::DIAL_ADDRESSES)
        .collect();
    let mut last = DialError::Network(Stage::Resolve, io::ErrorKind::NotFound);
    for address in addresses {
        match timeout(settings.tcp, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // With an error it is slow, not wrong.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(error)) => last = DialError::Network(Stage::Tcp, error.kind()),
            Err(_) => last = DialError::Timeout(Stage::Tcp),
        }
    }
    Err(last)
}

async fn begin_http2(
    settings: &DialSettings,
    stream: TlsStream<TcpStream>,
) -> Result<(SendRequest<Body>, CancellationToken, DropGuard), DialError> {
    let (stream, first) = FirstByte::new(stream);
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_frame_size(limits::FRAME_BYTES)
        .max_header_list_size(limits::HEADER_LIST_BYTES)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(limits::SEND_BUFFER_BYTES)
        .keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| DialError::Closed)?;
    let mut connection = Box::pin(connection);
    let first = async {
        tokio::select! {
            biased;
            first = first => first.unwrap_or(First::End),
            // It ends after its first read, whose outcome is told first; this is the rest: it could not write.
            _ = connection.as_mut() => First::End,
        }
    };
    match timeout(settings.handshake, first).await {
        Ok(First::Bytes) => {}
        Ok(First::Tls(error)) => return Err(DialError::Refused(error)),
        Ok(First::End) => return Err(DialError::Closed),
        Err(_) => return Err(DialError::Timeout(Stage::Http2)),
    }
    let (closed, abandoned) = (CancellationToken::new(), CancellationToken::new());
    let (ended, hold) = (closed.clone().drop_guard(), abandoned.clone().drop_guard());
    tokio::spawn(async move {
        // How it ended shows in the calls; `closed` tells that it did, also if this task is dropped.
        let _ = abandoned.run_until_cancelled(connection).await;
        drop(ended);
    });
    Ok((sender, closed, hold))
}

fn tls_error(error: &io::Error) -> DialError {
    match inner_tls(error) {
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)) => {
            DialError::Protocol
        }
        Some(tls) => DialError::Tls(tls.clone()),
        None => DialError::Network(Stage::Tls, error.kind()),
    }
}
