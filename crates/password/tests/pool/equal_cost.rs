//! Every comparison costs what a new hash costs: in blocks computed, which is
//! the same on every machine. `examples/equal_cost.rs` prints times.

use std::num::NonZeroUsize;

use countersign_domain::model::PasswordHash;
use countersign_password::{Argon2Parameters, PoolSettings};

use super::support::{MATCHES, new_hash, one_worker, pool, verify};

const MEMORY_KIB: u32 = 16_384;
const PASSES: u32 = 2;
/// The work of a new hash.
const BLOCKS: u64 = MEMORY_KIB as u64 * PASSES as u64;
/// What cannot be added: fewer than four blocks in each of the passes.
const ROUNDING: u64 = 4 * PASSES as u64;

fn with(memory_kib: u32, passes: u32, lanes: u32) -> PoolSettings {
    PoolSettings {
        parameters: Argon2Parameters::new(memory_kib, passes, lanes).expect("parameters"),
        workers: NonZeroUsize::MIN,
        ..one_worker()
    }
}

/// How many blocks the first comparison with `stored` takes.
async fn work(stored: Option<&PasswordHash>) -> u64 {
    let pool = pool(with(MEMORY_KIB, PASSES, 1));
    drop(verify(&pool, "correct horse", stored.cloned()).await);
    assert_eq!(pool.hashes(), 1);
    pool.blocks()
}

#[tokio::test]
async fn with_no_hash_a_new_one_or_an_unreadable_one_the_work_is_the_same() {
    let today = pool(with(MEMORY_KIB, PASSES, 1));
    let hash = new_hash(&today, "correct horse").await.expect("a hash");
    assert_eq!(today.blocks(), BLOCKS);

    assert_eq!(work(None).await, BLOCKS);
    assert_eq!(work(Some(&hash)).await, BLOCKS);
    for unreadable in [
        "",
        "garbage",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$2b$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    ] {
        let hash = PasswordHash::new(unreadable.into());
        assert_eq!(work(Some(&hash)).await, BLOCKS, "{unreadable}");
    }
}

#[tokio::test]
async fn a_hash_of_cheaper_parameters_is_filled_up_to_the_work_of_a_new_one() {
    for (memory_kib, passes, lanes) in
        [(8_192, 1, 1), (8_192, 3, 1), (10_000, 2, 4), (16_384, 1, 2)]
    {
        let old = pool(with(memory_kib, passes, lanes));
        let hash = new_hash(&old, "correct horse").await.expect("a hash");
        let work = work(Some(&hash)).await;
        assert!(
            (BLOCKS - ROUNDING..=BLOCKS).contains(&work),
            "m={memory_kib} t={passes} p={lanes}: {work} of {BLOCKS}"
        );
    }
}

/// From the reference implementation's own test.c.
#[tokio::test]
async fn the_cheapest_hashes_of_others_are_filled_up_too() {
    for phc in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ] {
        let work = work(Some(&PasswordHash::new(phc.into()))).await;
        assert!(
            (BLOCKS - ROUNDING..=BLOCKS).contains(&work),
            "{phc}: {work}"
        );
    }
}

#[tokio::test]
async fn a_dearer_hash_costs_what_it_asks_for_and_nothing_more() {
    for (memory_kib, passes) in [(MEMORY_KIB, PASSES + 1), (2 * MEMORY_KIB, PASSES)] {
        let old = pool(with(memory_kib, passes, 1));
        let hash = new_hash(&old, "correct horse").await.expect("a hash");
        assert_eq!(work(Some(&hash)).await, old.blocks());
    }
}

#[tokio::test]
async fn the_added_work_changes_no_verdict() {
    let old = pool(with(8_192, 1, 1));
    let hash = new_hash(&old, "correct horse").await.expect("a hash");
    let today = pool(with(MEMORY_KIB, PASSES, 1));
    for _ in 0..5 {
        let new = new_hash(&today, "correct horse").await.expect("a hash");
        let right = verify(&today, "correct horse", Some(new)).await;
        assert_eq!(right.expect("a verdict"), MATCHES);
        let right = verify(&today, "correct horse", Some(hash.clone())).await;
        let right = right.expect("a verdict");
        assert!(right.matches && right.outdated, "{right:?}");
        let wrong = verify(&today, "correct hors", Some(hash.clone())).await;
        assert!(!wrong.expect("a verdict").matches);
    }
    // Corrected by what was measured meanwhile, within its bounds.
    let before = today.blocks();
    drop(verify(&today, "correct horse", Some(hash)).await);
    let work = today.blocks() - before;
    assert!(
        (8_192..=BLOCKS * 3 / 2).contains(&work),
        "{work} of {BLOCKS}"
    );
}

/// What is missing is known by time, so the work is near that of a new hash.
#[tokio::test]
async fn a_cheap_hash_of_another_system_is_filled_up_and_a_dear_one_is_not() {
    let sha1 = "sha1$pepper$d5ab0a0a0fbf5a7d9be3ba1ac9f9b5f3b8ad1a5d";
    let cheap = work(Some(&PasswordHash::new(sha1.into()))).await;
    assert!(
        (BLOCKS / 2..=BLOCKS * 3 / 2).contains(&cheap),
        "{cheap} of {BLOCKS}"
    );
    let bcrypt = "$2b$12$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
    let dear = work(Some(&PasswordHash::new(bcrypt.into()))).await;
    assert_eq!(dear, 0);
}
