//! The only place that joins the parts: open, bind, spawn, drain.

mod material;
mod reload;
mod routes;

pub use material::{index_settings, keeper, keyring, peer_tls, trust};
use reload::Material;
use routes::{SERVICES, backoffice_routes, operations_routes, peer_routes};

use crate::backoffice::evidence::Evidence;
use crate::backoffice::roster::Roster;
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
use crate::operations;
use crate::peer::courier::Courier;
use crate::peer::{self, Link};
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
