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
