//! Load at a fixed rate, whatever the answers do. A latency counts from the time
//! at which the call was due, so that a server that stalls is charged for all
//! the calls that it kept waiting. What the generator itself would wait for a core
//! is not the server's: where the system lets it, it runs before all others.

use std::num::NonZeroU32;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet};

use crate::arguments::Arguments;
use crate::closed_loop::{Target, runtime};
use crate::connections::Connections;
use crate::corpus::Corpus;
use crate::failure::{Context as _, Failure};
use crate::raw_call::ask;
use crate::report::{Figure, Latencies};
use crate::system;

/// More unanswered calls than this on a thread mean that the rate is too high.
const MOST_UNANSWERED: usize = 20_000;

/// Calls that are due, by their number.
type Due = (Instant, usize);

/// Offers each side the load in turn, round by round.
pub(crate) fn measure(
    arguments: &Arguments,
    rate: NonZeroU32,
    sides: &[(&str, &Arc<Corpus>, Target)],
) -> Result<Vec<Figure>, Failure> {
    let mut histograms = Vec::new();
    for _ in sides {
        histograms.push(histogram()?);
    }
    for round in 1..=arguments.rounds {
        for ((name, corpus, target), all) in sides.iter().zip(&mut histograms) {
            let latencies = offer(corpus, *target, rate, arguments.round())?;
            let p99 = micros(latencies.value_at_quantile(0.99));
            eprintln!("  round {round}, {name}: p99 {p99:.0} µs");
            all.add(latencies).context("the histogram")?;
        }
    }
    let figures = sides.iter().zip(&histograms);
    Ok(figures
        .map(|((name, ..), all)| figure(name, rate, all))
        .collect())
}

/// The latencies of all rounds of one side.
pub(crate) fn figure(name: &str, rate: NonZeroU32, all: &Histogram<u64>) -> Figure {
    Figure::Latencies(Latencies {
        name: format!("{name}, {rate} calls a second"),
        calls: all.len(),
        p50: micros(all.value_at_quantile(0.5)),
        p99: micros(all.value_at_quantile(0.99)),
        p999: micros(all.value_at_quantile(0.999)),
        max: micros(all.max()),
    })
}

/// Offers the load of one round.
pub(crate) fn offer(
    corpus: &Arc<Corpus>,
    target: Target,
    rate: NonZeroU32,
    length: Duration,
) -> Result<Histogram<u64>, Failure> {
    let threads = system::cores().get();
    let ready = &Barrier::new(threads + 1);
    thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut running = Vec::new();
        for _ in 0..threads {
            let (queue, due) = unbounded_channel();
            queues.push(queue);
            let connections =
                Connections::new(target.address, target.connections.div_ceil(threads));
            let corpus = Arc::clone(corpus);
            running.push(scope.spawn(move || answer(corpus, connections, due, ready)));
        }
        // A thread of its own: what this one starts later would go before all others, too.
        scope.spawn(move || {
            system::go_first();
            ready.wait();
            pace(&queues, rate, length);
            drop(queues);
        });
        let mut all = histogram()?;
        for thread in running {
            let latencies = thread
                .join()
                .map_err(|_| Failure::new("a generating thread panicked"))??;
            all.add(latencies).context("the histogram")?;
        }
        Ok(all)
    })
}

/// Says in turn to each thread when a call is due.
fn pace(queues: &[UnboundedSender<Due>], rate: NonZeroU32, length: Duration) {
    let interval = Duration::from_secs(1) / rate.get();
    let start = system::now();
    let mut due = start;
    for (number, queue) in (0..).zip(queues.iter().cycle()) {
        if due >= start + length {
            break;
        }
        thread::sleep(due.saturating_duration_since(system::now()));
        if queue.send((due, number)).is_err() {
            break;
        }
        due += interval;
    }
}

fn answer(
    corpus: Arc<Corpus>,
    mut connections: Connections,
    mut due: UnboundedReceiver<Due>,
    ready: &Barrier,
) -> Result<Histogram<u64>, Failure> {
    system::go_first();
    let runtime = runtime().and_then(|runtime| {
        // The first call of each client would wait for its connection.
        runtime.block_on(async {
            for index in 0..64 {
                let mut connection = connections.next().await?;
                ask(&corpus, &mut connection, index % corpus.len()).await?;
            }
            Ok(())
        })?;
        Ok(runtime)
    });
    // Also after a failure: the others wait here.
    ready.wait();
    runtime?.block_on(async move {
        let mut latencies = histogram()?;
        let mut calls = JoinSet::new();
        while let Some((due, number)) = due.recv().await {
            let mut connection = connections.next().await?;
            let corpus = Arc::clone(&corpus);
            calls.spawn(async move {
                ask(&corpus, &mut connection, number % corpus.len()).await?;
                Ok(due.elapsed())
            });
            while let Some(ended) = calls.try_join_next() {
                note(&mut latencies, ended)?;
            }
            if calls.len() > MOST_UNANSWERED {
                return Err(Failure::new("the rate is higher than the server's"));
            }
        }
        while let Some(ended) = calls.join_next().await {
            note(&mut latencies, ended)?;
        }
        Ok(latencies)
    })
}

fn note(
    latencies: &mut Histogram<u64>,
    ended: Result<Result<Duration, Failure>, JoinError>,
) -> Result<(), Failure> {
    let latency = ended.context("a call")??;
    let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
    latencies.saturating_record(nanos);
    Ok(())
}

/// Of nanoseconds, up to a minute, to three digits.
pub(crate) fn histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).context("the histogram")
}

pub(crate) fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_rounds() {
        let mut all = histogram().unwrap();
        for millis in 1..=100 {
            note(&mut all, Ok(Ok(Duration::from_millis(millis)))).unwrap();
        }
        let p99 = micros(all.value_at_quantile(0.99));
        assert!((p99 - 99_000.0).abs() < 100.0, "{p99}");
        assert!((micros(all.max()) - 100_000.0).abs() < 100.0);
    }
}
