//! Guarantee 16: the memory that hashing takes is bounded, whatever the passwords
//! are, however many come at once, and whatever a stored hash asks for.

use countersign_tests::{
    Backend, PASSWORD, Person, Tally, World, crowd, email, on_a_backend, reason, say,
};

const AT_ONCE: usize = 512;
/// Of the whole server: half of what a machine with 1 GiB has.
const MEMORY: u64 = 512 << 20;
/// In bytes. The longest password is 1,024 bytes, the longest message 64 KiB.
const SIZES: [usize; 10] = [
    0,
    1,
    8,
    64,
    1_024,
    1_025,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
];

/// Parameters that no hash of ours has: the largest that are still computed, and
/// such as would take hours or terabytes.
const ABSURD: [&str; 6] = [
    "m=262144,t=16,p=16",
    "m=262145,t=1,p=1",
    "m=4194304,t=2,p=1",
    "m=4294967295,t=1,p=1",
    "m=19456,t=4294967295,p=1",
    "m=4294967295,t=4294967295,p=16777215",
];

#[test]
fn passwords_of_any_size_take_bounded_memory() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend).await;
        let mina = world.sign_up().await;
        let gateways = world.gateways(8);
        let _ = world.replica(0).take_peak_memory();
        let outcomes = crowd(AT_ONCE, |turn| {
            let gateway = gateways[turn % gateways.len()].clone();
            let who = email(&mina.email);
            let password = "p".repeat(SIZES[turn % SIZES.len()]);
            async move { gateway.sign_in(who, &password).await }
        });
        let sign_ins = Tally::of(&outcomes.await);
        let outcomes = crowd(AT_ONCE, |turn| {
            let gateway = gateways[turn % gateways.len()].clone();
            let address = format!("mina@crowd{turn}.example");
            let password = "p".repeat(SIZES[turn % SIZES.len()]);
            async move { gateway.sign_up_unproven(&address, &password).await }
        });
        let sign_ups = Tally::of(&outcomes.await);
        let most = world.replica(0).take_peak_memory();
        say!(
            "guarantee 16: {AT_ONCE} sign-ins and as many sign-ups at once, passwords of 0 B to \
             4 MiB: {sign_ins}; {sign_ups}; memory at the most {most} bytes"
        );
        let refused = ["FIELD_INVALID", "MESSAGE_UNREADABLE", "OVERLOADED"];
        sign_ins.assert_only(&[&["SIGN_IN_REFUSED"], &refused[..]].concat());
        sign_ups.assert_only(&[&["OK"], &refused[..]].concat());
        assert!(sign_ins.count("SIGN_IN_REFUSED") > 0, "{sign_ins}");
        assert!(most <= MEMORY, "{most} bytes");
        assert_eq!(reason(&mina.try_password(PASSWORD).await), "OK");
    });
}

#[test]
fn hashes_of_absurd_cost_take_bounded_memory_and_harm_nobody_else() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = world(backend).await;
        let beside = world.sign_up().await;
        let mut people = Vec::new();
        for parameters in ABSURD {
            people.push(with_hash(&world, parameters).await);
        }
        let gateways = world.gateways(8);
        let _ = world.replica(0).take_peak_memory();
        let outcomes = crowd(48, |turn| {
            let mina = people[turn % people.len()].at(&gateways[turn % gateways.len()]);
            async move { mina.try_password("a wrong guess").await }
        });
        let outcomes = Tally::of(&outcomes.await);
        let most = world.replica(0).take_peak_memory();
        say!(
            "guarantee 16: 48 sign-ins at once of accounts with hashes of absurd cost: {outcomes}; \
             memory at the most {most} bytes"
        );
        assert_eq!(outcomes.count("OK"), 0);
        assert!(most <= MEMORY, "{most} bytes");
        assert_eq!(reason(&beside.try_password(PASSWORD).await), "OK");
    });
}

/// The cost of a hash as operators have it, and their queue.
async fn world(backend: Backend) -> World {
    World::on(backend)
        .set("passwords.memory_kib", 19_456)
        .set("passwords.iterations", 2)
        .set("passwords.queue", 64)
        .start()
        .await
}

/// Somebody whose password was hashed with these parameters, as it is stored.
async fn with_hash(world: &World, parameters: &str) -> Person {
    let mina = world.sign_up().await;
    let hash = format!(
        "$argon2id$v=19${parameters}${}${}",
        "c2Fs".repeat(6),
        "aGFz".repeat(10)
    );
    let user = mina.user_id.replace('-', "");
    let of_hers = world.backend().bytes(&user);
    let update = format!("UPDATE credentials SET hash = '{hash}' WHERE user_id = {of_hers}");
    assert_eq!(world.execute(&update).await, 1);
    mina
}
