//! SendCode with the caller's own code and CheckCode on Redis, beside the bare
//! EVAL.

use std::process::{Command, Stdio};

use crate::arguments::Arguments;
use crate::closed_loop::drive;
use crate::failure::{Context as _, Failure};
use crate::redis::Redis;
use crate::report::Figure;
use crate::rounds::{Side, beside_floors};
use crate::sample::{Sample, Stopwatch};
use crate::server::Setup;
use crate::verifying::{LIMITS, OwnCodes};

const GATE: f64 = 0.35;

/// The least script that changes anything.
const SCRIPT: &str = "return redis.call('INCR', KEYS[1])";

/// How many calls the floor makes for each second of a round.
const FLOOR_RATE: f64 = 50_000.0;

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let redis = Redis::start()?;
    let url = redis.url();
    let mut settings = vec![("redis.url", url.as_str())];
    settings.extend(LIMITS);
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let callers = arguments.callers();
    eprintln!("codes: {callers} callers at once, Redis");
    let mut clients: Vec<_> = (0..callers).map(OwnCodes::new).collect();
    let target = server.target(arguments.connections.get());
    let sides = vec![
        Side::new("ours", || {
            let (after, sample) = drive(std::mem::take(&mut clients), target, arguments.round())?;
            clients = after;
            Ok(sample)
        }),
        Side::new("the bare EVAL, by redis-benchmark", || {
            round_of_floor(&redis, callers, arguments.round().as_secs_f64())
        }),
    ];
    let name = format!("SendCode with an own code and CheckCode in turn, Redis, {callers} at once");
    beside_floors(&name, arguments.rounds, GATE, sides)
}

/// As many connections as we have callers, each with one call under way.
fn round_of_floor(redis: &Redis, connections: u32, seconds: f64) -> Result<Sample, Failure> {
    let calls = (FLOOR_RATE * seconds).round();
    let stopwatch = Stopwatch::start(None)?;
    let output = Command::new("redis-benchmark")
        .args(["-h", "127.0.0.1", "-p", &redis.port().to_string(), "--csv"])
        .args(["-c", &connections.to_string(), "-n", &calls.to_string()])
        .args(["eval", SCRIPT, "1", "floor"])
        .stdin(Stdio::null())
        .output()
        .context("redis-benchmark, of Debian's redis-tools")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(rate) = calls_a_second(&text).filter(|_| output.status.success()) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("redis-benchmark: {text}{errors}")));
    };
    let mut sample = stopwatch.stop(calls as u64)?;
    // Without the time that connecting took.
    sample.seconds = calls / rate;
    Ok(sample)
}

/// The second column of the last line.
fn calls_a_second(csv: &str) -> Option<f64> {
    // The name of the test, the script, may hold commas; the figures do not.
    let mut figures = csv.trim_end().lines().last()?.rsplit(',');
    let rate = figures.nth(LATENCIES)?;
    rate.trim_matches('"').parse().ok()
}

/// The columns after the rate: average, least, p50, p95, p99 and longest.
const LATENCIES: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_past_a_script_with_commas() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\
                   \"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
                   \"eval a('b', c) 1 d\",\"53022.27\",\"0.5\",\"0.1\",\"0.4\",\"0.9\",\"1.2\",\"9.0\"\n";
        assert_eq!(calls_a_second(csv), Some(53_022.27));
        assert_eq!(calls_a_second("Could not connect"), None);
    }
}
