//! How to reach Redis, and how much to keep there.

use std::time::Duration;

use countersign_domain::ports::EphemeralError;
use secrecy::{ExposeSecret as _, SecretString};

/// How to reach Redis, and how much to keep there.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://[user][:password@]host[:port][/database]`, or `rediss://…` for
    /// TLS with the certificates that the system trusts.
    pub url: SecretString,
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
    pub fn new(url: impl Into<SecretString>) -> Self {
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
        let url = self.url.expose_secret();
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
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
