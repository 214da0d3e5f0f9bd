//! The section `[users]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

/// `[users]`: people who leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsersConfig {
    /// How long the addresses of somebody who has left may not join again.
    #[serde(with = "duration")]
    pub rejoin_wait: Duration,
    /// After how long the personal data of somebody who has left is erased. Of addresses
    /// that may not join again yet, a keyed hash stays.
    #[serde(with = "duration")]
    pub retention: Duration,
}

impl Default for UsersConfig {
    fn default() -> Self {
        const WEEK: Duration = Duration::from_secs(7 * 86_400);
        Self {
            rejoin_wait: WEEK,
            retention: WEEK,
        }
    }
}

impl UsersConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let bounds = Duration::ZERO..=Duration::from_secs(3_660 * 86_400);
        checks.lasts("users.rejoin_wait", self.rejoin_wait, bounds.clone());
        checks.lasts("users.retention", self.retention, bounds);
    }
}
