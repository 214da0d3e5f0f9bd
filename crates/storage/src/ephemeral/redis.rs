//! The ephemeral store on Redis, for several servers.
//!
//! Each verb is one round trip, which it shares with others of the same moment.
//! What is more than one command is a Lua script, which Redis runs alone. All keys have one hash tag, as the keys of a call
//! have to be in one slot of a Cluster and any of them may meet in a call.
//!
//! Each script begins with `#!lua`, so Redis refuses the whole of it where writes
//! are refused: when its memory is full, on a replica, when its disk fails. A
//! script that was refused has written, compared and told nothing; otherwise a
//! right guess could be told from a wrong one by whether Redis had to write.

mod budgets;
mod call;
mod calls;
mod changes;
mod connection;
mod pipelines;
mod secrets;
mod settings;
mod values;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::ports::{
    Budget, Comparison, EphemeralError, EphemeralStore, Exchange, Secret, Spending,
};

use calls::Calls;

pub use changes::{Changes, Subscription};
pub use settings::RedisSettings;

/// What Redis keeps a key for at most. Redis refuses times that end beyond its
/// calendar.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Keeps what is ephemeral on a Redis server (7 or newer).
///
/// No verb is repeated after its outcome became unknown, so nothing is charged
/// twice. A failover of Redis can lose the last writes, as its replication does
/// not wait. Windows and times to live go by the clock of Redis.
pub struct Redis {
    calls: Arc<Calls>,
    scope: Arc<str>,
    max_budget_names: usize,
}

impl Redis {
    /// Connects, and makes sure that Redis takes writes and drops no budget when
    /// its memory is full. The latter is checked again for each new connection.
    ///
    /// # Errors
    /// If the settings are unusable, if Redis is not reachable, is older than 7,
    /// does not take writes, or if its `maxmemory-policy` is another than
    /// `noeviction`.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        settings.check()?;
        let redis = Self {
            calls: Arc::new(Calls::open(settings)?),
            scope: settings.scope.as_str().into(),
            max_budget_names: settings.max_budget_names,
        };
        redis.ping().await?;
        Ok(redis)
    }

    /// The wake-up calls among those who share the scope of the settings.
    ///
    /// # Panics
    /// If it is called outside a Tokio runtime.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.calls), self.key("changes"))
    }

    /// The key of something that there is one of.
    fn key(&self, what: &str) -> String {
        format!("countersign:{{{}}}:{what}", self.scope)
    }

    /// The key of one of several.
    fn key_in(&self, kind: &str, name: &str) -> String {
        format!("countersign:{{{}}}:{kind}:{name}", self.scope)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.min(MAX_TTL).as_millis()).expect("a century of milliseconds fits")
}

#[async_trait]
impl EphemeralStore for Redis {
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        values::put(self, key, value, ttl).await
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        values::put_if_absent(self, key, value, ttl).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        values::get(self, key).await
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        values::take(self, key).await
    }

    async fn supersede(
        &self,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<(), EphemeralError> {
        secrets::supersede(self, series, key, secret, ttl).await
    }

    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        secrets::latest(self, series).await
    }

    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
        budget: &Budget,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError> {
        secrets::compare(self, key, guess, tries, budget, exchange).await
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        secrets::tries(self, key).await
    }

    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
        budgets::spend(self, budgets).await
    }

    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError> {
        budgets::refund(self, budgets).await
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        budgets::ping(self).await
    }
}
