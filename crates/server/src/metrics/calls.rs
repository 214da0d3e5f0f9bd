//! Calls that have ended, by RPC and code, and how long they took: counted on
//! each thread, and written as Prometheus reads it, under the names that
//! go-grpc-prometheus has made usual.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tonic::Code;

use super::per_thread::PerThread;
use super::recorder::BUCKETS;

/// The codes of gRPC, from OK to UNAUTHENTICATED.
const CODES: usize = 17;

/// The calls of one RPC.
#[derive(Debug, Default)]
pub(crate) struct CallCounts(PerThread<Counts>);

/// An RPC with its calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called<'a> {
    /// Whether it streams, as go-grpc-prometheus says it.
    pub(crate) kind: &'a str,
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    pub(crate) counts: &'a CallCounts,
}

#[derive(Debug, Default)]
struct Counts {
    by_code: [AtomicU64; CODES],
    /// Those that took no longer than the bound of the same place, and longer
    /// than the one before; at the end, those that took longer than all.
    by_duration: [AtomicU64; BUCKETS.len() + 1],
    nanos: AtomicU64,
}

impl CallCounts {
    pub(crate) fn note(&self, code: Code, took: Duration) {
        let counts = self.0.mine();
        let add = |count: &AtomicU64, more| count.fetch_add(more, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|&bound| seconds <= bound);
        add(&counts.by_code[code as usize], 1);
        add(&counts.by_duration[bucket.unwrap_or(BUCKETS.len())], 1);
        add(
            &counts.nanos,
            u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        );
    }

    fn sum(&self, count: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        let counts = self.0.all();
        counts
            .map(|counts| count(counts).load(Ordering::Relaxed))
            .sum()
    }

    fn codes(&self) -> impl Iterator<Item = (Code, u64)> {
        (0..).zip(0..CODES).filter_map(|(number, place)| {
            let count = self.sum(|counts| &counts.by_code[place]);
            (count > 0).then(|| (Code::from_i32(number), count))
        })
    }
}

impl Called<'_> {
    fn labels(&self) -> String {
        let Self {
            kind,
            service,
            method,
            ..
        } = self;
        format!("grpc_type=\"{kind}\",grpc_service=\"{service}\",grpc_method=\"{method}\"")
    }
}

/// The calls of RPCs, as Prometheus reads them. RPCs that nobody has called are
/// left out.
pub(crate) fn render<'a>(rpcs: impl Iterator<Item = Called<'a>> + Clone) -> String {
    let mut text = String::new();
    // A String takes what is written to it.
    render_to(&mut text, rpcs).ok();
    text
}

fn render_to<'a>(text: &mut String, rpcs: impl Iterator<Item = Called<'a>> + Clone) -> fmt::Result {
    const HANDLED: &str = "grpc_server_handled_total";
    writeln!(
        text,
        "# HELP {HANDLED} Calls that have ended, by RPC and code."
    )?;
    writeln!(text, "# TYPE {HANDLED} counter")?;
    for rpc in rpcs.clone() {
        let labels = rpc.labels();
        for (code, count) in rpc.counts.codes() {
            let code = name_of(code);
            writeln!(text, "{HANDLED}{{{labels},grpc_code=\"{code}\"}} {count}")?;
        }
    }
    const HANDLING: &str = "grpc_server_handling_seconds";
    writeln!(text, "# HELP {HANDLING} How long calls took, by RPC.")?;
    writeln!(text, "# TYPE {HANDLING} histogram")?;
    for rpc in rpcs {
        let (labels, calls) = (rpc.labels(), rpc.counts);
        let mut count = 0;
        let bounds = BUCKETS.iter().map(f64::to_string);
        let bounds: Vec<_> = bounds.chain(["+Inf".to_owned()]).collect();
        if calls.codes().next().is_none() {
            continue;
        }
        for (place, bound) in bounds.iter().enumerate() {
            count += calls.sum(|counts| &counts.by_duration[place]);
            writeln!(text, "{HANDLING}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
        }
        let took = Duration::from_nanos(calls.sum(|counts| &counts.nanos));
        writeln!(text, "{HANDLING}_sum{{{labels}}} {}", took.as_secs_f64())?;
        writeln!(text, "{HANDLING}_count{{{labels}}} {count}")?;
    }
    Ok(())
}

/// A code as go-grpc-prometheus writes it.
fn name_of(code: Code) -> String {
    match code {
        Code::Ok => "OK".into(),
        Code::Cancelled => "Canceled".into(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_all_threads_are_counted_together() {
        let calls = CallCounts::default();
        std::thread::scope(|scope| {
            for thread in 0..20 {
                let calls = &calls;
                scope.spawn(move || {
                    for _ in 0..100 {
                        calls.note(Code::Ok, Duration::from_millis(thread));
                        calls.note(Code::Unauthenticated, Duration::from_secs(9));
                    }
                });
            }
        });
        let unused = CallCounts::default();
        let rpcs = [("Called", &calls), ("Unused", &unused)].map(|(method, counts)| Called {
            kind: "unary",
            service: "s",
            method,
            counts,
        });
        let text = render(rpcs.into_iter());
        let called = r#"grpc_type="unary",grpc_service="s",grpc_method="Called""#;
        for line in [
            format!("grpc_server_handled_total{{{called},grpc_code=\"OK\"}} 2000"),
            format!("grpc_server_handled_total{{{called},grpc_code=\"Unauthenticated\"}} 2000"),
            format!("grpc_server_handling_seconds_bucket{{{called},le=\"0.0005\"}} 100"),
            format!("grpc_server_handling_seconds_bucket{{{called},le=\"0.005\"}} 600"),
            format!("grpc_server_handling_seconds_bucket{{{called},le=\"5\"}} 2000"),
            format!("grpc_server_handling_seconds_bucket{{{called},le=\"+Inf\"}} 4000"),
            format!("grpc_server_handling_seconds_sum{{{called}}} 18019"),
            format!("grpc_server_handling_seconds_count{{{called}}} 4000"),
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
        }
        assert!(!text.contains("Unused"), "{text}");
    }
}
