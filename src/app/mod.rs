//! The only place that joins the parts: open, bind, spawn, drain.

mod material;
mod reload;

pub use material::{index_settings, keeper, keyring, peer_tls, trust};
use reload::Material;

use crate::backoffice::cases::Cases;
use crate::backoffice::code_lists::CodeLists;
use crate::backoffice::drafts::Drafts;
use crate::backoffice::evidence::Evidence;
use crate::backoffice::orders::Orders;
use crate::backoffice::roster::Roster;
use crate::backoffice::treaty::Treaty;
use crate::backoffice::v1::case_service_server::CaseServiceServer;
use crate::backoffice::v1::code_list_service_server::CodeListServiceServer;
use crate::backoffice::v1::draft_service_server::DraftServiceServer;
use crate::backoffice::v1::evidence_service_server::EvidenceServiceServer;
use crate::backoffice::v1::message_service_server::MessageServiceServer;
use crate::backoffice::v1::order_service_server::OrderServiceServer;
use crate::backoffice::v1::treaty_service_server::TreatyServiceServer;
use crate::backoffice::{self, Office, Reads, Release};
use crate::config::files::FileMistake;
use crate::config::{self, DoorSettings as Listener, Settings};
use crate::disk::Disk;
use crate::door::tls::TlsError;
use crate::door::{self, DialSettings, DoorSettings, Limits, Shutdown, TlsState};
use crate::exchange::clock::Clock;
use crate::exchange::degraded;
use crate::exchange::delivery::Health;
use crate::exchange::engine::Engine;
use crate::exchange::follow::Follower;
use crate::exchange::start::{StartError, start};
use crate::limits;
use crate::operations;
use crate::operations::v1::operations_service_server::OperationsServiceServer;
use crate::peer::courier::Courier;
use crate::peer::v1::peer_service_server::PeerServiceServer;
use crate::peer::{self, Link};
use crate::wire;
use arc_swap::ArcSwap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::service::Routes;

/// Time for open calls to end after a stop was asked for.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
/// Time for the query index to cover what the last calls recorded.
const INDEX_STOP_PATIENCE: Duration = Duration::from_secs(2);
/// Longest request of the small services: operations, health, reflection.
const SMALL_REQUEST_BYTES: usize = 64 * 1024;
/// Every service whose health is told.
const SERVICES: [&str; 10] = [
    "",
    "article6.backoffice.v1.CaseService",
    "article6.backoffice.v1.CodeListService",
    "article6.backoffice.v1.DraftService",
    "article6.backoffice.v1.EvidenceService",
    "article6.backoffice.v1.MessageService",
    "article6.backoffice.v1.OrderService",
    "article6.backoffice.v1.TreatyService",
    "article6.operations.v1.OperationsService",
    "article6.peer.v1.PeerService",
];

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A key, certificate or other file of the configuration cannot be used.
    #[error(transparent)]
    File(#[from] FileMistake),
    /// The files of a door cannot be used.
    #[error("the {door} door cannot be opened: {error}")]
    Tls {
        /// Which.
        door: &'static str,
        /// What is wrong and what to do.
        error: TlsError,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StartError),
    /// A door's address cannot be taken.
    #[error("the {door} door cannot be opened: {what}")]
    Door {
        /// Which.
        door: &'static str,
        /// What is wrong and what to do.
        what: String,
    },
    /// The operating system failed.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

impl AppError {
    /// Whether the configuration, or a file that it names, is to be mended.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::File(_) | Self::Tls { .. })
    }
}

/// A daemon whose doors are bound.
pub struct Daemon {
    engine: Engine,
    follower: Follower,
    doors: [(Listening, Routes, Limits, Vec<&'static str>); 3],
    courier: Courier,
    material: Arc<Material>,
    health: tonic_health::server::HealthReporter,
    shutdown: Shutdown,
    link: Link,
    receipt_overdue: Duration,
}

struct Listening {
    name: &'static str,
    listener: TcpListener,
    tls: Arc<TlsState>,
}

/// Where the doors of a daemon are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// To the other Party.
    pub peer: SocketAddr,
    /// To back-office systems.
    pub backoffice: SocketAddr,
    /// To operations staff.
    pub operations: SocketAddr,
}

impl Daemon {
    /// Opens the store and binds the doors; nothing is served yet.
    pub async fn open(
        settings: Settings,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AppError> {
        let keeper = keeper(&settings)?;
        if material::is_production(&settings) && settings.head_certificate.is_none() {
            tracing::warn!(
                code = "HEADS_NOT_CONFIGURED",
                "no head of service is configured in [treaty]: no list of officials and no directive can come into force"
            );
        }
        let trust = Arc::new(ArcSwap::from_pointee(trust(&settings)?));
        let started_at = clock.now();
        let store_settings = settings.store.clone();
        let engine = tokio::task::spawn_blocking(move || start(&disk, &store_settings, keeper, clock));
        let engine = engine.await.map_err(std::io::Error::other)??;
        let store = engine.store().clone();
        let follower = Follower::start(
            store,
            engine.core().cases.clone(),
            settings.index.clone(),
            index_settings(&settings)?,
            engine.progress(),
        )?;

        // The keys of now: what the ledger tells of them is in force before the first connection.
        let tls = material::peer_tls(&settings, engine.state().keys())?;
        let peer_door = listen("peer", &Listener { tls, ..settings.peer.door.clone() }).await?;
        let backoffice_door = listen("back-office", &settings.backoffice).await?;
        let operations_door = listen("operations", &settings.operations).await?;
        let link = Link::new(engine.clone(), trust.clone());
        let keys: Vec<_> = settings.clients.iter().map(|client| client.key_id).collect();
        let roster = Roster::new(material::callers(&settings, &keys, None));
        let material = Arc::new(Material {
            doors: [
                ("peer", peer_door.tls.clone()),
                ("backoffice", backoffice_door.tls.clone()),
                ("operations", operations_door.tls.clone()),
            ],
            trust,
            roster: roster.clone(),
            others: Mutex::new(Material::others(&settings)),
            engine: engine.clone(),
            settings: settings.clone(),
        });
        // Before anything is served under it.
        material.note_configuration().await;
        degraded::note(&engine).await;
        let (delivery, delivery_seen) = watch::channel(Health::default());
        let dial =
            DialSettings::new(&settings.peer.address, &settings.peer.server_name, peer_door.tls.clone());
        let courier = Courier::new(link.clone(), dial, settings.peer.backoff, delivery);
        let office = Office {
            engine: engine.clone(),
            follower: follower.clone(),
            callers: roster,
            delivery: delivery_seen.clone(),
            stalled_after: settings.stalled_after,
            reads: Arc::new(Reads::new(settings.reads_per_second)),
            domestic: Arc::new(material::domestic(&settings)),
            release: match settings.release {
                config::Release::Reviewed => Release::Reviewed,
                config::Release::Named => Release::Named,
                config::Release::Free => Release::Free,
            },
        };
        let operations = operations::service::Service {
            engine: engine.clone(),
            follower: follower.clone(),
            delivery: delivery_seen,
            keys: material.clone(),
            started_at,
        };
        let (health, _) = tonic_health::server::health_reporter();
        let evidence = Evidence { office: office.clone(), keyrings: material::keyrings(&settings, &link) };
        let message = backoffice::service::Service::new(office.clone())
            .map_err(|error| StartError::Failed(error.to_string()))?;
        let doors = [
            (
                peer_door,
                peer_routes(link.clone()),
                Limits::default(),
                vec!["/article6.peer.v1.PeerService/Deliver", "/article6.peer.v1.PeerService/Recall"],
            ),
            (
                backoffice_door,
                backoffice_routes(&office, message, evidence, &health, settings.backoffice.reflection),
                Limits::backoffice(),
                vec!["/article6.backoffice.v1.MessageService/WatchMessages", "/grpc.health.v1.Health/Watch"],
            ),
            (
                operations_door,
                operations_routes(operations, &health, settings.operations.reflection),
                Limits::operations(),
                vec!["/grpc.health.v1.Health/Watch"],
            ),
        ];
        let receipt_overdue = settings.receipt_overdue;
        let shutdown = Shutdown::new();
        Ok(Self { engine, follower, doors, courier, material, health, shutdown, link, receipt_overdue })
    }

    /// Where the doors are.
    pub fn addresses(&self) -> Result<Addresses, AppError> {
        let [peer, backoffice, operations] = &self.doors;
        Ok(Addresses {
            peer: peer.0.listener.local_addr()?,
            backoffice: backoffice.0.listener.local_addr()?,
            operations: operations.0.listener.local_addr()?,
        })
    }

    /// The engine, for those who watch it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Serves until `stop` resolves or the store fails; then drains. `Err` when the store failed.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        reload_asked: impl AsyncReload,
    ) -> Result<(), String> {
        let Self { engine, follower, doors, courier, material, health, shutdown, link, receipt_overdue } =
            self;
        for (listening, routes, limits, long_lived) in doors {
            let settings =
                DoorSettings { name: listening.name, limits, long_lived, counters: Arc::default() };
            tokio::spawn(door::serve(listening.listener, listening.tls, routes, settings, shutdown.clone()));
        }
        tokio::spawn(peer::complaint::run(link.clone(), receipt_overdue, shutdown.clone()));
        tokio::spawn(peer::rotation::run(link, material.settings.key_overlap, shutdown.clone()));
        let following = tokio::spawn(reload::follow_keys(material.clone()));
        let delivering = tokio::spawn(courier.run(shutdown.clone()));
        let reloading = tokio::spawn(reload::keep_fresh(material, reload_asked));
        let watching = tokio::spawn(degraded::watch(engine.clone()));
        set_health(&health, tonic_health::ServingStatus::Serving).await;
        let failure = tokio::select! {
            () = stop => None,
            failure = engine.failed() => Some(failure.to_string()),
        };
        set_health(&health, tonic_health::ServingStatus::NotServing).await;
        reloading.abort();
        following.abort();
        watching.abort();
        let stopped = shutdown.stop(STOP_PATIENCE).await;
        tracing::info!(?stopped, "the doors are closed");
        let _ = delivering.await;
        let mut progress = engine.progress();
        engine.stop();
        drop(engine);
        // The deciding task ends when the last command is durable; its end of the channel closes then.
        while failure.is_none() && progress.changed().await.is_ok() {}
        // An index that is cut short only costs the next start some time.
        let _ = tokio::time::timeout(INDEX_STOP_PATIENCE, follower.ended()).await;
        failure.map_or(Ok(()), Err)
    }
}

/// Something that asks for a reload, again and again.
pub trait AsyncReload: Send + 'static {
    /// Resolves when a reload is asked for.
    fn asked(&mut self) -> impl Future<Output = ()> + Send;
}

/// Nobody asks.
pub struct NoReload;

impl AsyncReload for NoReload {
    async fn asked(&mut self) {
        std::future::pending().await
    }
}

async fn set_health(health: &tonic_health::server::HealthReporter, status: tonic_health::ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}

async fn listen(name: &'static str, settings: &Listener) -> Result<Listening, AppError> {
    let tls_settings = settings.tls.clone();
    let tls = tokio::task::spawn_blocking(move || TlsState::load(tls_settings))
        .await
        .map_err(std::io::Error::other)?;
    let tls = tls.map_err(|error| AppError::Tls { door: name, error })?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| AppError::Door {
        door: name,
        what: format!(
            "{}: {error}; is another daemon running, or another program on this port?",
            settings.listen
        ),
    })?;
    Ok(Listening { name, listener, tls })
}

fn peer_routes(link: Link) -> Routes {
    let service = PeerServiceServer::new(peer::service::Service::new(link))
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(limits::MESSAGE_BYTES);
    Routes::new(service)
}

fn backoffice_routes(
    office: &Office,
    service: backoffice::service::Service,
    evidence: Evidence,
    health: &tonic_health::server::HealthReporter,
    reflection: bool,
) -> Routes {
    let service = MessageServiceServer::new(service)
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(8 * limits::MESSAGE_BYTES);
    let evidence = EvidenceServiceServer::new(evidence).max_decoding_message_size(SMALL_REQUEST_BYTES);
    let routes = Routes::new(service).add_service(evidence);
    let small = SMALL_REQUEST_BYTES;
    let cases = CaseServiceServer::new(Cases { office: office.clone() }).max_decoding_message_size(small);
    let codes =
        CodeListServiceServer::new(CodeLists { office: office.clone() }).max_decoding_message_size(small);
    let drafts = DraftServiceServer::new(Drafts { office: office.clone() })
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(8 * limits::MESSAGE_BYTES);
    let routes = routes.add_service(cases).add_service(codes).add_service(drafts);
    let orders = OrderServiceServer::new(Orders { office: office.clone() }).max_decoding_message_size(small);
    let treaty = TreatyServiceServer::new(Treaty { office: office.clone() }).max_decoding_message_size(small);
    let routes = routes.add_service(orders).add_service(treaty);
    let services =
        SERVICES.into_iter().filter(|name| name.starts_with("article6.backoffice.")).collect::<Vec<_>>();
    with_reflection(routes.add_service(health_service(health)), reflection, &services)
}

fn operations_routes(
    service: operations::service::Service,
    health: &tonic_health::server::HealthReporter,
    reflection: bool,
) -> Routes {
    let service = OperationsServiceServer::new(service).max_decoding_message_size(SMALL_REQUEST_BYTES);
    let routes = Routes::new(service).add_service(health_service(health));
    with_reflection(routes, reflection, &["article6.operations.v1.OperationsService"])
}

fn health_service(
    health: &tonic_health::server::HealthReporter,
) -> tonic_health::pb::health_server::HealthServer<impl tonic_health::pb::health_server::Health> {
    let service = tonic_health::server::HealthService::from_health_reporter(health.clone());
    tonic_health::pb::health_server::HealthServer::new(service).max_decoding_message_size(SMALL_REQUEST_BYTES)
}

/// Both versions: some clients speak only the older one.
fn with_reflection(routes: Routes, wanted: bool, services: &[&str]) -> Routes {
    if !wanted {
        return routes;
    }
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::descriptor_bytes())
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => routes
            .add_service(v1.max_decoding_message_size(SMALL_REQUEST_BYTES))
            .add_service(v1alpha.max_decoding_message_size(SMALL_REQUEST_BYTES)),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "reflection is not offered");
            routes
        }
    }
}
