//! ValidateToken of many hot tokens beside a bare echo of the same bytes.

use std::sync::Arc;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::closed_loop::{Target, drive, runtime};
use crate::corpus::Corpus;
use crate::failure::Failure;
use crate::forge::forge;
use crate::open_loop;
use crate::raw_call::RawCaller;
use crate::report::{Figure, Gate, Rates};
use crate::rounds::{Side, alternate};
use crate::sample::Sample;
use crate::server::{Floor, Setup};

const GATE: f64 = 0.92;

/// The server's default.
const CACHED_TOKENS: u32 = 65_536;

/// How long asking each question once may take.
pub(crate) const WARMING: Duration = Duration::from_secs(600);

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let cached = CACHED_TOKENS
        .max(arguments.tokens.saturating_mul(2))
        .to_string();
    let settings = [
        ("tokens.access_ttl", "1h"),
        ("validation.cache_tokens", &cached),
    ];
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let tokens = runtime()?.block_on(forge(&setup, &server, arguments.tokens))?;
    let tokens = Arc::new(Corpus::of_tokens(&tokens));
    let echoes = Arc::new(tokens.of_echoes());
    let floor = Floor::start(tokens.echoed_bytes())?;
    eprintln!(
        "validate: {} tokens, requests of {} and answers of {} bytes, {} calls in flight on {} connections",
        arguments.tokens,
        tokens.request_bytes(),
        tokens.answer_bytes(),
        arguments.in_flight,
        arguments.connections,
    );

    let connections = arguments.connections.get();
    let (floor, ours) = (floor.target(connections), server.target(connections));
    for (corpus, target) in [(&echoes, floor), (&tokens, ours)] {
        drive(RawCaller::once_each(corpus, 64), target, WARMING)?;
    }
    if let Some(rate) = arguments.open_loop {
        let sides = [("echo", &echoes, floor), ("validate", &tokens, ours)];
        return open_loop::measure(arguments, rate, &sides);
    }

    let side = |name, corpus, target| Side::new(name, move || round(arguments, corpus, target));
    let sides = vec![
        side("bare echo", &echoes, floor),
        side("ours", &tokens, ours),
    ];
    let mut samples = alternate(arguments.rounds, sides)?.into_iter();
    Ok(vec![Figure::Rates(Rates {
        name: format!("ValidateToken, {} hot tokens", arguments.tokens),
        floor_name: "bare echo".into(),
        floor: samples.next().unwrap_or_default(),
        ours: samples.next().unwrap_or_default(),
        gate: Some(Gate::Ratio(GATE)),
    })])
}

fn round(arguments: &Arguments, corpus: &Arc<Corpus>, target: Target) -> Result<Sample, Failure> {
    let callers = RawCaller::crowd(corpus, arguments.in_flight.get());
    let (_, sample) = drive(callers, target, arguments.round())?;
    Ok(sample)
}
