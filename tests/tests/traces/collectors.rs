//! Collectors that are not wanted, away, late or hang: the server goes on as if
//! there were none.

use std::time::Duration;

use countersign_tests::{
    Backend, Collector, World, canary_spellings, contains_any, crowd, on_a_backend, say,
};
use tokio::time::Instant;

use crate::traced::{ask, kept, world};

/// A batch may take ten seconds, the end of the server waits for two of them.
const NOT_HELD_UP: Duration = Duration::from_secs(8);

/// Who calls, how often in a row, and after how many calls some span must have
/// been dropped: a collector that hangs takes fifty of them in a second.
const MEMBERS: usize = 8;
const CALLS: usize = 100;
const TOO_MANY: usize = 200_000;

#[test]
fn without_an_endpoint_there_are_no_spans() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = World::on(backend)
            .set("traces.endpoint", "")
            .variable_at(0, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
            .start()
            .await;
        ask(&world.gateway(), &kept()).await.expect("an answer");
        end(&world).await;
        assert_eq!(collector.spans(), []);
        assert!(!world.log().text(0).contains("trace_id"));
    });
}

#[test]
fn the_last_spans_are_handed_over_at_the_end() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = world(backend, &collector).await;
        for _ in 0..100 {
            ask(&world.gateway(), &kept()).await.expect("an answer");
        }
        end(&world).await;
        assert_eq!(collector.spans().len(), 100);
    });
}

#[test]
fn a_collector_that_comes_late_gets_what_happens_from_then_on() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let address = Collector::nowhere().await;
        let world = World::on(backend)
            .set("traces.endpoint", format!("http://{address}"))
            .start()
            .await;
        let gateway = world.gateway();
        let (replica, log) = (world.replica(0), world.log());
        for _ in 0..2 {
            ask(&gateway, &kept()).await.expect("an answer");
        }
        replica
            .says(0, "spans cannot be exported, and are lost until they can")
            .await;
        let collector = Collector::start_at(address).await;
        let until_it_comes = async {
            loop {
                ask(&gateway, &kept()).await.expect("an answer");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = until_it_comes => {}
            _ = collector.has(1) => {}
        }
        replica.says(0, "spans are exported again").await;
        let failed = "spans cannot be exported";
        let warnings = log.warnings(0, 0).into_iter();
        assert_eq!(warnings.filter(|line| line.contains(failed)).count(), 1);
    });
}

#[test]
fn a_collector_that_is_away_does_not_hold_up_the_end() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let address = Collector::nowhere().await;
        let world = World::on(backend)
            .set("traces.endpoint", format!("http://{address}"))
            .start()
            .await;
        ask(&world.gateway(), &kept()).await.expect("an answer");
        end(&world).await;
    });
}

#[test]
fn a_collector_that_hangs_holds_up_no_call_and_not_the_end() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start_hanging().await;
        let world = World::on(backend)
            .set("traces.endpoint", collector.endpoint())
            .start()
            .await;
        let gateways = world.gateways(MEMBERS);
        let mut calls = 0;
        while !world.log().text(0).contains("SpanDroppingStarted") {
            assert!(calls < TOO_MANY, "{calls} calls, and no span is dropped");
            crowd(MEMBERS, |number| {
                let gateway = gateways[number].clone();
                async move {
                    for _ in 0..CALLS {
                        ask(&gateway, &kept()).await.expect("an answer");
                    }
                }
            })
            .await;
            calls += MEMBERS * CALLS;
        }
        let taken = end(&world).await;
        let dropping = world.log().text(0).matches("SpanDroppingStarted").count();
        say!(
            "a collector that hangs: {calls} of {calls} calls answered, {} spans taken, {dropping} \
             line on dropping others, stopped within {taken:?}",
            collector.spans().len()
        );
        assert_eq!(dropping, 1);
        assert!(collector.spans().len() < calls);
    });
}

#[test]
fn what_opentelemetry_reads_by_itself_is_sent_along() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        let world = World::on(backend)
            .set("traces.endpoint", collector.endpoint())
            .variable_at(0, "OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=auth-7")
            .variable_at(0, "OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=tenant-7")
            .variable_at(0, "OTEL_TRACES_SAMPLER", "always_off")
            .start()
            .await;
        world.gateway().refresh("any").await.expect_err("no token");
        let spans = collector.has(1).await;
        assert_eq!(spans[0].attribute("k8s.pod.name"), "auth-7");
        assert_eq!(spans[0].attribute("service.name"), "countersign");
        let bytes = collector.bytes();
        assert!(contains_any(&bytes, &canary_spellings("tenant-7")));
    });
}

/// Ends the server as an operator does.
async fn end(world: &World) -> Duration {
    let replica = world.replica(0);
    let began = Instant::now();
    replica.terminate().await;
    assert!(replica.wait().await.success());
    let taken = began.elapsed();
    assert!(taken < NOT_HELD_UP, "{taken:?}");
    taken
}
