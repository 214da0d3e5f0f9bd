//! What Prometheus sees of what happens: calls by RPC and code, verdicts of
//! validations, what became of messages. `readings` shows what is read when it
//! asks.

mod deliveries;
mod descriptions;
mod recorder;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use countersign_domain::model::{Backlog, Timestamp};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use tonic::Code;

use crate::grpc::Rpc;

pub(crate) use deliveries::delivered;
pub(crate) use recorder::install;

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

/// Notes how far the machine's clock is ahead of the database's.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the milliseconds of a century are below 2^52"
)]
pub(crate) fn clock_offset(ahead_ms: i64) {
    gauge!("countersign_clock_offset_seconds").set(ahead_ms as f64 / 1000.0);
}

/// Notes what waits in the outbox at `now`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and the counts are far below 2^52"
)]
pub(crate) fn outbox(backlog: Backlog, now: Timestamp) {
    let age = backlog.oldest.map(|oldest| now.since(oldest));
    gauge!("countersign_outbox_messages").set(backlog.messages as f64);
    gauge!("countersign_outbox_oldest_message_age_seconds")
        .set(age.unwrap_or_default().as_secs_f64());
}
