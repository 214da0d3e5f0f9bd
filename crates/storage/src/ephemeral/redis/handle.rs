//! An open store on Redis. The files of the verbs work on it.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::ports::EphemeralError;

use super::calls::Calls;
use super::changes::Changes;
use super::settings::RedisSettings;

/// What Redis keeps a key for at most. Redis refuses times that end beyond its
/// calendar.
const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Keeps what is ephemeral on a Redis server (7 or newer).
///
/// No verb is repeated after its outcome became unknown, so nothing is charged
/// twice. A failover of Redis can lose the last writes, as its replication does
/// not wait. Windows and times to live go by the clock of Redis.
pub struct Redis {
    pub(super) calls: Arc<Calls>,
    /// What all keys begin with.
    prefix: Box<str>,
    pub(super) max_budget_names: usize,
}

impl Redis {
    /// Does not connect yet.
    pub(super) fn open(settings: &RedisSettings) -> Result<Self, EphemeralError> {
        settings.check()?;
        Ok(Self {
            calls: Arc::new(Calls::open(settings)?),
            prefix: format!("countersign:{{{}}}:", settings.scope).into(),
            max_budget_names: settings.max_budget_names,
        })
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
    pub(super) fn key(&self, what: &str) -> String {
        [&self.prefix, what].concat()
    }

    /// The key of one of several.
    pub(super) fn key_in(&self, kind: &str, name: &str) -> String {
        [&self.prefix, kind, ":", name].concat()
    }
}

/// At least one: Redis keeps nothing for no time.
pub(super) fn millis(duration: Duration) -> u64 {
    let millis = duration.min(MAX_TTL).as_millis().max(1);
    u64::try_from(millis).expect("a century of milliseconds fits")
}
