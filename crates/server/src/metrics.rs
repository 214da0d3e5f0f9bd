//! What Prometheus sees of what happens: calls by RPC and code, verdicts of
//! validations, what became of messages. `readings` shows what is read when it
//! asks.

mod calls;
mod deliveries;
mod descriptions;
mod per_thread;
mod recorder;

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_domain::model::{Backlog, Timestamp};
use metrics::{counter, gauge};

pub(crate) use calls::{CallCounts, Called, render as render_calls};
pub(crate) use deliveries::delivered;
pub(crate) use recorder::install;

use self::per_thread::PerThread;

/// The verdicts of validations.
#[derive(Debug, Default)]
pub(crate) struct Validations(PerThread<Verdicts>);

#[derive(Debug, Default)]
struct Verdicts {
    valid: AtomicU64,
    rejected: AtomicU64,
}

impl Validations {
    pub(crate) fn count(&self, is_valid: bool) {
        let verdicts = self.0.mine();
        let verdict = if is_valid {
            &verdicts.valid
        } else {
            &verdicts.rejected
        };
        verdict.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the counters to what was counted until now.
    pub(crate) fn show(&self) {
        const NAME: &str = "countersign_validations_total";
        let sum = |verdict: fn(&Verdicts) -> &AtomicU64| {
            let verdicts = self.0.all().map(verdict);
            verdicts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        counter!(NAME, "verdict" => "valid").absolute(sum(|verdicts| &verdicts.valid));
        counter!(NAME, "verdict" => "rejected").absolute(sum(|verdicts| &verdicts.rejected));
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
