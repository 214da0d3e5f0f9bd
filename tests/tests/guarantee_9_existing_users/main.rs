//! Guarantee 9, users who are in an existing database alone: whatever their hash and
//! their state, a wrong password is answered as one for nobody, as late, and whether it
//! is tried once or by several at once. The first try adopts them, so that each is
//! tried but once.

mod calls;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, DEAR_HASHES, Gateway, IMPORTED_PASSWORD, Timings, World, WorldBuilder, crowd, email,
    on_a_backend, on_every_backend, reason,
};
use tokio::sync::Mutex;
use tonic::{Code, Status};

use crate::calls::no_other_call_tells_of_them;
use crate::table::{COLUMNS, Kind, Table};

on_every_backend!(
    a_wrong_password_tells_nothing_of_whom_an_existing_database_has,
    no_other_call_tells_of_them,
);

/// How much is measured at once.
#[derive(Clone, Copy)]
struct Amount {
    /// Wrong passwords for users of each kind, one for each user.
    rounds: usize,
    bursts: usize,
}

const MUCH: Amount = Amount {
    rounds: 9,
    bursts: 3,
};
/// Of hashes that take long.
const LITTLE: Amount = Amount {
    rounds: 7,
    bursts: 2,
};

/// Who tries the password of one user at once.
const BURST: usize = 3;
/// A noisy machine may spoil one measurement, an advantage shows in each.
pub(crate) const MEASUREMENTS: usize = 3;
/// The promise is 0.5 ms on a quiet machine.
pub(crate) const GAP: Duration = Duration::from_millis(3);
/// Of the whole of a burst.
const BURST_GAP: Duration = Duration::from_millis(10);
/// Only one server is measured at a time.
pub(crate) static QUIET: Mutex<()> = Mutex::const_new(());

async fn a_wrong_password_tells_nothing_of_whom_an_existing_database_has(backend: Backend) {
    let _quiet = QUIET.lock().await;
    tell_nothing(at_todays_cost(backend), Kind::cheap(), MUCH).await;
}

/// Their owners are adopted after the hash, not beside it, and refusals held back for
/// longer than that takes on any of the databases.
#[test]
fn digests_of_an_existing_database_are_not_told_by_the_time() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let _quiet = QUIET.lock().await;
        tell_nothing(at_todays_cost(backend), Kind::digests(), LITTLE).await;
    });
}

#[test]
fn dear_hashes_of_an_existing_database_are_not_told_by_the_time() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let _quiet = QUIET.lock().await;
        let examples: Vec<&str> = DEAR_HASHES.iter().map(|(_, hash)| *hash).collect();
        let world = at_todays_cost(backend).set("passwords.imported_examples", examples);
        let formats = DEAR_HASHES.iter();
        let kinds = formats.map(|(name, hash)| Kind::of(name, hash)).collect();
        tell_nothing(world, kinds, LITTLE).await;
    });
}

pub(crate) fn at_todays_cost(backend: Backend) -> WorldBuilder {
    let world = World::on(backend)
        .set("passwords.memory_kib", 19_456)
        .set("passwords.iterations", 2);
    COLUMNS
        .into_iter()
        .fold(world, |world, (name, column)| world.set(name, column))
}

async fn tell_nothing(world: WorldBuilder, kinds: Vec<Kind>, amount: Amount) {
    let world = world.start().await;
    // As many as are tried in all measurements, and one who signs in.
    let users = MEASUREMENTS * (amount.rounds + amount.bursts) + 1;
    let mut table = Table::fill(&world, kinds, users).await;
    let gateway = world.gateway();
    let mut is_told = true;
    for _ in 0..MEASUREMENTS {
        is_told = measure(&world, &gateway, &mut table, amount).await;
        if !is_told {
            break;
        }
    }
    for number in 0..table.kinds.len() {
        let address = table.next(number);
        let kind = &table.kinds[number];
        let right = gateway.sign_in(email(&address), IMPORTED_PASSWORD).await;
        assert_eq!(reason(&right), kind.told, "{}", kind.name);
    }
    assert!(!is_told, "the time tells, in {MEASUREMENTS} measurements");
}

/// Whether the time of a wrong password tells who is in the table, singly or in bursts.
async fn measure(world: &World, gateway: &Gateway, table: &mut Table, amount: Amount) -> bool {
    let Amount { rounds, bursts } = amount;
    let (mut singly, mut in_bursts) = (Timings::default(), Timings::default());
    let mut answers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for _ in 0..rounds {
        for (name, address) in table.turn(world) {
            let tried = guess(gateway, &address);
            let answer = in_full(singly.measure(name, tried).await);
            answers.entry(answer).or_default().insert(name);
        }
    }
    for _ in 0..bursts {
        for (name, address) in table.turn(world) {
            let tried = crowd(BURST, |_| {
                let (gateway, address) = (gateway.clone(), address.clone());
                async move { guess(&gateway, &address).await }
            });
            for tried in in_bursts.measure(name, tried).await {
                answers.entry(in_full(tried)).or_default().insert(name);
            }
        }
    }
    countersign_tests::say!(
        "guarantee 9 on {}: a wrong password at {} kinds of users whom an existing database \
         alone has, at somebody known and at nobody: distinct answers {}; medians of {rounds}: \
         {singly}: gap {:.2} ms (promised 0.5); of {bursts} bursts of {BURST}: {in_bursts}: gap \
         {:.2} ms",
        world.backend(),
        table.kinds.len(),
        answers.len(),
        singly.gap().as_secs_f64() * 1_000.0,
        in_bursts.gap().as_secs_f64() * 1_000.0,
    );
    assert_eq!(answers.len(), 1, "{answers:#?}");
    singly.tell_apart(GAP) || in_bursts.tell_apart(BURST_GAP)
}

/// Tries a wrong password, from a source that has tried nothing yet.
async fn guess(gateway: &Gateway, address: &str) -> Result<v1::Tokens, Status> {
    static SOURCES: AtomicU32 = AtomicU32::new(0);
    let [_, high, middle, low] = SOURCES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let source = format!("10.{high}.{middle}.{low}");
    gateway
        .sign_in_from(&source, email(address), "wrong guess")
        .await
}

/// All that an answer says.
fn in_full(tried: Result<v1::Tokens, Status>) -> String {
    let status = tried.expect_err("the password is wrong");
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    let mut names: Vec<_> = status
        .metadata()
        .keys()
        .map(|key| format!("{key:?}"))
        .collect();
    names.sort();
    format!("{} {:?} {names:?}", status.message(), status.details())
}
