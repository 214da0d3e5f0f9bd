//! What Prometheus sees: calls by RPC and code, verdicts of validations, the
//! age of what is kept in memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use countersign_domain::Application;
use countersign_domain::ports::Clock as _;
use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use tonic::Code;

use crate::grpc::Rpc;

/// The counters of ValidateToken, looked up once: the path is too hot to do it
/// on each call.
#[derive(Clone)]
pub(crate) struct Validations {
    valid: Counter,
    rejected: Counter,
}

impl Validations {
    pub(crate) fn register() -> Self {
        Self {
            valid: counter!("countersign_validations_total", "verdict" => "valid"),
            rejected: counter!("countersign_validations_total", "verdict" => "rejected"),
        }
    }

    pub(crate) fn count(&self, is_valid: bool) {
        if is_valid {
            self.valid.increment(1);
        } else {
            self.rejected.increment(1);
        }
    }
}

/// Serves the metrics on their own port.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) fn install(listen: SocketAddr) -> Result<(), BuildError> {
    PrometheusBuilder::new()
        .with_http_listener(listen)
        .set_buckets(&[
            0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
        ])?
        .install()?;
    describe_counter!(
        "grpc_server_handled_total",
        "Calls that have ended, by RPC and code."
    );
    describe_histogram!(
        "grpc_server_handling_seconds",
        "How long calls took, by RPC."
    );
    describe_counter!(
        "countersign_validations_total",
        "Tokens validated, by verdict."
    );
    describe_gauge!(
        "countersign_dependency_up",
        "Whether a dependency answers: 1 or 0."
    );
    describe_gauge!("countersign_revocations", "Revocations kept in memory.");
    describe_gauge!(
        "countersign_signing_keys_damaged",
        "Signing keys that cannot be read, and are left out."
    );
    describe_gauge!(
        "countersign_feed_age_seconds",
        "How long ago revocations and signing keys were read."
    );
    describe_gauge!(
        "countersign_clock_offset_seconds",
        "How far the machine's clock is ahead of the database's."
    );
    describe_counter!(
        "countersign_damaged_rows_total",
        "Rows that could not be read and were left out, by table."
    );
    describe_counter!(
        "countersign_messages_failed_total",
        "Messages that were given up."
    );
    describe_counter!(
        "countersign_messages_total",
        "Messages taken out of the outbox."
    );
    Ok(())
}

thread_local! {
    /// The counters and histograms that this thread has looked up: to do so for
    /// each call costs more than to count it.
    static CALLS: RefCell<HashMap<(&'static str, i32), CallMetrics>> = RefCell::default();
}

/// Of one RPC and code.
struct CallMetrics {
    count: Counter,
    duration: Histogram,
}

/// Notes a call that has ended, under the names that go-grpc-prometheus has made
/// usual.
pub(crate) fn call(rpc: &'static Rpc, code: Code, took: Duration) {
    CALLS.with_borrow_mut(|calls| {
        let key = (rpc.name, i32::from(code));
        let of_call = calls.entry(key).or_insert_with(|| CallMetrics {
            count: counter!(
                "grpc_server_handled_total",
                "grpc_type" => "unary",
                "grpc_service" => rpc.service,
                "grpc_method" => rpc.name,
                "grpc_code" => name_of(code),
            ),
            duration: histogram!(
                "grpc_server_handling_seconds",
                "grpc_type" => "unary",
                "grpc_service" => rpc.service,
                "grpc_method" => rpc.name,
            ),
        });
        of_call.count.increment(1);
        of_call.duration.record(took.as_secs_f64());
    });
}

/// A code as go-grpc-prometheus writes it.
fn name_of(code: Code) -> String {
    match code {
        Code::Ok => "OK".into(),
        Code::Cancelled => "Canceled".into(),
        other => format!("{other:?}"),
    }
}

/// Notes whether a dependency answers.
pub(crate) fn dependency(name: &'static str, is_up: bool) {
    gauge!("countersign_dependency_up", "dependency" => name).set(if is_up { 1.0 } else { 0.0 });
}

/// Notes how much is known of revocations and keys, and how old it is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the counts are far below 2^52"
)]
pub(crate) fn feed(app: &Application) {
    let now = app.clock.monotonic();
    gauge!("countersign_revocations").set(app.feed.len() as f64);
    gauge!("countersign_signing_keys_damaged").set(app.keyring.damaged().len() as f64);
    for (what, age) in [
        ("revocations", app.feed.age(now)),
        ("signing_keys", app.keyring.age(now)),
    ] {
        let seconds = age.map_or(f64::INFINITY, |age| age.as_secs_f64());
        gauge!("countersign_feed_age_seconds", "feed" => what).set(seconds);
    }
}

/// Notes how far the machine's clock is ahead of the database's.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the milliseconds of a century are below 2^52"
)]
pub(crate) fn clock_offset(ahead_ms: i64) {
    gauge!("countersign_clock_offset_seconds").set(ahead_ms as f64 / 1000.0);
}

/// Notes messages that were taken out of the outbox.
pub(crate) fn messages(count: usize) {
    counter!("countersign_messages_total").increment(count as u64);
}
