//! A replica whose clock is off says so: in its metrics, in its log, and, if it
//! is far off, in its health.

use std::time::Duration;

use countersign_tests::{
    Backend, Gateway, Metrics, SERVICES, ShiftedClock, World, eventually, on_backends_at_once,
};
use tokio::time::{Instant, sleep};

use crate::SHARED;

/// Within which it is told, and told to be over.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
const METRIC: &str = "countersign_clock_offset_seconds";

#[test]
fn a_clock_that_is_far_off_is_told_and_recovers() {
    on_backends_at_once(&SHARED, tell);
}

async fn tell(backend: Backend) {
    let Some(clock) = ShiftedClock::shifted_by(0) else {
        return;
    };
    let metrics = Metrics::somewhere().await;
    let world = World::on(backend)
        .replicas(2)
        .clock_at(1, &clock)
        .set_at(1, "metrics.listen", metrics.listen())
        .start()
        .await;
    let (right, wrong) = (world.replica(0).gateway(), world.replica(1).gateway());
    become_serving(&wrong, true, "at first").await;

    let from = world.log().len();
    for seconds in [30, -30] {
        clock.shift_by(seconds * 1_000);
        stays_serving(&wrong, seconds).await;
        measured(&metrics, seconds).await;
    }
    let warnings = world.log().warnings(1, from);
    let warned = warnings.iter().any(|line| line.contains("clock"));
    assert!(
        warned,
        "{backend}: 30 s are beyond the leeway: {warnings:?}"
    );

    for seconds in [90, -90, 3_600] {
        clock.shift_by(seconds * 1_000);
        let what = format!("{seconds} s off");
        let told = become_serving(&wrong, false, &what).await;
        measured(&metrics, seconds).await;
        assert!(wrong.is_serving("").await, "it takes calls");
        for service in SERVICES {
            assert!(right.is_serving(service).await, "the other is healthy");
        }
        clock.shift_by(0);
        let over = become_serving(&wrong, true, "right again").await;
        countersign_tests::say!(
            "guarantee 22 on {backend}, {what}: NOT_SERVING after {told:?}, SERVING {over:?} after \
             it is right"
        );
    }
    measured(&metrics, 0).await;
}

/// Waits until all three services say so.
async fn become_serving(gateway: &Gateway, serving: bool, what: &str) -> Duration {
    let so = || async {
        for service in SERVICES {
            if gateway.is_serving(service).await != serving {
                return None;
            }
        }
        Some(())
    };
    let what = format!("serving is {serving} when the clock is {what}");
    eventually(&what, TOLD_WITHIN, so).await.1
}

async fn stays_serving(gateway: &Gateway, seconds: i64) {
    let began = Instant::now();
    while began.elapsed() < TOLD_WITHIN {
        for service in SERVICES {
            let is_serving = gateway.is_serving(service).await;
            assert!(is_serving, "{service}, {seconds} s off");
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the metric is this, whichever of the clocks it is counted from.
async fn measured(metrics: &Metrics, seconds: i64) {
    let expected = Duration::from_secs(seconds.unsigned_abs()).as_secs_f64();
    let so = || async {
        let value = metrics.value(METRIC).await?;
        ((value.abs() - expected).abs() < 1.5).then_some(())
    };
    eventually(&format!("{METRIC} is {seconds}"), TOLD_WITHIN, so).await;
}
