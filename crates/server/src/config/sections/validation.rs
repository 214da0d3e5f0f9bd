//! The section `[validation]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

/// `[validation]`: answering ValidateToken from memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationConfig {
    /// How many verified tokens are remembered.
    pub cache_tokens: usize,
    /// How old the revocation feed may be before the database is asked.
    #[serde(with = "duration")]
    pub feed_bound: Duration,
    /// The time between two readings of the feed.
    #[serde(with = "duration")]
    pub poll_interval: Duration,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            cache_tokens: 65_536,
            feed_bound: Duration::from_secs(10),
            poll_interval: Duration::from_secs(1),
        }
    }
}

impl ValidationConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        checks.within("validation.cache_tokens", self.cache_tokens, 1..=16_777_216);
        let (least, second) = (Duration::from_millis(50), Duration::from_secs(1));
        checks.lasts(
            "validation.feed_bound",
            self.feed_bound,
            second..=second * 300,
        );
        checks.lasts(
            "validation.poll_interval",
            self.poll_interval,
            least..=second * 60,
        );
    }
}
