//! ValidateToken beside a storm of sign-ins: ten times as many as the machine can
//! hash. What cannot be hashed is to be refused at once. The floor is a bare echo
//! beside threads of the hashes' priority that do nothing but spin.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use countersign_proto::v1::IssueTokensResponse;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::arguments::Arguments;
use crate::closed_loop::{Target, drive, runtime};
use crate::connections::{Connections, connect};
use crate::corpus::Corpus;
use crate::failure::{Context as _, Failure};
use crate::forge::forge;
use crate::issue::SigningIn;
use crate::open_loop::{self, histogram, micros, offer};
use crate::people::{ISSUE_TOKENS, Person};
use crate::raw_call::RawCaller;
use crate::report::{Figure, Quantity};
use crate::server::{Floor, Setup};
use crate::spinning;
use crate::system;
use crate::validate::WARMING;

/// Validations a second.
const RATE: NonZeroU32 = NonZeroU32::new(2_000).expect("it is not zero");

/// Sign-ins offered for each that can be hashed.
const TIMES: u32 = 10;

const TOKENS: u32 = 1_000;

const PEOPLE: usize = 64;

/// Of the p99 under the storm to the idle one.
const GATE: f64 = 2.0;

/// Within which what is too much is refused.
const SHED_WITHIN: Duration = Duration::from_millis(50);

/// What came of the sign-ins of a storm.
struct Outcomes {
    signed_in: u64,
    /// How long refusals took.
    shed: Histogram<u64>,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let setup = Setup::new(arguments, &[("tokens.access_ttl", "1h")])?;
    let server = setup.start()?;
    let target = server.target(arguments.connections.get());
    let tokens = runtime()?.block_on(forge(&setup, &server, TOKENS))?;
    let tokens = Arc::new(Corpus::of_tokens(&tokens));
    drive(RawCaller::once_each(&tokens, 64), target, WARMING)?;
    let people = runtime()?.block_on(async {
        let channel = connect(server.address()).await?;
        // The first has made the tokens.
        Person::crowd(&channel, 1..PEOPLE + 1).await
    })?;
    let few = people.iter().take(8 * system::cores().get()).cloned();
    let (_, capacity) = drive(few.map(SigningIn::new).collect(), target, arguments.round())?;
    let storm = storm_rate(capacity.rate())?;
    let echoes = Arc::new(tokens.of_echoes());
    let floor = Floor::start("floor-echo", tokens.echoed_bytes())?;
    let floor = floor.target(arguments.connections.get());
    drive(RawCaller::once_each(&echoes, 64), floor, WARMING)?;
    eprintln!("storm: {RATE} validations and {storm} sign-ins a second, SQLite");

    let (mut calm, mut stormy) = (histogram()?, histogram()?);
    let mut outcomes = Outcomes {
        signed_in: 0,
        shed: histogram()?,
    };
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        let idle = offer(&tokens, target, RATE, arguments.round())?;
        let is_over = AtomicBool::new(false);
        let (beside, came) = thread::scope(|scope| {
            let storming = scope.spawn(|| sign_in(&people, target, storm, &is_over));
            let beside = offer(&tokens, target, RATE, arguments.round());
            is_over.store(true, Ordering::Relaxed);
            let came = storming
                .join()
                .map_err(|_| Failure::new("the storm panicked"))?;
            Ok((beside?, came?))
        })?;
        let echo = offer(&echoes, floor, RATE, arguments.round())?;
        let spinning = spinning::start()?;
        let echo_beside = offer(&echoes, floor, RATE, arguments.round())?;
        drop(spinning);
        let p99 = |latencies: &Histogram<u64>| micros(latencies.value_at_quantile(0.99));
        let (echo, echo_beside) = (p99(&echo), p99(&echo_beside));
        let (before, under) = (p99(&idle), p99(&beside));
        eprintln!(
            "  round {round}: p99 {before:.0} µs, {under:.0} µs under the storm; of the echo \
             {echo:.0} µs, {echo_beside:.0} µs beside spinning threads"
        );
        ratios.push(under / before);
        floors.push(echo_beside / echo);
        calm.add(idle).context("the histogram")?;
        stormy.add(beside).context("the histogram")?;
        outcomes.signed_in += came.signed_in;
        outcomes.shed.add(came.shed).context("the histogram")?;
    }
    let shed = &outcomes.shed;
    Ok(vec![
        open_loop::figure("ValidateToken", RATE, &calm),
        open_loop::figure("ValidateToken under the storm", RATE, &stormy),
        Figure::Quantity(Quantity {
            name: "ValidateToken p99, under the storm : idle".into(),
            unit: "",
            values: ratios,
            gate: Some(GATE),
        }),
        Figure::Quantity(Quantity {
            name: "a bare echo's p99, beside idle-priority threads that spin : idle".into(),
            unit: "",
            values: floors,
            gate: None,
        }),
        Figure::Quantity(Quantity {
            name: format!(
                "p99 of {} refused sign-ins, {} signed in",
                shed.len(),
                outcomes.signed_in
            ),
            unit: "ms",
            values: vec![micros(shed.value_at_quantile(0.99)) / 1e3],
            gate: Some(SHED_WITHIN.as_secs_f64() * 1e3),
        }),
    ])
}

fn storm_rate(capacity: f64) -> Result<NonZeroU32, Failure> {
    let whole = format!("{capacity:.0}").parse::<u32>().ok();
    whole
        .and_then(|whole| NonZeroU32::new(whole * TIMES))
        .ok_or_else(|| Failure::new("nobody could sign in"))
}

/// Signs people in at this rate until it is over.
fn sign_in(
    people: &[Person],
    target: Target,
    rate: NonZeroU32,
    is_over: &AtomicBool,
) -> Result<Outcomes, Failure> {
    runtime()?.block_on(async {
        let mut connections = Connections::new(target.address, target.connections);
        let mut outcomes = Outcomes {
            signed_in: 0,
            shed: histogram()?,
        };
        let mut calls = JoinSet::new();
        let mut due = system::now();
        for person in people.iter().cycle() {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            let mut connection = connections.next().await?;
            let request = person.password_request();
            calls.spawn(async move {
                let began = system::now();
                let answer: Result<IssueTokensResponse, _> =
                    connection.call(ISSUE_TOKENS, &request).await;
                (began, answer)
            });
            while let Some(ended) = calls.try_join_next() {
                let (began, answer) = ended.context("a sign-in")?;
                outcomes.note(began, answer.err())?;
            }
            due += Duration::from_secs(1) / rate.get();
        }
        while let Some(ended) = calls.join_next().await {
            let (began, answer) = ended.context("a sign-in")?;
            outcomes.note(began, answer.err())?;
        }
        Ok(outcomes)
    })
}

impl Outcomes {
    fn note(&mut self, began: Instant, refusal: Option<Status>) -> Result<(), Failure> {
        let Some(status) = refusal else {
            self.signed_in += 1;
            return Ok(());
        };
        let says_when = status.get_details_retry_info().is_some();
        if status.code() != Code::ResourceExhausted || !says_when {
            return Err(Failure::new(format!("a sign-in was answered {status:?}")));
        }
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shed.saturating_record(nanos);
        Ok(())
    }
}
