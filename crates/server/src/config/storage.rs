//! The sections `[database]`, `[redis]` and `[keys]`.

use std::time::Duration;

use countersign_domain::model::MasterKey;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::serde_formats::{duration, optional};
use super::{Secret, ServiceUrl};

/// `[database]`: what lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://…`, `postgres://…` or `mysql://…`; absent: a SQLite file in
    /// the data directory.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
    /// Connections at once.
    pub max_connections: u32,
    /// Whether a start brings the database to this version. Otherwise
    /// `countersign migrate` does.
    pub migrate: bool,
}

/// `[redis]`: what lasts a while, shared by several replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://…` or `rediss://…`; absent: kept in this process.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
}

/// `[keys]`: the master key and the signing keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// 32 bytes in base64; absent: the file `master.key` in the data directory.
    #[serde(deserialize_with = "optional")]
    pub master_key: Option<Secret>,
    /// How long a key signs before the next takes over.
    #[serde(with = "duration")]
    pub rotation: Duration,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            max_connections: 16,
            migrate: true,
        }
    }
}

impl DatabaseConfig {
    const SCHEMES: [&str; 5] = ["sqlite", "postgres", "postgresql", "mysql", "mariadb"];

    pub(super) fn check(&self, checks: &mut Checks) {
        let known = |url: &ServiceUrl| Self::SCHEMES.contains(&url.scheme());
        checks.that(
            "database.url",
            self.url.as_ref().is_none_or(known),
            "must begin with sqlite:, postgres://, mysql:// or mariadb://",
        );
        checks.within("database.max_connections", self.max_connections, 1..=1_000);
    }
}

impl RedisConfig {
    pub(super) fn check(&self, checks: &mut Checks) {
        let known = |url: &ServiceUrl| ["redis", "rediss"].contains(&url.scheme());
        checks.that(
            "redis.url",
            self.url.as_ref().is_none_or(known),
            "must begin with redis:// or, for TLS, rediss://",
        );
    }
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            master_key: None,
            rotation: Duration::from_secs(30 * 86_400),
        }
    }
}

impl KeysConfig {
    pub(super) fn check(&self, checks: &mut Checks) {
        if let Some(Err(error)) = self
            .master_key
            .as_ref()
            .map(|key| MasterKey::decode(key.expose()))
        {
            checks.refuse("keys.master_key", error.to_string());
        }
        let (least, most) = (Duration::from_secs(60), Duration::from_secs(3_650 * 86_400));
        checks.lasts("keys.rotation", self.rotation, least..=most);
    }
}
