//! The store that a law is about, and how laws ask it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::model::Timestamp;
use crate::ports::{Budget, Comparison, EphemeralStore, Exchange, Guess, Secret, Spending};
use crate::testing::HandClock;

/// A time to live that no law waits for.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// One that laws wait for.
pub(super) const SHORT: Duration = Duration::from_millis(1_000);
/// Enough to be sure that [`SHORT`] has passed.
pub(super) const PAST_SHORT: Duration = Duration::from_millis(1_150);
/// A part of [`SHORT`], and what is missing to [`PAST_SHORT`] after it: shorter
/// than [`SHORT`] itself, so that time which began anew in between goes on.
pub(super) const EARLY: Duration = Duration::from_millis(350);
pub(super) const LATE: Duration = Duration::from_millis(800);

/// When laws guess, by the clock of those who do, and until when secrets are good.
pub(super) const AT: Timestamp = Timestamp::from_seconds(1_000);
pub(super) const UNTIL: Timestamp = Timestamp::from_seconds(2_000);

/// A store and the time that it goes by.
pub struct EphemeralSubject {
    pub(super) store: Arc<dyn EphemeralStore>,
    pub(super) clock: Option<Arc<HandClock>>,
    run: u64,
}

impl EphemeralSubject {
    /// A store that goes by a clock turned by hand.
    #[must_use]
    pub fn by_hand(store: Arc<dyn EphemeralStore>, clock: Arc<HandClock>) -> Self {
        Self::new(store, Some(clock))
    }

    /// A store that goes by a clock of its own.
    #[must_use]
    pub fn in_real_time(store: Arc<dyn EphemeralStore>) -> Self {
        Self::new(store, None)
    }

    pub(super) fn new(store: Arc<dyn EphemeralStore>, clock: Option<Arc<HandClock>>) -> Self {
        Self {
            store,
            clock,
            run: RandomState::new().hash_one("run"),
        }
    }

    /// Lets time pass.
    pub(super) async fn advance(&self, duration: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(duration),
            None => tokio::time::sleep(duration).await,
        }
    }

    /// A key that no other law and no other run uses.
    pub(super) fn key(&self, name: &str) -> String {
        format!("law:{:016x}:{name}", self.run)
    }

    /// A budget that no other law and no other run uses.
    pub(super) fn budget(&self, name: &str, limit: u32, window: Duration) -> Budget {
        Budget {
            name: self.key(name),
            limit,
            window,
        }
    }

    /// The budget of secrets, unless a law names another.
    pub(super) fn guesses(&self, limit: u32, window: Duration) -> Budget {
        self.budget("guesses", limit, window)
    }

    /// The same, in a size that no law uses up.
    pub(super) fn ample(&self) -> Budget {
        self.guesses(u32::MAX, LONG)
    }

    /// Keeps a secret of a series of its own, whose value is `of <secret>`.
    pub(super) async fn keep_secret(&self, key: &str, secret: &str, ttl: Duration) {
        self.supersede(&format!("{key} series"), key, secret, ttl)
            .await;
    }

    /// Keeps a secret whose wrong guesses are charged to this budget.
    pub(super) async fn keep_secret_under(&self, budget: &Budget, key: &str, secret: &str) {
        let value = format!("of {secret}");
        let secret = secret_under(budget, &value, secret);
        let series = format!("{key} series");
        let kept = self.store.supersede(&[], &series, key, secret, LONG).await;
        assert_eq!(kept.expect("supersede"), Spending::Spent);
    }

    pub(super) async fn supersede(&self, series: &str, key: &str, secret: &str, ttl: Duration) {
        let kept = self.supersede_for(&[], series, key, secret, ttl).await;
        assert_eq!(kept, Spending::Spent);
    }

    /// Keeps a secret, if that can be charged to the budgets.
    pub(super) async fn supersede_for(
        &self,
        budgets: &[&Budget],
        series: &str,
        key: &str,
        secret: &str,
        ttl: Duration,
    ) -> Spending {
        let budgets: Vec<Budget> = budgets.iter().copied().cloned().collect();
        let (value, guesses) = (format!("of {secret}"), self.ample());
        let secret = secret_under(&guesses, &value, secret);
        let kept = self.store.supersede(&budgets, series, key, secret, ttl);
        kept.await.expect("supersede")
    }

    /// Compares a guess with a secret of five tries, for no exchange, within the
    /// limit and the window of the budget.
    pub(super) async fn guess(&self, key: &str, text: &str, budget: &Budget) -> Comparison {
        let guess = guess(text.as_bytes(), 5, budget);
        let comparison = self.store.compare(key, guess, None).await;
        comparison.expect("compare")
    }

    pub(super) async fn got(&self, key: &str) -> Option<String> {
        text(self.store.get(key).await.expect("get"))
    }

    pub(super) async fn latest(&self, series: &str) -> Option<String> {
        text(self.store.latest(series).await.expect("latest"))
    }

    pub(super) async fn tries(&self, key: &str) -> u32 {
        self.store.tries(key).await.expect("tries")
    }

    pub(super) async fn spend(&self, budgets: &[&Budget]) -> Spending {
        let budgets: Vec<Budget> = budgets.iter().copied().cloned().collect();
        self.store.spend(&budgets).await.expect("spend")
    }

    pub(super) async fn refund(&self, budgets: &[&Budget]) {
        let budgets: Vec<Budget> = budgets.iter().copied().cloned().collect();
        self.store.refund(&budgets).await.expect("refund");
    }

    /// How many charges a budget has room for. They are made.
    pub(super) async fn use_up(&self, budget: &Budget) -> u32 {
        let mut charges = 0;
        while self.spend(&[budget]).await == Spending::Spent {
            charges += 1;
        }
        charges
    }

    /// What `ask` answers to `callers` who ask at once.
    pub(super) async fn at_once<T, F>(
        &self,
        callers: usize,
        ask: impl Fn(Arc<dyn EphemeralStore>, usize) -> F,
    ) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let start = Arc::new(tokio::sync::Barrier::new(callers));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..callers {
            let answer = ask(Arc::clone(&self.store), number);
            let start = Arc::clone(&start);
            tasks.spawn(async move {
                start.wait().await;
                answer.await
            });
        }
        tasks.join_all().await
    }
}

pub(super) fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|value| String::from_utf8(value).expect("laws put texts"))
}

pub(super) fn secret_under<'a>(budget: &'a Budget, value: &'a str, secret: &'a str) -> Secret<'a> {
    Secret {
        value: value.as_bytes(),
        secret: secret.as_bytes(),
        budget: &budget.name,
        expires_at: UNTIL,
        reward: None,
    }
}

pub(super) fn guess<'a>(secret: &'a [u8], tries: u32, budget: &Budget) -> Guess<'a> {
    Guess {
        secret,
        at: AT,
        tries,
        limit: budget.limit,
        window: budget.window,
    }
}

/// What is kept with it is called `gained, of <secret>`.
pub(super) fn exchange(key: &str, ttl: Duration) -> Exchange<'_> {
    Exchange {
        key,
        head: b"gained, ",
        ttl,
    }
}
