//! Guarantee 22: clocks may differ and jump. Server processes whose wall clock
//! is wrong, beside one whose clock is right, on one database.
//!
//! The clocks are shifted by a library in `tests/clock_shim`, which needs a C
//! compiler. The monotonic clock, PostgreSQL's, MariaDB's and Redis' are right.

mod deleted_rows;
mod health;
mod jumps;
mod lasting;

use std::time::Duration;

use countersign_tests::{Backend, Gateway, Tally};
use tokio::time::{Instant, sleep};

/// The databases that replicas share. On SQLite there is one clock.
const SHARED: [Backend; 2] = [Backend::Postgres, Backend::MariaDb];

/// How long another replica may go on accepting a revoked token.
const BOUND: Duration = Duration::from_secs(2);
/// `tokens.leeway` of these worlds.
const LEEWAY: Duration = Duration::from_secs(1);
/// The time in a token counts in whole seconds, and its end is rounded down.
const ROUNDING: Duration = Duration::from_secs(1);
/// What asking takes, and reading the database's time.
const IMPRECISION: Duration = Duration::from_millis(500);

/// What replicas said about tokens.
#[derive(Debug, Default)]
struct Answers {
    /// About good tokens.
    good: Tally,
    /// About tokens that have expired, beyond the leeway.
    expired: Tally,
    /// About tokens that were revoked, beyond the bound.
    revoked: Tally,
}

impl Answers {
    fn add_all(&mut self, other: &Self) {
        self.good.add_all(&other.good);
        self.expired.add_all(&other.expired);
        self.revoked.add_all(&other.revoked);
    }

    /// How many good tokens were rejected: unavailable is no rejection.
    fn refused(&self) -> usize {
        let not_refused = ["VALID", "DEPENDENCY_UNAVAILABLE"];
        let counts = not_refused.map(|word| self.good.count(word));
        self.good.total() - counts.iter().sum::<usize>()
    }

    /// Asserts that nothing wrong was said.
    fn assert_right(&self, what: &str) {
        let wrong = [
            self.expired.count("VALID"),
            self.revoked.count("VALID"),
            self.refused(),
        ];
        let names = "expired accepted, revoked accepted, good refused";
        assert_eq!(wrong, [0, 0, 0], "{what}: {names}");
    }
}

impl std::fmt::Display for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "expired accepted {} of {}, revoked accepted {} of {}, good refused {} of {} ({})",
            self.expired.count("VALID"),
            self.expired.total(),
            self.revoked.count("VALID"),
            self.revoked.total(),
            self.refused(),
            self.good.total(),
            self.good
        )
    }
}

/// Asks about tokens for a while, all of them in each call.
async fn ask_for(gateway: &Gateway, tokens: &[String], lasting: Duration) -> Tally {
    let began = Instant::now();
    let mut tally = Tally::default();
    while began.elapsed() < lasting {
        for word in gateway.judge_all(tokens).await {
            tally.add(&word);
        }
        sleep(Duration::from_millis(50)).await;
    }
    tally
}
