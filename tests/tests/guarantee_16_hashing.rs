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

/// Likewise, of what other systems made.
const ABSURD_IMPORTS: [&str; 9] = [
    "$scrypt$ln=17,r=8,p=4$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
    "$scrypt$ln=24,r=8,p=1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
    "scrypt$1073741824$salt$8$1$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    "scrypt$2$salt$4294967295$4294967295$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    "$2b$31$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    "pbkdf2_sha256$4294967295$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    "$5$rounds=999999999$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
    "$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
    "argon2$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
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
            let (salt, output) = ("c2Fs".repeat(6), "aGFz".repeat(10));
            let hash = format!("$argon2id$v=19${parameters}${salt}${output}");
            people.push(with_hash(&world, &hash).await);
        }
        for hash in ABSURD_IMPORTS {
            people.push(with_hash(&world, hash).await);
        }
        let gateways = world.gateways(8);
        let _ = world.replica(0).take_peak_memory();
        let outcomes = crowd(60, |turn| {
            let mina = people[turn % people.len()].at(&gateways[turn % gateways.len()]);
            async move { mina.try_password("a wrong guess").await }
        });
        let outcomes = Tally::of(&outcomes.await);
        let most = world.replica(0).take_peak_memory();
        say!(
            "guarantee 16: 60 sign-ins at once of accounts with hashes of absurd cost: {outcomes}; \
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

/// Somebody whose password was hashed like this, as it is stored.
async fn with_hash(world: &World, hash: &str) -> Person {
    let mina = world.sign_up().await;
    world.store_hash(&mina.user_id, hash).await;
    mina
}
