//! The section `[passwords]`.

use std::num::NonZeroUsize;
use std::time::Duration;

use countersign_domain::model::PasswordHash;
use countersign_password::{Argon2Parameters, PoolSettings, check_example};
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

const DAY: Duration = Duration::from_secs(86_400);

/// `[passwords]`: what a hash costs, and how often a password may be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordsConfig {
    /// Memory of one hash in KiB (Argon2id, m).
    pub memory_kib: u32,
    /// Passes over the memory (t).
    pub iterations: u32,
    /// Lanes (p).
    pub parallelism: u32,
    /// Hashing threads; 0: one for each core.
    pub threads: usize,
    /// How many passwords may wait to be hashed, for all threads together; two
    /// at least, for changing a password takes two places at once.
    pub queue: usize,
    /// An example of each kind of hash that is imported, of a password that nobody
    /// has. Their cost is measured at the start, so that refusals of all accounts
    /// take as long from the first one on.
    pub imported_examples: Vec<String>,
    /// Failures in a row after which a password is not compared any more until
    /// it is reset.
    pub attempts: u32,
    /// Attempts at one account from one source within `attempts_window`.
    pub attempts_per_source: u32,
    /// See `attempts_per_source`.
    #[serde(with = "duration")]
    pub attempts_window: Duration,
    /// Attempts at one account from one source within a day.
    pub attempts_per_source_daily: u32,
    /// Failed attempts from one source over all accounts within
    /// `attempts_window`.
    pub failures_per_source: u32,
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        let parameters = Argon2Parameters::default();
        Self {
            memory_kib: parameters.memory_kib(),
            iterations: parameters.passes(),
            parallelism: parameters.lanes(),
            threads: 0,
            queue: PoolSettings::default().queue.get(),
            imported_examples: Vec::new(),
            attempts: 100,
            attempts_per_source: 10,
            attempts_window: Duration::from_secs(15 * 60),
            attempts_per_source_daily: 50,
            failures_per_source: 200,
        }
    }
}

impl PasswordsConfig {
    /// The settings of the hashing pool.
    #[must_use]
    pub fn pool(&self) -> PoolSettings {
        let default = PoolSettings::default();
        let workers = NonZeroUsize::new(self.threads).unwrap_or(default.workers);
        PoolSettings {
            parameters: self.argon2().expect("the bounds were checked"),
            workers,
            queue: NonZeroUsize::new(self.queue).expect("the bounds were checked"),
            examples: {
                let examples = self.imported_examples.iter().cloned();
                examples.map(PasswordHash::new).collect()
            },
            ..default
        }
    }

    /// Attempts at one account from one source, and in which windows.
    #[must_use]
    pub fn source_attempts(&self) -> Vec<(u32, Duration)> {
        vec![
            (self.attempts_per_source, self.attempts_window),
            (self.attempts_per_source_daily, DAY),
        ]
    }

    /// Failed attempts from one source over all accounts, and in which window.
    #[must_use]
    pub fn failures_per_source(&self) -> (u32, Duration) {
        (self.failures_per_source, self.attempts_window)
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let good = Argon2Parameters::default();
        for (key, parameters) in [
            (
                "passwords.memory_kib",
                Argon2Parameters::new(self.memory_kib, good.passes(), good.lanes()),
            ),
            (
                "passwords.iterations",
                Argon2Parameters::new(good.memory_kib(), self.iterations, good.lanes()),
            ),
            (
                "passwords.parallelism",
                Argon2Parameters::new(good.memory_kib(), good.passes(), self.parallelism),
            ),
        ] {
            if let Err(error) = parameters {
                checks.refuse(key, error.to_string());
            }
        }
        checks.within("passwords.threads", self.threads, 0..=256);
        checks.within("passwords.queue", self.queue, 2..=10_000);
        let parameters = self.argon2().unwrap_or_default();
        for example in &self.imported_examples {
            if let Err(rule) = check_example(example, parameters) {
                checks.refuse("passwords.imported_examples", rule);
            }
        }
        checks.within("passwords.attempts", self.attempts, 1..=100);
        checks.within(
            "passwords.attempts_per_source",
            self.attempts_per_source,
            1..=1_000,
        );
        let minute = Duration::from_secs(60);
        checks.that(
            "passwords.attempts_window",
            (minute..DAY).contains(&self.attempts_window),
            "must be at least 1m and less than 1d",
        );
        checks.within(
            "passwords.attempts_per_source_daily",
            self.attempts_per_source_daily,
            1..=10_000,
        );
        checks.within(
            "passwords.failures_per_source",
            self.failures_per_source,
            1..=1_000_000,
        );
    }

    fn argon2(&self) -> Result<Argon2Parameters, countersign_password::ParametersError> {
        Argon2Parameters::new(self.memory_kib, self.iterations, self.parallelism)
    }
}
