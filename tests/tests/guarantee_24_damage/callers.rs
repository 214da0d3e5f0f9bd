//! A caller whose row is damaged is refused; the others call on, and new ones
//! are known.

use std::time::Duration;

use countersign_tests::{Backend, Gateway, Tally, World, comes_true, on_backends_at_once, reason};

use crate::{EVERY, is_named, start_again, world};

/// Within which running servers know of a caller.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);
const DAMAGED: &str = "shop-of-damaged-roles";

#[test]
fn a_caller_with_unknown_roles_harms_only_itself() {
    on_backends_at_once(&EVERY, damage);
}

async fn damage(backend: Backend) {
    let world = world(backend).start().await;
    let good = new_caller(&world, "web").await;
    let bad = new_caller(&world, DAMAGED).await;
    let are_known = [
        hears(&world, &good, "OK").await,
        hears(&world, &bad, "OK").await,
    ];
    assert_eq!(are_known, [true, true], "before the damage");
    let update = format!("UPDATE callers SET roles = 'juggler' WHERE name = '{DAMAGED}'");
    assert_eq!(world.execute(&update).await, 1);

    let later = new_caller(&world, "later").await;
    let is_known = hears(&world, &later, "OK").await;
    let removed = world.replica(0).run(&["caller", "remove", "later"]).await;
    let is_gone = hears(&world, &later, "CALLER_UNKNOWN").await;
    let mut beside = Tally::default();
    beside.add(start_again(&world).await);
    for (name, is_so) in [
        ("a new caller is not known", is_known),
        ("it cannot be removed", removed.code == 0),
        ("a removed caller is known", is_gone),
    ] {
        beside.add(if is_so { "OK" } else { name });
    }
    let mut of_damaged = Tally::default();
    for gateway in world.running() {
        for _ in 0..10 {
            beside.add(&reason(
                &as_caller(&gateway, &good).validate("garbage").await,
            ));
            of_damaged.add(&reason(
                &as_caller(&gateway, &bad).validate("garbage").await,
            ));
        }
    }
    let named = is_named(&world, DAMAGED);
    countersign_tests::say!(
        "guarantee 24 on {backend}, a caller with unknown roles: calls beside it refused {} of {} \
         ({beside}); its own calls: {of_damaged}; named in the log: {named}",
        beside.total() - beside.count("OK"),
        beside.total()
    );
    beside.assert_only(&["OK"]);
    of_damaged.assert_only(&["CALLER_UNKNOWN", "CALLER_NOT_PERMITTED"]);
    assert!(named, "{backend}: the caller is named in the log");
}

/// Damage of the row of the only caller, where the columns of the database take it.
const OF_THE_ONLY_ONE: [(&str, &[Backend]); 4] = [
    ("roles = 'nonsense'", &EVERY),
    ("created_at = 'abc'", &[Backend::Sqlite]),
    ("key_hash = x'78'", &[Backend::Sqlite]),
    ("key_hash = '\\x78'", &[Backend::Postgres]),
];

#[test]
fn a_damaged_caller_that_is_the_only_one_opens_nothing() {
    on_backends_at_once(&EVERY, only_one);
}

async fn only_one(backend: Backend) {
    for (change, backends) in OF_THE_ONLY_ONE {
        if !backends.contains(&backend) {
            continue;
        }
        let world = world(backend).start().await;
        let key = new_caller(&world, DAMAGED).await;
        let update = format!("UPDATE callers SET {change} WHERE name = '{DAMAGED}'");
        assert_eq!(world.execute(&update).await, 1, "{update}");
        for replica in world.replicas() {
            let started = replica.kill_and_try_start().await;
            assert!(started.is_ok(), "{backend}, {change}: it starts");
        }
        let mut answers = Tally::default();
        for gateway in world.running() {
            answers.add(&reason(&gateway.validate("garbage").await));
            answers.add(&reason(
                &as_caller(&gateway, &key).validate("garbage").await,
            ));
        }
        countersign_tests::say!(
            "guarantee 24 on {backend}, {change} of the only caller: calls without a key and with \
             its own: {answers}"
        );
        answers.assert_only(&["CALLER_UNKNOWN"]);
        is_told(&world).await;
    }
}

/// Commands say which caller cannot be read, and what to do; and that is done.
async fn is_told(world: &World) {
    let remove = format!("countersign caller remove {DAMAGED}");
    let new = ["caller", "new", "--role", "service", "--name", DAMAGED];
    for (arguments, code) in [
        (&["caller", "list"][..], 0),
        (&["caller", "list", "--json"], 0),
        (&new, 1),
        (&["caller", "remove", DAMAGED], 0),
        (&new, 0),
    ] {
        let finished = world.replica(0).run(arguments).await;
        let told = &finished.stderr;
        assert_eq!(finished.code, code, "{arguments:?}: {told}");
        let is_there = arguments[1] == "list" || code == 1;
        let says = told.contains("cannot be read") && told.contains(&remove);
        assert_eq!(says, is_there, "{arguments:?}: {told}");
    }
}

/// What an odd hand may write into the tables of callers, each in a row of a
/// caller of its own. Some of it is no damage, and must not become one.
const ODD: [(&str, &str); 8] = [
    ("callers", "created_at = -9223372036854775807"),
    ("callers", "created_at = 9223372036854775807"),
    ("caller_keys", "created_at = -9223372036854775807"),
    ("caller_keys", "expires_at = 9223372036854775807"),
    ("caller_keys", "expires_at = -9223372036854775807"),
    ("caller_key_uses", "used_at = 9223372036854775807"),
    ("caller_sans", "san = ' of nobody '"),
    ("caller_sans", "san = ''"),
];

#[test]
fn odd_rows_of_callers_harm_only_themselves() {
    on_backends_at_once(&EVERY, odd_rows);
}

async fn odd_rows(backend: Backend) {
    let world = world(backend).start().await;
    let good = new_caller(&world, "web").await;
    assert!(hears(&world, &good, "OK").await);
    for (number, (table, change)) in ODD.into_iter().enumerate() {
        let name = format!("odd-{number}");
        let san = format!("odd-{number}.example");
        let new = ["caller", "new", "--role", "service", "--name", &name];
        let made = [&new[..], &["--san", &san]].concat();
        assert_eq!(world.replica(0).run(&made).await.code, 0);
        let key = world.replica(0).run(&["caller", "add-key", &name]).await;
        assert_eq!(key.code, 0, "{}", key.stderr);
        if table == "caller_key_uses" {
            let insert = format!(
                "INSERT INTO caller_key_uses (key_hash, caller, used_at) \
                 SELECT key_hash, caller, 1 FROM caller_keys WHERE caller = '{name}'"
            );
            assert_eq!(world.execute(&insert).await, 1);
        }
        let column = if table == "callers" { "name" } else { "caller" };
        let update = format!("UPDATE {table} SET {change} WHERE {column} = '{name}'");
        assert_eq!(world.execute(&update).await, 1, "{update}");
    }
    let mut beside = Tally::default();
    let later = new_caller(&world, "later").await;
    let outcome = |is_so: bool, otherwise: &'static str| if is_so { "OK" } else { otherwise };
    let is_known = hears(&world, &later, "OK").await;
    beside.add(outcome(is_known, "a new caller is not known"));
    beside.add(start_again(&world).await);
    for arguments in [&["caller", "list"][..], &["caller", "list", "--json"]] {
        let listed = world.replica(0).run(arguments).await;
        let is_listed = listed.code == 0 && listed.stdout.contains("web");
        beside.add(outcome(is_listed, "callers are not listed"));
    }
    for gateway in world.running() {
        for key in [&good, &later] {
            for _ in 0..10 {
                let answer = as_caller(&gateway, key).validate("garbage").await;
                beside.add(&reason(&answer));
            }
        }
    }
    let log = world.log().text(0);
    countersign_tests::say!(
        "guarantee 24 on {backend}, {} odd rows of callers: calls and commands beside them that \
         failed {} of {} ({beside})",
        ODD.len(),
        beside.total() - beside.count("OK"),
        beside.total()
    );
    beside.assert_only(&["OK"]);
    assert!(!log.contains("panic"), "{backend}: a panic is in the log");
}

/// The API key of a new caller with both roles.
async fn new_caller(world: &World, name: &str) -> String {
    let arguments = ["caller", "new", "--name", name];
    let roles = ["--role", "service", "--role", "gateway"];
    let finished = world
        .replica(0)
        .run(&[&arguments[..], &roles].concat())
        .await;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let mut words = finished.stdout.split_whitespace();
    let key = words.find(|word| word.starts_with("csk_"));
    key.expect("an API key").to_owned()
}

fn as_caller(gateway: &Gateway, key: &str) -> Gateway {
    gateway.clone().with_key(key)
}

/// Whether every replica comes to answer the caller so.
async fn hears(world: &World, key: &str, expected: &str) -> bool {
    for gateway in world.running() {
        let gateway = as_caller(&gateway, key);
        let is_so = || async { reason(&gateway.validate("garbage").await) == expected };
        if comes_true(KNOWN_WITHIN, is_so).await.is_none() {
            return false;
        }
    }
    true
}
