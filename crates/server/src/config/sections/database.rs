//! The section `[database]`.

use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;

/// `[database]`: what lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://…`, `postgres://…` or `mysql://…`; absent: a SQLite file in
    /// the data directory.
    pub url: Option<ServiceUrl>,
    /// Connections at once.
    pub max_connections: u32,
    /// Whether a start brings the database to this version. Otherwise
    /// `countersign migrate` does.
    pub migrate: bool,
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

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let known = |url: &ServiceUrl| Self::SCHEMES.contains(&url.scheme());
        checks.that(
            "database.url",
            self.url.as_ref().is_none_or(known),
            "must begin with sqlite:, postgres://, mysql:// or mariadb://, and not be empty; \
             without it, a SQLite file in the data directory is used",
        );
        checks.within("database.max_connections", self.max_connections, 1..=1_000);
    }
}
