//! The ephemeral store on Redis, for several servers.
//!
//! A key of the port is one Redis key, a hash with the value and the count, so
//! every verb stays within one slot of a Cluster. What is more than one command
//! is a Lua script, which Redis runs alone.

mod connection;
mod scripts;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::ports::{Comparison, Count, EphemeralError, EphemeralStore};
use deadpool_redis::redis::{FromRedisValue, Script, cmd};

use connection::{Connections, Request};

/// What Redis keeps a key for at most. Redis refuses times that end beyond its
/// calendar.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user][:password@]host[:port][/database]`, or `rediss://…` for
    /// TLS with the certificates that the system trusts.
    pub url: String,
    /// How many connections there are at most.
    pub max_connections: usize,
    /// How long a verb may take, waiting for a connection included.
    pub timeout: Duration,
}

/// Keeps what is ephemeral on a Redis server (7 or newer).
///
/// No verb is repeated after its outcome became unknown, so no event is counted
/// twice. A failover of Redis can lose the last writes, as its replication does
/// not wait.
pub struct Redis {
    connections: Connections,
}

impl RedisSettings {
    /// The settings for this URL: 16 connections, 2 s.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            timeout: Duration::from_secs(2),
        }
    }
}

/// The URL may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects, and makes sure that Redis drops no counter when its memory is
    /// full. This is checked again for each new connection.
    ///
    /// # Errors
    /// If the URL is none, if Redis is not reachable, or if its
    /// `maxmemory-policy` is another than `noeviction`.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        let redis = Self {
            connections: Connections::open(settings)?,
        };
        redis.ping().await?;
        Ok(redis)
    }

    async fn get_field<T: FromRedisValue>(
        &self,
        key: &str,
        field: &str,
    ) -> Result<T, EphemeralError> {
        let get = Request::Command(cmd("HGET")).with(own(key)).with(field);
        self.connections.ask(&get).await
    }
}

/// Our keys among those of others.
fn own(key: &str) -> String {
    format!("countersign:{key}")
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(MAX_TTL).as_millis()).expect("a century of milliseconds fits")
}

/// A call of a script with a key of ours.
fn call<'a>(script: &'a Script, key: &str) -> Request<'a> {
    Request::Script(script.key(own(key)))
}

#[async_trait]
impl EphemeralStore for Redis {
    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), EphemeralError> {
        let put = call(&scripts::PUT, key).with(value).with(millis(ttl));
        self.connections.ask(&put).await
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let put = call(&scripts::PUT_IF_ABSENT, key)
            .with(value)
            .with(millis(ttl));
        self.connections.ask(&put).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        self.get_field(key, scripts::VALUE).await
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, EphemeralError> {
        self.connections.ask(&call(&scripts::TAKE, key)).await
    }

    async fn count_within(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Count, EphemeralError> {
        let count = call(&scripts::COUNT_WITHIN, key)
            .with(limit)
            .with(millis(window));
        let (number, millis_left): (u32, u64) = self.connections.ask(&count).await?;
        Ok(match number {
            0 => Count::Exceeded {
                retry_after: Duration::from_millis(millis_left),
            },
            number => Count::Counted(number),
        })
    }

    async fn compare(
        &self,
        key: &str,
        guess: &[u8],
        tries: u32,
    ) -> Result<Comparison, EphemeralError> {
        let compare = call(&scripts::COMPARE, key).with(guess).with(tries);
        let (comparison, remaining): (String, u32) = self.connections.ask(&compare).await?;
        match comparison.as_str() {
            "matches" => Ok(Comparison::Matches),
            "differs" => Ok(Comparison::Differs { remaining }),
            _ => Ok(Comparison::Absent),
        }
    }

    async fn tries(&self, key: &str) -> Result<u32, EphemeralError> {
        let tries: Option<u32> = self.get_field(key, scripts::COUNT).await?;
        Ok(tries.unwrap_or(0))
    }

    async fn ping(&self) -> Result<(), EphemeralError> {
        let ping = Request::Command(cmd("PING"));
        self.connections.ask(&ping).await
    }
}
