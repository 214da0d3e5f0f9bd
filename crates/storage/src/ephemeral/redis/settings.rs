//! How to reach Redis, and how much to keep there.

use std::fmt;
use std::time::Duration;

use countersign_domain::ports::EphemeralError;

/// How to reach Redis, and how much to keep there.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user][:password@]host[:port][/database]`, or `rediss://…` for
    /// TLS with the certificates that the system trusts.
    pub url: String,
    /// What this deployment shares with nobody else on the same Redis: 1 to 64
    /// letters, digits, `-` or `_`. Replicas have the same.
    pub scope: String,
    /// How many connections there are at most. Each carries many calls at once.
    pub max_connections: usize,
    /// How long a verb may take, connecting included.
    pub timeout: Duration,
    /// How many budgets are kept at most, of some 320 bytes each. Names beyond
    /// them are refused.
    pub max_budget_names: usize,
}

impl RedisSettings {
    /// The settings for this URL: the scope `default`, 2 connections, 2 s,
    /// 500,000 budgets.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            scope: "default".into(),
            max_connections: 2,
            timeout: Duration::from_secs(2),
            max_budget_names: 500_000,
        }
    }

    /// Looks at what is not checked by connecting.
    pub(super) fn check(&self) -> Result<(), EphemeralError> {
        let scheme = self.url.split_once("://").map_or("", |(scheme, _)| scheme);
        if !["redis", "rediss"].contains(&scheme) {
            return Err(unusable_url("it must begin with redis:// or rediss://"));
        }
        let may_be_in_scope = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=64).contains(&self.scope.len()) || !self.scope.chars().all(may_be_in_scope) {
            return Err(EphemeralError(
                "the scope of Redis must be 1 to 64 letters, digits, - or _".into(),
            ));
        }
        if self.max_connections == 0 {
            return Err(EphemeralError(
                "the connections to Redis must be at least 1".into(),
            ));
        }
        Ok(())
    }
}

pub(super) fn unusable_url(why: &str) -> EphemeralError {
    EphemeralError(format!("the URL of Redis is unusable: {why}"))
}

/// The URL may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("scope", &self.scope)
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .field("max_budget_names", &self.max_budget_names)
            .finish_non_exhaustive()
    }
}
