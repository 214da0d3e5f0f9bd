//! The section `[devices]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

const DAY: Duration = Duration::from_secs(86_400);

/// `[devices]`: devices on which people have signed in before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DevicesConfig {
    /// How long a device is known after the last sign-in on it.
    #[serde(with = "duration")]
    pub lifetime: Duration,
    /// Whether people are told of sign-ins on devices that are not known.
    pub notices: bool,
}

impl Default for DevicesConfig {
    fn default() -> Self {
        Self {
            lifetime: 180 * DAY,
            notices: true,
        }
    }
}

impl DevicesConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        checks.lasts("devices.lifetime", self.lifetime, DAY..=400 * DAY);
    }
}
