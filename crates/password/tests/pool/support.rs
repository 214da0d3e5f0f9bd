//! Pools of cheap hashes, and what is asked of them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use countersign_domain::model::{Password, PasswordHash};
use countersign_domain::ports::{HashError, PasswordHasher as _};
use countersign_domain::testing::SeededRandom;
use countersign_password::{Argon2Parameters, Argon2Pool, PoolSettings};

/// What a verdict says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) matches: bool,
    /// Whether a new hash comes with it.
    pub(crate) outdated: bool,
}

pub(crate) const MATCHES: Seen = Seen {
    matches: true,
    outdated: false,
};
pub(crate) const DIFFERS: Seen = Seen {
    matches: false,
    outdated: false,
};

pub(crate) fn cheap() -> PoolSettings {
    PoolSettings {
        parameters: Argon2Parameters::new(8_192, 1, 1).expect("parameters"),
        workers: NonZeroUsize::new(2).expect("two"),
        queue: NonZeroUsize::new(4).expect("four"),
        examples: Vec::new(),
        has_digests: false,
        // Where the machine is busy, some jobs would be done a second time.
        idle_priority: false,
    }
}

pub(crate) fn one_worker() -> PoolSettings {
    PoolSettings {
        workers: NonZeroUsize::MIN,
        queue: NonZeroUsize::new(2).expect("two"),
        ..cheap()
    }
}

pub(crate) fn pool(settings: PoolSettings) -> Argon2Pool {
    Argon2Pool::start(settings, Arc::new(SeededRandom::new(1))).expect("threads")
}

pub(crate) fn password(text: &str) -> Password {
    Password::to_compare(text.into()).expect("a password")
}

/// Takes a place and hashes on it.
pub(crate) async fn new_hash(pool: &Argon2Pool, text: &str) -> Result<PasswordHash, HashError> {
    pool.admit()?.hash(password(text)).await
}

/// Takes a place and compares on it.
pub(crate) async fn verify(
    pool: &Argon2Pool,
    text: &str,
    hash: Option<PasswordHash>,
) -> Result<Seen, HashError> {
    let verdict = pool.admit()?.verify(password(text), hash).await?;
    Ok(Seen {
        matches: verdict.matches,
        outdated: verdict.replacement.is_some(),
    })
}
