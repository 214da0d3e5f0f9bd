//! Guarantee 9, the answers: nobody learns who has an account, by a single call
//! or by sequences of two and three, whatever the state of the address.
//!
//! All sequences of three take long:
//! `cargo test -p countersign-tests --test guarantee_9_enumeration -- --ignored`.

mod probe;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use countersign_tests::{Backend, World, on_a_backend, on_every_backend};
use futures_util::StreamExt as _;

use probe::{Answer, Attacker, Probe};
use state::State;

on_every_backend!(sign_ups_tell_nothing, no_call_tells_anything);

/// How many sequences are tried at once.
const AT_ONCE: usize = 32;

async fn no_call_tells_anything(backend: Backend) {
    let world = world(backend, "0s").await;
    let telling = tell(&world, "calls", &sequences(&Probe::ALL, 1), &State::ALL).await;
    assert_eq!(telling, 0);
}

#[test]
fn no_two_calls_tell_anything() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend, "0s").await;
        let telling = tell(&world, "pairs", &sequences(&Probe::ALL, 2), &State::SOME).await;
        assert_eq!(telling, 0);
    });
}

#[test]
#[ignore = "tens of thousands of calls: some 20 minutes"]
fn no_sequence_tells_anything() {
    for (backend, longest) in [
        (Backend::Sqlite, 3),
        (Backend::Postgres, 2),
        (Backend::MariaDb, 2),
    ] {
        on_a_backend(backend, async move |backend| {
            let world = world(backend, "0s").await;
            for length in 2..=longest {
                let sequences = sequences(&Probe::ALL, length);
                let telling = tell(&world, "all sequences", &sequences, &State::ALL).await;
                assert_eq!(telling, 0);
            }
        });
    }
}

async fn sign_ups_tell_nothing(backend: Backend) {
    let world = world(backend, "0s").await;
    let sequences = [1, 2, 3].map(|length| sequences(&Probe::SIGN_UPS, length));
    let sequences = sequences.concat();
    let telling = tell(&world, "sign-ups", &sequences, &State::BEFORE_SIGN_UPS).await;
    assert_eq!(telling, 0);
}

#[test]
fn repeats_around_the_cooldown_tell_nothing_in_process() {
    on_a_backend(Backend::Sqlite, repeats_around_the_cooldown_tell_nothing);
}

#[test]
fn repeats_around_the_cooldown_tell_nothing_on_redis() {
    on_a_backend(Backend::Postgres, repeats_around_the_cooldown_tell_nothing);
}

/// The second call within the cooldown, the third after it.
async fn repeats_around_the_cooldown_tell_nothing(backend: Backend) {
    // So long that a busy machine makes the second call in time.
    let world = world(backend, "4s").await;
    let sequences = Probe::SENDS.map(|probe| {
        let (wait, named) = (Probe::Wait, Probe::SignUpNamed);
        vec![wait, probe, probe, wait, probe, named, wait, named]
    });
    let telling = tell(
        &world,
        "around the cooldown",
        &sequences,
        &State::OF_ONE_SEND,
    )
    .await;
    assert_eq!(telling, 0);
}

async fn world(backend: Backend, cooldown: &str) -> World {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", cooldown)
        .set("passwords.attempts", state::LOCKED_AFTER)
        // A line for each call would be many thousands, in which codes are looked for.
        .set("log.filter", "info,sqlx=warn,countersign_server::grpc=warn")
        .start()
        .await;
    world.make_groups(&[state::ELSEWHERE]).await;
    world
}

/// Tries each sequence on an address in each state, holds the answers against
/// each other, and returns how many sequences tell something.
async fn tell(world: &World, what: &str, sequences: &[Vec<Probe>], states: &[State]) -> usize {
    let taken = world.sign_up().await.username;
    let taken = &taken;
    let gateways = &world.gateways(2);
    let runs = sequences.iter().enumerate().flat_map(|(number, sequence)| {
        states.iter().map(move |&state| async move {
            let gateway = &gateways[number % gateways.len()];
            let subject = state.bring_about(world, gateway).await;
            let key = state.code_that_is_asked_for(sequence);
            let mut attacker = Attacker::new(gateway, subject, taken);
            let mut answers = Answers::default();
            for probe in sequence {
                answers.push(attacker.try_out(*probe).await);
            }
            ((number, key), state, answers)
        })
    });
    let mut runs = futures_util::stream::iter(runs).buffer_unordered(AT_ONCE);
    let mut answers: BTreeMap<_, BTreeMap<Answers, BTreeSet<State>>> = BTreeMap::new();
    let mut count = 0;
    while let Some((key, state, answer)) = runs.next().await {
        count += 1;
        let of_sequence = answers.entry(key).or_default();
        of_sequence.entry(answer).or_default().insert(state);
    }

    let telling: Vec<_> = answers.iter().filter(|(_, all)| all.len() > 1).collect();
    let most = answers
        .values()
        .map(BTreeMap::len)
        .max()
        .unwrap_or_default();
    countersign_tests::say!(
        "guarantee 9 on {}: {what}: {} sequences at addresses in {} states, {count} in \
         all: distinct answers {most}; sequences that tell: {}",
        world.backend(),
        sequences.len(),
        states.len(),
        telling.len(),
    );
    for ((number, _), all) in telling.iter().take(4) {
        countersign_tests::say!("  {:?} tells:", sequences[*number]);
        let reasons: BTreeSet<&str> = all.keys().map(|answer| answer.reasons.as_str()).collect();
        for (answer, states) in *all {
            // In full only if the reasons are alike.
            let is_enough = reasons.len() == all.len();
            let shown = if is_enough {
                &answer.reasons
            } else {
                &answer.in_full
            };
            countersign_tests::say!("    {shown}: {states:?}");
        }
    }
    telling.len()
}

/// What a sequence of calls was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Answers {
    reasons: String,
    in_full: String,
}

impl Answers {
    fn push(&mut self, answer: Answer) {
        for (all, one) in [
            (&mut self.reasons, answer.reason),
            (&mut self.in_full, answer.in_full),
        ] {
            let between = if all.is_empty() { "" } else { ", " };
            all.push_str(between);
            all.push_str(&one);
        }
    }
}

/// All sequences of a length.
fn sequences(probes: &[Probe], length: usize) -> Vec<Vec<Probe>> {
    let mut all = vec![Vec::new()];
    for _ in 0..length {
        let longer = all.iter().flat_map(|sequence: &Vec<Probe>| {
            probes
                .iter()
                .map(move |probe| [&sequence[..], &[*probe]].concat())
        });
        all = longer.collect();
    }
    // Some calls make sense after another one only.
    all.retain(|sequence| Probe::make_sense(sequence));
    all
}
