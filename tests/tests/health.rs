//! What the health service says, per service and overall, through outages and
//! a drain; and the probe's exit codes.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_proto::RPCS;
use countersign_tests::{
    Backend, Gateway, Line, Mode, PATIENCE, World, eventually, on_a_backend,
    on_every_shared_backend, reason,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tonic::Request;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_prost::ProstCodec;

on_every_shared_backend!(an_outage_is_told_of_the_services_that_it_concerns);

const AUTH: &str = "countersign.v1.AuthService";
const FACTOR: &str = "countersign.v1.FactorService";
const FEDERATION: &str = "countersign.v1.FederationService";
const GROUP: &str = "countersign.v1.GroupService";
const SERVICE_ACCOUNT: &str = "countersign.v1.ServiceAccountService";
const SESSION: &str = "countersign.v1.SessionService";
const USER: &str = "countersign.v1.UserService";
const VERIFICATION: &str = "countersign.v1.VerificationService";
const AUTHORIZATION: &str = "envoy.service.auth.v3.Authorization";
const ALL: [&str; 10] = [
    "",
    AUTH,
    FACTOR,
    FEDERATION,
    GROUP,
    SERVICE_ACCOUNT,
    SESSION,
    USER,
    VERIFICATION,
    AUTHORIZATION,
];

async fn an_outage_is_told_of_the_services_that_it_concerns(backend: Backend) {
    let world = World::on(backend)
        .replicas(2)
        .with_lines()
        .set("validation.feed_bound", "2s")
        .start()
        .await;
    let gateway = world.gateway();
    statuses_become(&gateway, [true; 10]).await;
    world.redis_line().set(Mode::Cut);
    statuses_become(
        &gateway,
        [
            true, true, false, false, true, true, true, false, false, true,
        ],
    )
    .await;
    world.redis_line().set(Mode::Pass);
    statuses_become(&gateway, [true; 10]).await;
    world.database_line().set(Mode::Cut);
    statuses_become(
        &gateway,
        [
            true, false, false, false, false, false, false, false, false, false,
        ],
    )
    .await;
    statuses_become(&world.replica(1).gateway(), [true; 10]).await;
    world.database_line().set(Mode::Pass);
    statuses_become(&gateway, [true; 10]).await;
}

#[test]
fn each_service_of_the_contract_has_a_status() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        statuses_become(&gateway, [true; 10]).await;
        for rpc in RPCS {
            assert!(is_serving(&gateway, rpc.service).await, "{}", rpc.service);
        }
        let mut grpc = Grpc::new(gateway.line());
        grpc.ready().await.expect("a connection");
        let list = PathAndQuery::from_static("/grpc.health.v1.Health/List");
        let codec = ProstCodec::<(), HealthListResponse>::default();
        let listed = grpc.unary(Request::new(()), list, codec).await;
        let statuses = listed.expect("statuses").into_inner().statuses;
        let services: Vec<_> = statuses.keys().map(String::as_str).collect();
        assert_eq!(services, ALL);
        let is_serving = |told: &HealthCheckResponse| told.status() == ServingStatus::Serving;
        assert!(statuses.values().all(is_serving), "{statuses:?}");
    });
}

/// `grpc.health.v1.HealthListResponse`, which tonic's library has not yet.
#[derive(Clone, PartialEq, prost::Message)]
struct HealthListResponse {
    #[prost(btree_map = "string, message", tag = "1")]
    statuses: BTreeMap<String, HealthCheckResponse>,
}

#[test]
fn a_watch_tells_changes_only_and_of_unknown_services_too() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::start(backend, 1).await;
        let gateway = world.gateway();
        statuses_become(&gateway, [true; 10]).await;
        for (service, status) in [
            ("", ServingStatus::Serving),
            ("countersign.v1.AuthService", ServingStatus::Serving),
            ("shop.v1.Orders", ServingStatus::ServiceUnknown),
        ] {
            let watch = client(&gateway).watch(request(service)).await;
            let mut watch = watch.expect("a stream").into_inner();
            let first = watch.message().await.expect("alive").expect("a status");
            assert_eq!(first.status(), status, "{service}");
            // Dependencies are asked every two seconds meanwhile.
            let second = tokio::time::timeout(Duration::from_secs(5), watch.message());
            assert!(second.await.is_err(), "{service}");
        }
    });
}

#[test]
fn ctrl_c_does_not_wait_for_load_balancers() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("server.drain_delay", "20s")
            .start()
            .await;
        let began = Instant::now();
        world.replica(0).interrupt().await;
        let status = world.replica(0).wait().await;
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
    });
}

#[test]
fn a_drain_is_told_while_a_call_in_flight_finishes() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("server.drain_delay", "3s")
            .start()
            .await;
        let mina = world.sign_up().await;
        let tokens = mina.sign_in().await;
        let idle = world.gateway();
        statuses_become(&idle, [true; 10]).await;
        let mut watch = client(&idle)
            .watch(request(""))
            .await
            .expect("a stream")
            .into_inner();
        let first = watch.message().await.expect("alive").expect("a status");
        assert_eq!(first.status(), ServingStatus::Serving);

        // Whoever writes to the database has to wait for this.
        let mut writer = SqliteConnection::connect(world.database_url())
            .await
            .expect("opened");
        writer.execute("BEGIN IMMEDIATE").await.expect("locked");
        let from = world.log().len();
        let in_flight = {
            let (gateway, token) = (mina.gateway.clone(), tokens.access_token.clone());
            tokio::spawn(async move { gateway.revoke(&token).await })
        };
        world.replica(0).terminate().await;
        world.replica(0).says(from, "draining").await;
        let told = tokio::time::timeout(PATIENCE, watch.message())
            .await
            .expect("told in time");
        let told = told.expect("alive").expect("a status");
        assert_eq!(told.status(), ServingStatus::NotServing);
        drop(watch);
        statuses_become(&idle, [false; 10]).await;
        assert_eq!(
            mina.gateway.judge(&tokens.access_token).await,
            "VALID",
            "calls are still answered"
        );
        let address = world.replica(0).address();
        let closed = || async { TcpStream::connect(address).await.err() };
        eventually("no new connection is taken", PATIENCE, closed).await;
        assert!(!in_flight.is_finished(), "the call is in flight");

        writer.execute("COMMIT").await.expect("unlocked");
        let outcome = in_flight.await.expect("no panic");
        assert_eq!(reason(&outcome), "OK", "the call in flight has finished");
        let status = world.replica(0).wait().await;
        assert_eq!(status.code(), Some(0), "{status}");
        assert_eq!(world.rows("sessions WHERE revoked_at IS NOT NULL").await, 1);
    });
}

#[test]
fn an_open_watch_does_not_hold_up_the_end() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("server.drain_timeout", "30s")
            .start()
            .await;
        let watching = client(&world.gateway()).watch(request("")).await;
        let mut watch = watching.expect("a stream").into_inner();
        watch.message().await.expect("alive").expect("a status");
        world.replica(0).terminate().await;
        let began = Instant::now();
        let status = world.replica(0).wait().await;
        let took = began.elapsed();
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(
            took < Duration::from_secs(15),
            "it waits for the watcher: {took:?}"
        );
    });
}

#[test]
fn the_probe_exits_as_grpc_health_probe_does() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("server.drain_delay", "30s")
            .start()
            .await;
        let address = format!("-addr={}", world.replica(0).address());
        let probe = async |arguments: &[&str]| {
            let all = [&["healthcheck"], arguments].concat();
            world.replica(0).run(&all).await
        };
        statuses_become(&world.gateway(), [true; 10]).await;
        for service in ALL {
            let found = probe(&[&address, &format!("-service={service}")]).await;
            assert_eq!(
                (found.code, found.stdout.as_str()),
                (0, "status: SERVING\n"),
                "{service}"
            );
        }
        assert_eq!(probe(&["-no-such-flag"]).await.code, 1);
        assert_eq!(
            probe(&["-addr=127.0.0.1:1", "-connect-timeout=2s"])
                .await
                .code,
            2
        );
        assert_eq!(probe(&[&address, "-service=no.such.Service"]).await.code, 3);
        world.replica(0).terminate().await;
        statuses_become(&world.gateway(), [false; 10]).await;
        let draining = probe(&[&address]).await;
        assert_eq!(draining.code, 4, "{draining:?}");
        world.replica(0).kill().await;
    });
}

/// Waits until the statuses of [`ALL`] are these.
async fn statuses_become(gateway: &Gateway, serving: [bool; 10]) {
    let is_so = || async {
        // Whoever asks without a pause, and shows no key, is cut off.
        sleep(Duration::from_millis(50)).await;
        for (service, expected) in ALL.into_iter().zip(serving) {
            if is_serving(gateway, service).await != expected {
                return None;
            }
        }
        Some(())
    };
    let what = format!("{ALL:?} serve: {serving:?}");
    let ((), took) = eventually(&what, PATIENCE, is_so).await;
    assert!(took < Duration::from_secs(20), "{what} after {took:?}");
}

async fn is_serving(gateway: &Gateway, service: &str) -> bool {
    let answer = client(gateway).check(request(service)).await;
    let answer = answer.expect("health is always told").into_inner();
    answer.status() == ServingStatus::Serving
}

fn client(gateway: &Gateway) -> HealthClient<Line> {
    HealthClient::new(gateway.line())
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.into(),
    }
}
