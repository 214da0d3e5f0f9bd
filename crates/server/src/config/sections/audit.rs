//! The section `[audit]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

/// `[audit]`: the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// How long an event is kept.
    #[serde(with = "duration")]
    pub retention: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            retention: DAY * 365,
        }
    }
}

impl AuditConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        checks.lasts("audit.retention", self.retention, DAY..=DAY * 3_660);
    }
}
