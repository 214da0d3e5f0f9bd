//! The section `[redis]`.

use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;
use crate::config::serde_formats::optional;

/// `[redis]`: what lasts a while, shared by several replicas.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://…` or `rediss://…`; absent: kept in this process.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
}

impl RedisConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let known = |url: &ServiceUrl| ["redis", "rediss"].contains(&url.scheme());
        checks.that(
            "redis.url",
            self.url.as_ref().is_none_or(known),
            "must begin with redis:// or, for TLS, rediss://",
        );
    }
}
