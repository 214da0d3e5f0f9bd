//! ValidateToken of many hot tokens, with an API key on each call, beside a bare
//! echo of the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::closed_loop::{Target, drive, runtime};
use crate::connections::Connection;
use crate::corpus::Corpus;
use crate::failure::Failure;
use crate::forge::{Forged, forge};
use crate::open_loop;
use crate::raw_call::{self, RawCaller};
use crate::report::{Figure, Gate, Rates};
use crate::rounds::{Side, alternate};
use crate::sample::Sample;
use crate::server::{Floor, Setup};
use crate::system;

const GATE: f64 = 0.92;

/// The server's default.
const CACHED_TOKENS: u32 = 65_536;

/// How long the server may take to know a new caller.
const KNOWING: Duration = Duration::from_secs(5);

/// How long asking each question once may take.
pub(crate) const WARMING: Duration = Duration::from_secs(600);

/// An RPC that is asked about tokens, and the floor beside it.
pub(crate) struct Compared {
    pub(crate) rpc: &'static str,
    pub(crate) corpus: fn(&[Forged]) -> Corpus,
    pub(crate) floor: &'static str,
    /// What this program is started as to be the floor.
    pub(crate) floor_program: &'static str,
    pub(crate) floor_corpus: fn(&Corpus) -> Corpus,
    /// How many bytes the floor is told to answer.
    pub(crate) floor_bytes: fn(&Corpus) -> usize,
    pub(crate) gate: f64,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let compared = Compared {
        rpc: "ValidateToken",
        corpus: Corpus::of_tokens,
        floor: "bare echo",
        floor_program: "floor-echo",
        floor_corpus: Corpus::of_echoes,
        floor_bytes: Corpus::echoed_bytes,
        gate: GATE,
    };
    beside(arguments, &compared)
}

/// Measures an RPC beside its floor.
pub(crate) fn beside(arguments: &Arguments, compared: &Compared) -> Result<Vec<Figure>, Failure> {
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
    let key = setup.new_caller("service")?;
    let tokens = Arc::new((compared.corpus)(&tokens).with_key(&key)?);
    runtime()?.block_on(until_known(&tokens, server.address()))?;
    let echoes = Arc::new((compared.floor_corpus)(&tokens));
    let floor = Floor::start(compared.floor_program, (compared.floor_bytes)(&tokens))?;
    eprintln!(
        "{}: {} tokens, requests of {} and answers of {} bytes, {} calls in flight on {} connections",
        compared.rpc,
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
        let sides = [
            (compared.floor, &echoes, floor),
            (compared.rpc, &tokens, ours),
        ];
        return open_loop::measure(arguments, rate, &sides);
    }

    let side = |name, corpus, target| Side::new(name, move || round(arguments, corpus, target));
    let sides = vec![
        side(compared.floor, &echoes, floor),
        side("ours", &tokens, ours),
    ];
    let mut samples = alternate(arguments.rounds, sides)?.into_iter();
    Ok(vec![Figure::Rates(Rates {
        name: format!(
            "{}, {} hot tokens, an API key on each call",
            compared.rpc, arguments.tokens
        ),
        floor_name: compared.floor.into(),
        floor: samples.next().unwrap_or_default(),
        ours: samples.next().unwrap_or_default(),
        gate: Some(Gate::Ratio(compared.gate)),
    })])
}

/// Waits until the server knows the caller.
async fn until_known(tokens: &Corpus, address: SocketAddr) -> Result<(), Failure> {
    let mut connection = Connection::open(address).await?;
    let began = system::now();
    loop {
        match raw_call::ask(tokens, &mut connection, 0).await {
            Ok(()) => return Ok(()),
            Err(failure) if began.elapsed() > KNOWING => return Err(failure),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn round(arguments: &Arguments, corpus: &Arc<Corpus>, target: Target) -> Result<Sample, Failure> {
    let callers = RawCaller::crowd(corpus, arguments.in_flight.get());
    let (_, sample) = drive(callers, target, arguments.round())?;
    Ok(sample)
}
