//! The yardstick: a bare tonic unary echo, over tonic's own server and channel, with the TLS settings of the doors.
//!
//! It shares no code with the doors beyond their keys and rustls settings, so that nothing done to the doors moves it.

use crate::config;
use crate::door::TlsState;
use anyhow::Context as _;
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const PATH: &str = "/article6.bench.Echo/Echo";

/// Serves the echo behind the back-office door's certificates, tells its port, and goes on until it is killed.
pub async fn serve(config: &Path) -> anyhow::Result<()> {
    let settings = config::read(config).map_err(|_| anyhow::anyhow!("the configuration is wrong"))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let tls = TlsState::load(settings.backoffice.tls)?;
    let (accepted, incoming) = mpsc::channel(1);
    tokio::spawn(accept(listener, TlsAcceptor::from(tls.server_config()), accepted));
    Ok(Server::builder().add_service(Echo).serve_with_incoming(ReceiverStream::new(incoming)).await?)
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    accepted: mpsc::Sender<io::Result<TlsStream<TcpStream>>>,
) -> io::Result<()> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        if accepted.send(acceptor.accept(tcp).await).await.is_err() {
            return Ok(());
        }
    }
}

/// Echoes per second with `in_flight` calls of `bytes` bytes at once on one connection, to a process of its own as the
/// daemons are.
pub async fn measure(
    config: &Path,
    client: Arc<TlsState>,
    in_flight: usize,
    bytes: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let mut server = Command::new(std::env::current_exe()?)
        .args(["bench", "--serve-echo"])
        .arg(config)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut port = String::new();
    BufReader::new(server.stdout.take().context("the echo's output")?).read_line(&mut port).await?;
    let channel = connect(port.trim().parse()?, client).await?;
    let count = Arc::new(AtomicU64::new(0));
    let (start, end) = (Instant::now(), Instant::now() + time);
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            tokio::spawn(call_until(channel.clone(), Bytes::from(vec![b'x'; bytes]), end, count.clone()))
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    let elapsed = start.elapsed();
    drop(channel);
    server.kill().await?;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    Ok(count.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64())
}

async fn connect(port: u16, client: Arc<TlsState>) -> anyhow::Result<Channel> {
    let connector = tower::service_fn(move |_| {
        let tls = TlsConnector::from(client.client_config());
        async move {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
            tcp.set_nodelay(true)?;
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            io::Result::Ok(TokioIo::new(tls.connect(name, tcp).await?))
        }
    });
    Ok(Endpoint::from_static("http://localhost").connect_with_connector(connector).await?)
}

async fn call_until(
    channel: Channel,
    payload: Bytes,
    end: Instant,
    count: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut client = tonic::client::Grpc::new(channel);
    while Instant::now() < end {
        client.ready().await?;
        let path = http::uri::PathAndQuery::from_static(PATH);
        let answer: Response<Bytes> =
            client.unary(Request::new(payload.clone()), path, ProstCodec::default()).await?;
        anyhow::ensure!(answer.into_inner() == payload, "the echo answered something else");
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[derive(Clone)]
struct Echo;

struct Answer;

impl NamedService for Echo {
    const NAME: &'static str = "article6.bench.Echo";
}

impl UnaryService<Bytes> for Answer {
    type Response = Bytes;
    type Future = std::future::Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Bytes, Bytes>::default());
            Ok(grpc.unary(Answer, request).await)
        })
    }
}
