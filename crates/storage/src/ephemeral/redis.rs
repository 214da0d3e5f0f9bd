//! The ephemeral store on Redis, for several servers.
//!
//! Each verb is one round trip, which it shares with others of the same moment.
//! What is more than one command is a Lua script, which Redis runs alone. All
//! keys have one hash tag, as the keys of a call have to be in one slot of a
//! Cluster and any of them may meet in a call.
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
mod guarded;
mod handle;
mod kept;
mod pipelines;
mod secrets;
mod settings;
mod values;

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::ports::{
    Budget, Comparison, EphemeralError, EphemeralStore, Exchange, Guard, GuardedSpending, Guess,
    Secret, Spending,
};

pub use changes::{Changes, Subscription};
pub use handle::Redis;
pub use settings::RedisSettings;

impl Redis {
    /// Connects, and makes sure that Redis takes writes and drops no budget when
    /// its memory is full. The latter is checked again for each new connection.
    ///
    /// # Errors
    /// If the settings are unusable, if Redis is not reachable, is older than 7,
    /// does not take writes, or if its `maxmemory-policy` is another than
    /// `noeviction`.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        let redis = Self::open(settings)?;
        redis.ping().await?;
        Ok(redis)
    }
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
        budgets: &[Budget],
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<Spending, EphemeralError> {
        secrets::supersede(self, budgets, series, key, secret, ttl).await
    }

    async fn supersede_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
        series: &str,
        key: &str,
        secret: Secret<'_>,
        ttl: Duration,
    ) -> Result<GuardedSpending, EphemeralError> {
        secrets::supersede_guarded(self, budgets, guard, series, key, secret, ttl).await
    }

    async fn latest(&self, series: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        secrets::latest(self, series).await
    }

    async fn compare(
        &self,
        key: &str,
        guess: Guess<'_>,
        exchange: Option<Exchange<'_>>,
    ) -> Result<Comparison, EphemeralError> {
        secrets::compare(self, key, guess, exchange).await
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        secrets::tries(self, key).await
    }

    async fn spend(&self, budgets: &[Budget]) -> Result<Spending, EphemeralError> {
        budgets::spend(self, budgets).await
    }

    async fn spend_guarded(
        &self,
        budgets: &[Budget],
        guard: &Guard,
    ) -> Result<GuardedSpending, EphemeralError> {
        guarded::spend(self, budgets, guard).await
    }

    async fn refund(&self, budgets: &[Budget]) -> Result<(), EphemeralError> {
        budgets::refund(self, budgets).await
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        budgets::ping(self).await
    }
}
