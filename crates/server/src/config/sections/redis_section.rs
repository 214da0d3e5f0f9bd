//! The section `[redis]`.

use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;

/// `[redis]`: what lasts a while, shared by several replicas.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://…` or `rediss://…`; absent: kept in this process.
    pub url: Option<ServiceUrl>,
}

impl RedisConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let known = |url: &ServiceUrl| ["redis", "rediss"].contains(&url.scheme());
        checks.that(
            "redis.url",
            self.url.as_ref().is_none_or(known),
            "must begin with redis:// or, for TLS, rediss://, and not be empty; without \
             it, codes and limits are kept in this process",
        );
    }
}
