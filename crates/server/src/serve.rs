//! `countersign serve`: from the configuration to a service that takes calls,
//! and from a signal to its end without a dropped call.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use countersign_gateway::VerifyForGateway;
use countersign_proto::v1::auth_service_server::AuthServiceServer;
use countersign_proto::v1::factor_service_server::FactorServiceServer;
use countersign_proto::v1::federation_service_server::FederationServiceServer;
use countersign_proto::v1::group_service_server::GroupServiceServer;
use countersign_proto::v1::service_account_service_server::ServiceAccountServiceServer;
use countersign_proto::v1::session_service_server::SessionServiceServer;
use countersign_proto::v1::user_service_server::UserServiceServer;
use countersign_proto::v1::verification_service_server::VerificationServiceServer;
use countersign_transport::{GrpcService, Listener, ServerHandle, ThreadEnded};
use metrics_process::Collector;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::{v1, v1alpha};

use crate::announcement;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::descriptors;
use crate::gateway::{self, Beside};
use crate::grpc::{
    AuthGrpc, AuthorizationService, Bodies, BodyBudget, CheckHeaders, FactorGrpc, FastPath,
    FastServices, FederationGrpc, GroupGrpc, HeaderCheck, InProcessVerifier, OpenCalls, Reflection,
    RpcRunner, RpcTable, ServiceAccountGrpc, SessionGrpc, UserGrpc, VALIDATE_TOKEN,
    ValidateTokenService, VerificationGrpc, describe_for_reflection,
};
use crate::health::Health;
use crate::health_list::HealthWithList;
use crate::health_service::HealthService;
use crate::jobs::Jobs;
use crate::metrics::{self, Validations};
use crate::metrics_server::{MetricsServer, Pages};
use crate::readings::Readings;
use crate::serve_error::ServeError;
use crate::signals::{Signals, Stop};
use crate::traces::{SpanExport, Tracer};
use crate::wiring::{self, Wired};

/// What unfinished requests hold together, in bytes: those of callers, and those
/// that need no key.
const BODIES: usize = 64 * 1024 * 1024;
const OPEN_BODIES: usize = 8 * 1024 * 1024;
/// How long the end waits until it is written down which keys were used, and what was
/// refused.
const LAST_NOTE: Duration = Duration::from_secs(1);

/// Serves until a signal comes. To be run on the runtime of databases and
/// hashing.
///
/// # Errors
/// Why the server does not start, or stopped by itself.
pub async fn run(config: Config) -> Result<(), ServeError> {
    // From the start on, so that a signal during the start is not lost.
    let mut signals = Signals::new().map_err(ServeError::Signal)?;
    let recorder = config
        .metrics
        .listen
        .map(|_| metrics::install())
        .transpose()?;
    let data_dir = DataDir::open(&config.data_dir)?;
    let wired = wiring::wire(&config, &data_dir).await?;
    let metrics_server = match config.metrics.listen {
        Some(listen) => {
            let server = MetricsServer::bind(listen).await;
            Some(server.map_err(|error| ServeError::Metrics(listen, error))?)
        }
        None => None,
    };

    let health_service = HealthService::default();
    let health = Health::new(health_service.clone());
    health.check(&wired.app).await;
    let spans = SpanExport::start(&config.traces)?;
    let listener = Listener::bind(&descriptors::transport(&config))?;
    let address = listener.local_addr();
    let gateway_key = Arc::clone(&wired.gateway_key);
    let gateway_operators_key = wired.gateway_operators_key.clone();
    let jobs = Jobs {
        app: Arc::clone(&wired.app),
        callers: Arc::clone(&wired.callers),
        health: health.clone(),
        feed_reader: Arc::clone(&wired.feed_reader),
        notifications: Arc::clone(&wired.notifications),
        sealing: wired.sealing.clone(),
        poll_interval: config.validation.poll_interval,
    };
    announcement::announce(&config, &wired, address);
    let rpcs = Arc::new(RpcTable::new(config.server.request_timeout));
    let validations = Arc::new(Validations::default());
    let readings = Readings {
        app: Arc::clone(&wired.app),
        rpcs: Arc::clone(&rpcs),
        validations: Arc::clone(&validations),
        validator: Arc::clone(&wired.validator),
        database: Arc::clone(&wired.database),
        hasher: Arc::clone(&wired.hasher),
        router: wired.router.clone(),
        health: health_service.clone(),
        process: Collector::default(),
    };
    let pages = recorder.map(|metrics| Pages { metrics, readings });
    let services = Services {
        wired,
        rpcs,
        validations,
        bodies: Bodies {
            callers: Arc::new(BodyBudget::new(BODIES)),
            open: Arc::new(BodyBudget::new(OPEN_BODIES)),
            open_calls: OpenCalls::new(),
        },
        tracer: spans.as_ref().map(SpanExport::tracer),
        work_runtime: Handle::current(),
    };
    let verifier: Arc<dyn VerifyForGateway> = Arc::new(services.in_process_verifier());
    let reflection = describe_for_reflection();
    // Each core has its own, down to the counters of references: what two cores
    // write, both wait for. Descriptions are large, and hardly asked for.
    let build = move || services.build(health_service.clone(), &reflection);
    let server = listener.serve(build)?;
    let beside = Beside {
        server: address,
        key: &gateway_key,
        operators_key: gateway_operators_key.as_deref(),
        verifier: &verifier,
    };
    let gateway = gateway::start(&config, beside)?;
    jobs.clone().start();
    if let Some((server, pages)) = metrics_server.zip(pages) {
        tokio::spawn(server.run(pages));
    }
    finish(server, gateway, &config, &health, spans, &mut signals).await?;
    // The last uses and refused attempts; a database that does not answer holds nothing up.
    let last = async {
        drop(jobs.clone().note_key_uses().await);
        drop(jobs.write_refused().await);
    };
    drop(timeout(LAST_NOTE, last).await);
    Ok(())
}

/// Waits for a signal, lets the callers go elsewhere, finishes what is in
/// flight.
async fn finish(
    mut server: ServerHandle,
    mut gateway: Option<ServerHandle>,
    config: &Config,
    health: &Health,
    spans: Option<SpanExport>,
    signals: &mut Signals,
) -> Result<(), ServeError> {
    let signal = tokio::select! {
        signal = signals.next() => signal,
        ended = server.failed() => return Err(ServeError::ThreadEnded(ended.name, ended.reason)),
        ended = failed(&mut gateway) => return Err(ServeError::ThreadEnded(ended.name, ended.reason)),
    };
    // Who presses Ctrl-C has no load balancer that must notice first.
    let delay = match signal {
        Stop::Terminate => config.server.drain_delay,
        Stop::Interrupt => Duration::ZERO,
    };
    let limit = config.server.drain_timeout;
    tracing::info!(?delay, ?limit, "draining");
    health.drain();
    let drain = async {
        tokio::time::sleep(delay).await;
        health.end_watches();
        if let Some(gateway) = gateway {
            // First, for it calls the server.
            gateway.drain(limit).await;
        }
        let report = server.drain(limit).await;
        if let Some(spans) = &spans {
            spans.finish().await;
        }
        report
    };
    tokio::select! {
        report = drain => tracing::info!(connections_cut = report.connections_cut, "stopped"),
        _ = signals.next() => tracing::warn!("a second signal: stopped at once"),
    }
    Ok(())
}

/// Waits until a thread of the gateway dies: for ever, if there is none.
async fn failed(gateway: &mut Option<ServerHandle>) -> ThreadEnded {
    match gateway {
        Some(gateway) => gateway.failed().await,
        None => pending().await,
    }
}

struct Services {
    wired: Wired,
    rpcs: Arc<RpcTable>,
    validations: Arc<Validations>,
    bodies: Bodies,
    tracer: Option<Tracer>,
    work_runtime: Handle,
}

impl Services {
    fn validate_token(&self) -> ValidateTokenService {
        ValidateTokenService {
            validator: Arc::clone(&self.wired.validator),
            feed_reader: Arc::clone(&self.wired.feed_reader),
            validations: Arc::clone(&self.validations),
        }
    }

    /// What the gateway of this process verifies access tokens with.
    fn in_process_verifier(&self) -> InProcessVerifier {
        InProcessVerifier {
            validate_token: self.validate_token(),
            rpc: self.rpcs.get(VALIDATE_TOKEN),
            random: Arc::clone(&self.wired.app.random),
        }
    }

    fn build<V1, V1Alpha>(
        &self,
        health: HealthService,
        reflection: &Reflection<V1, V1Alpha>,
    ) -> impl GrpcService + use<V1, V1Alpha>
    where
        V1: v1::ServerReflection,
        V1Alpha: v1alpha::ServerReflection,
    {
        let runner = RpcRunner {
            app: Arc::clone(&self.wired.app),
            work_runtime: self.work_runtime.clone(),
        };
        let validate_token = Arc::new(self.validate_token());
        let auth = AuthGrpc {
            runner: runner.clone(),
            validate_token: Arc::clone(&validate_token),
        };
        let session = SessionGrpc {
            runner: runner.clone(),
        };
        let factor = FactorGrpc {
            runner: runner.clone(),
        };
        let federation = FederationGrpc {
            runner: runner.clone(),
        };
        let group = GroupGrpc {
            runner: runner.clone(),
        };
        let service_account = ServiceAccountGrpc {
            runner: runner.clone(),
        };
        let user = UserGrpc {
            runner: runner.clone(),
        };
        let verification = VerificationGrpc { runner };
        // What a message may be is looked at before: see `RpcTable`.
        let routes =
            Routes::new(AuthServiceServer::new(auth).max_decoding_message_size(usize::MAX))
                .add_service(
                    SessionServiceServer::new(session).max_decoding_message_size(usize::MAX),
                )
                .add_service(FactorServiceServer::new(factor).max_decoding_message_size(usize::MAX))
                .add_service(
                    FederationServiceServer::new(federation).max_decoding_message_size(usize::MAX),
                )
                .add_service(GroupServiceServer::new(group).max_decoding_message_size(usize::MAX))
                .add_service(
                    ServiceAccountServiceServer::new(service_account)
                        .max_decoding_message_size(usize::MAX),
                )
                .add_service(UserServiceServer::new(user).max_decoding_message_size(usize::MAX))
                .add_service(
                    VerificationServiceServer::new(verification.clone())
                        .max_decoding_message_size(usize::MAX),
                )
                .add_service(HealthWithList {
                    health: health.clone(),
                    rest: HealthServer::new(health),
                })
                .add_service(reflection.v1.clone())
                .add_service(reflection.v1alpha.clone());
        let check = Arc::new(HeaderCheck {
            rpcs: Arc::clone(&self.rpcs),
            callers: Arc::clone(&self.wired.callers),
            random: Arc::clone(&self.wired.app.random),
            bodies: self.bodies.clone(),
            tracer: self.tracer.clone(),
        });
        FastPath {
            services: Arc::new(FastServices {
                authorization: AuthorizationService {
                    validate_token: Arc::clone(&validate_token),
                },
                validate_token,
                verification: verification.clone(),
            }),
            check: Arc::clone(&check),
            rest: CheckHeaders {
                check,
                work_runtime: self.work_runtime.clone(),
                rest: routes.prepare(),
            },
        }
    }
}
