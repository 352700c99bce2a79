//! A door with a health service and one slow method, on a port of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::pki::{Identity, Leaf, Pki};
use crate::door::counters::{Count, Counters};
use crate::door::tls::{TlsSettings, TlsState};
use crate::door::{
    DialError, DialSettings, Dialled, DoorSettings, Draining, Limits, PeerIdentity, Shutdown, dial, serve,
};

pub struct House {
    pub pki: Pki,
    pub tls: Arc<TlsState>,
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    pub shutdown: Shutdown,
    pub served: JoinHandle<()>,
    pub server: Identity,
    pub client: Identity,
}

impl House {
    pub async fn new() -> Self {
        Self::with(Limits::default(), |_, _| {}).await
    }

    pub async fn with(limits: Limits, change: impl FnOnce(&Pki, &mut TlsSettings)) -> Self {
        let pki = Pki::new();
        let (server, client) = (pki.leaf("server", Leaf::Good), pki.leaf("client", Leaf::Good));
        let mut settings = pki.settings(&server);
        change(&pki, &mut settings);
        let tls = TlsState::load(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (counters, shutdown) = (Arc::new(Counters::default()), Shutdown::new());
        let settings = DoorSettings {
            name: "test",
            limits,
            long_lived: vec!["/grpc.health.v1.Health/"],
            counters: counters.clone(),
        };
        let served = tokio::spawn(serve(listener, tls.clone(), routes(), settings, shutdown.clone()));
        Self { pki, tls, address, counters, shutdown, served, server, client }
    }

    /// Dials as `identity`.
    pub async fn dial(&self, identity: &Identity) -> Result<Dialled, DialError> {
        self.dial_with(self.pki.settings(identity)).await
    }

    pub async fn dial_with(&self, settings: TlsSettings) -> Result<Dialled, DialError> {
        let tls = TlsState::load(settings).unwrap();
        dial(&DialSettings::new(self.address.to_string(), "localhost", tls)).await
    }

    /// The honest client gets its answer.
    pub async fn is_well(&self) {
        check(&self.dial(&self.client).await.unwrap()).await.unwrap();
    }

    /// Waits for a count to reach `least`.
    pub async fn counted(&self, count: Count, least: u64) {
        for _ in 0..500 {
            if self.counters.get(count) >= least {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} is {}", count.label(), self.counters.get(count));
    }
}

pub async fn check(dialled: &Dialled) -> Result<(), Status> {
    HealthClient::new(dialled.clone()).check(HealthCheckRequest::default()).await.map(|_| ())
}

/// Health's `Watch`, which never ends by itself, after its first message.
pub async fn watch(
    dialled: &Dialled,
) -> Result<tonic::Streaming<tonic_health::pb::HealthCheckResponse>, Status> {
    let mut stream =
        HealthClient::new(dialled.clone()).watch(HealthCheckRequest::default()).await?.into_inner();
    stream.message().await?;
    Ok(stream)
}

/// Calls a method of [`Slow`] with the given headers.
pub async fn call(dialled: &Dialled, method: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request =
        Request::post(format!("/test.Slow/{method}")).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    tower::ServiceExt::oneshot(dialled.clone(), request.body(Body::empty()).unwrap()).await.unwrap()
}

fn routes() -> Routes {
    let (_, health) = tonic_health::server::health_reporter();
    Routes::new(health).add_service(Slow)
}

/// `Never` does not answer, `Endless` answers and does not end, `Whoami` tells whom it sees.
#[derive(Clone)]
struct Slow;

impl NamedService for Slow {
    const NAME: &'static str = "test.Slow";
}

impl tower::Service<Request<Body>> for Slow {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            match request.uri().path() {
                "/test.Slow/Never" => std::future::pending().await,
                "/test.Slow/Endless" => Ok(Response::new(Body::new(Endless))),
                "/test.Slow/Drain" => {
                    request.extensions().get::<Draining>().unwrap().begun().await;
                    Ok(Status::unavailable("resume").into_http())
                }
                _ => {
                    let identity = request.extensions().get::<PeerIdentity>().unwrap();
                    let (key, group) = (identity.key_id.to_string(), identity.group.as_str());
                    Ok(Response::builder()
                        .header("key", key)
                        .header("group", group)
                        .body(Body::empty())
                        .unwrap())
                }
            }
        })
    }
}

struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Status>>> {
        std::task::Poll::Pending
    }
}
