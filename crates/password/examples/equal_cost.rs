//! Prints what a comparison takes with no hash, a new one, an unreadable one,
//! hashes of older parameters and cheap ones of other systems; then, while a dear
//! one is in use, what a refusal takes. Each is measured beside one with no hash: on a
//! busy machine the gap within these pairs is the figure to trust.
//!
//! `cargo run --release -p countersign-password --example equal_cost [ROUNDS]`

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::PasswordHasher as _;
use countersign_domain::testing::SeededRandom;
use countersign_password::{Argon2Parameters, Argon2Pool, PoolSettings};

/// Memory in KiB, passes and lanes: OWASP's other choices, and cheaper ones.
const OLDER: [(u32, u32, u32); 7] = [
    (8_192, 1, 1),
    (8_192, 3, 1),
    (9_216, 4, 1),
    (12_288, 3, 1),
    (19_456, 1, 1),
    (12_288, 2, 4),
    (32_768, 1, 1),
];
const SMALLEST: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// Cheaper than a new hash.
const CHEAP: [(&str, &str); 5] = [
    (
        "sha1",
        "sha1$pepper$d5ab0a0a0fbf5a7d9be3ba1ac9f9b5f3b8ad1a5d",
    ),
    ("phpass 8192", "$P$BIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    (
        "bcrypt 6",
        "$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        "sha512-crypt 5000",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        "pbkdf2 29000",
        "pbkdf2_sha256$29000$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    ),
];

/// Dearer than a new hash.
const DEAR: [(&str, &str); 6] = [
    (
        "bcrypt 10",
        "$2b$10$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        "bcrypt 12",
        "$2b$12$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        "pbkdf2 1000000",
        "pbkdf2_sha256$1000000$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    ),
    (
        "sha512-crypt 656000",
        "$6$rounds=656000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4\
         OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        "scrypt ln=16",
        "$scrypt$ln=16,r=8,p=1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
    ),
    (
        "argon2id m=102400",
        "$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw",
    ),
];

struct Side {
    name: String,
    hash: Option<PasswordHash>,
    /// Times in milliseconds: with no hash, and with this one after it.
    pairs: Vec<(f64, f64)>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args()
        .nth(1)
        .map_or(Ok(60), |text| text.parse::<usize>())?;
    let today = start(Argon2Parameters::default())?;
    let mut sides = vec![
        Side::new("no hash", None),
        Side::new("new hash", Some(hash(&today).await?)),
        Side::new("unreadable hash", Some(PasswordHash::new("?".into()))),
        Side::new("m=256 t=2 p=1", Some(PasswordHash::new(SMALLEST.into()))),
    ];
    for (m, t, p) in OLDER {
        let older = start(Argon2Parameters::new(m, t, p)?)?;
        let name = format!("m={m} t={t} p={p}");
        sides.push(Side::new(&name, Some(hash(&older).await?)));
    }
    let named =
        |(name, hash): &(&str, &str)| Side::new(name, Some(PasswordHash::new((*hash).to_owned())));
    sides.extend(CHEAP.iter().map(named));
    println!("{rounds} pairs each; medians in ms: no hash, this hash, gap within a pair");
    measure(&today, &mut sides, rounds).await?;
    let mut sides: Vec<Side> = DEAR.iter().map(named).collect();
    for side in &sides {
        let before = compute(&today, side.hash.clone()).await?;
        println!("{:20} computes for {before:7.3}", side.name);
    }
    sides.push(Side::new("bcrypt 6", sides_of(&CHEAP, "bcrypt 6")));
    sides.push(Side::new("new hash", Some(hash(&today).await?)));
    measure(&today, &mut sides, rounds.div_ceil(6)).await
}

fn sides_of(known: &[(&str, &str)], name: &str) -> Option<PasswordHash> {
    let (_, hash) = known.iter().find(|(known, _)| *known == name)?;
    Some(PasswordHash::new((*hash).to_owned()))
}

async fn measure(
    pool: &Argon2Pool,
    sides: &mut [Side],
    rounds: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..rounds {
        for side in &mut *sides {
            let none = compare(pool, None).await?;
            let this = compare(pool, side.hash.clone()).await?;
            side.pairs.push((none, this));
        }
    }
    for side in sides {
        let none = median(side.pairs.iter().map(|pair| pair.0));
        let this = median(side.pairs.iter().map(|pair| pair.1));
        let gap = median(side.pairs.iter().map(|pair| pair.1 - pair.0));
        println!("{:20} {none:7.3} {this:7.3} {gap:+7.3}", side.name);
    }
    Ok(())
}

impl Side {
    fn new(name: &str, hash: Option<PasswordHash>) -> Self {
        Self {
            name: name.to_owned(),
            hash,
            pairs: Vec::new(),
        }
    }
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn start(parameters: Argon2Parameters) -> Result<Argon2Pool, Box<dyn std::error::Error>> {
    let settings = PoolSettings {
        parameters,
        workers: NonZeroUsize::MIN,
        // So that its own priority is what it is started with.
        idle_priority: false,
        ..PoolSettings::default()
    };
    Ok(Argon2Pool::start(settings, Arc::new(SeededRandom::new(1)))?)
}

fn password() -> Result<Password, &'static str> {
    Password::to_compare("correct horse".into())
}

async fn hash(pool: &Argon2Pool) -> Result<PasswordHash, Box<dyn std::error::Error>> {
    Ok(pool.admit()?.hash(password()?).await?)
}

#[expect(clippy::disallowed_methods, reason = "measures")]
async fn compare(
    pool: &Argon2Pool,
    hash: Option<PasswordHash>,
) -> Result<f64, Box<dyn std::error::Error>> {
    let place = pool.admit()?;
    let password = password()?;
    let started = Instant::now();
    // An unreadable hash is an error, after the same work.
    if let Ok(verdict) = place.verify(password, hash).await {
        verdict.await_refusal().await;
    }
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

/// The time until the verdict, the refusal apart.
#[expect(clippy::disallowed_methods, reason = "measures")]
async fn compute(
    pool: &Argon2Pool,
    hash: Option<PasswordHash>,
) -> Result<f64, Box<dyn std::error::Error>> {
    let started = Instant::now();
    drop(pool.admit()?.verify(password()?, hash).await);
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
