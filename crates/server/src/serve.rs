//! `countersign serve`: from the configuration to a service that takes calls,
//! and from a signal to its end without a dropped call.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use countersign_domain::Error;
use countersign_domain::ports::{EphemeralError, StoreError};
use countersign_domain::validation::KeyringError;
use countersign_proto::FILE_DESCRIPTOR_SET;
use countersign_proto::v1::auth_service_server::AuthServiceServer;
use countersign_proto::v1::session_service_server::SessionServiceServer;
use countersign_proto::v1::verification_service_server::VerificationServiceServer;
use countersign_storage::ConnectError;
use metrics_exporter_prometheus::BuildError;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health as HealthService, HealthServer};

use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError};
use crate::grpc::{AuthGrpc, Desk, Front, Judge, SessionGrpc, VerificationGrpc};
use crate::health::Health;
use crate::jobs::Jobs;
use crate::metrics::{self, Validations};
use crate::status::WithDetails;
use crate::transport::{GrpcService, Running, Transport, TransportError};
use crate::wiring::{self, Wired};

/// The largest message: a batch of 256 access tokens of the usual size.
const MAX_AUTH_MESSAGE: usize = 256 * 1024;
const MAX_MESSAGE: usize = 64 * 1024;

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory or a file in it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be reached.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// The database does not answer as it should.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The tables cannot be brought up to date.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[source] StoreError),
    /// The tables are not up to date, and must not be migrated at start.
    #[error(
        "the database lacks {0} migration(s): run `countersign migrate`, or set database.migrate = true"
    )]
    Unmigrated(usize),
    /// Redis cannot be used.
    #[error("Redis cannot be used: {0}")]
    Redis(#[source] EphemeralError),
    /// A signing key cannot be used.
    #[error("{0}; is this the master key of this database?")]
    Keyring(#[from] KeyringError),
    /// The hashing threads cannot be started.
    #[error("the hashing threads cannot be started: {0}")]
    Hasher(#[source] io::Error),
    /// No caller is known, and others than this machine could call.
    #[error(
        "no caller is known, so everybody who reaches {0} could call everything: make one with \
         `countersign caller new --name gateway --role gateway`, or listen on 127.0.0.1"
    )]
    OpenToTheWorld(SocketAddr),
    /// The metrics cannot be served.
    #[error("the metrics cannot be served on {0}: {1}")]
    Metrics(SocketAddr, #[source] BuildError),
    /// The calls cannot be served.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signal(#[source] io::Error),
    /// A thread that serves calls has died.
    #[error("the thread {0} has ended: {1}")]
    ThreadEnded(String, String),
    /// The first reading of what the service needs.
    #[error(transparent)]
    Domain(#[from] Error),
}

/// Serves until a signal comes. To be run on the runtime of databases and
/// hashing.
///
/// # Errors
/// Why the server does not start, or stopped by itself.
pub async fn run(config: Config) -> Result<(), ServeError> {
    // From the start on, so that a signal during the start is not lost.
    let mut signals = Signals::new().map_err(ServeError::Signal)?;
    let data_dir = DataDir::open(&config.data_dir)?;
    let wired = wiring::wire(&config, &data_dir).await?;
    if let Some(listen) = config.metrics.listen {
        metrics::install(listen).map_err(|error| ServeError::Metrics(listen, error))?;
    }

    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health::new(reporter);
    health.check(&wired.app).await;
    let transport = Transport::bind(&config.server.transport())?;
    let address = transport.local_addr();
    let jobs = Jobs {
        app: Arc::clone(&wired.app),
        gate: Arc::clone(&wired.gate),
        health: health.clone(),
        poll_interval: config.validation.poll_interval,
    };
    announce(&config, &wired, address);
    let service = Services {
        wired,
        back: Handle::current(),
        config: config.clone(),
    };
    let running = transport.serve(move || service.build(health_service.clone()))?;
    jobs.start();
    finish(running, &config, &health, &mut signals).await
}

/// Waits for a signal, lets the callers go elsewhere, finishes what is in
/// flight.
async fn finish(
    mut running: Running,
    config: &Config,
    health: &Health,
    signals: &mut Signals,
) -> Result<(), ServeError> {
    tokio::select! {
        () = signals.next() => {}
        ended = running.failed() => return Err(ServeError::ThreadEnded(ended.name, ended.reason)),
    }
    let (delay, limit) = (config.server.drain_delay, config.server.drain_timeout);
    tracing::info!(?delay, ?limit, "draining");
    health.drain().await;
    let drain = async {
        tokio::time::sleep(delay).await;
        health.end_watches().await;
        running.drain(limit).await
    };
    tokio::select! {
        report = drain => tracing::info!(connections_cut = report.connections_cut, "stopped"),
        () = signals.next() => tracing::warn!("a second signal: stopped at once"),
    }
    Ok(())
}

struct Services {
    wired: Wired,
    back: Handle,
    config: Config,
}

impl Services {
    fn build<H: HealthService>(&self, health: HealthServer<H>) -> impl GrpcService + use<H> {
        let desk = Desk {
            app: Arc::clone(&self.wired.app),
            gate: Arc::clone(&self.wired.gate),
            back: self.back.clone(),
            timeout: self.config.server.request_timeout,
        };
        let judge = Arc::new(Judge {
            desk: desk.clone(),
            validator: Arc::clone(&self.wired.validator),
            validations: Validations::register(),
        });
        let auth = AuthGrpc {
            desk: desk.clone(),
            judge: Arc::clone(&judge),
        };
        let session = SessionGrpc { desk: desk.clone() };
        let verification = VerificationGrpc { desk };
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let v1 = reflection()
            .build_v1()
            .expect("the descriptors are generated");
        let v1alpha = reflection()
            .build_v1alpha()
            .expect("the descriptors are generated");
        let routes =
            Routes::new(AuthServiceServer::new(auth).max_decoding_message_size(MAX_AUTH_MESSAGE))
                .add_service(
                    SessionServiceServer::new(session).max_decoding_message_size(MAX_MESSAGE),
                )
                .add_service(
                    VerificationServiceServer::new(verification)
                        .max_decoding_message_size(MAX_MESSAGE),
                )
                .add_service(health)
                .add_service(v1)
                .add_service(v1alpha);
        Front {
            judge,
            rest: WithDetails(routes.prepare()),
        }
    }
}

fn announce(config: &Config, wired: &Wired, address: SocketAddr) {
    tracing::info!(
        %address,
        tls = config.server.tls_certificate.is_some(),
        database = config.database_url().scheme(),
        ephemeral = if config.redis.url.is_some() { "redis" } else { "in-process" },
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    if wired.gate.is_open() {
        tracing::warn!(
            "no caller is known: everybody on this machine may call everything (see `countersign caller new --help`)"
        );
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
