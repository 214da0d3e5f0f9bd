//! The sections `[identifiers]` and `[users]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DefaultRegion;
use super::checks::Checks;
use super::spelling::duration;

/// `[identifiers]`: e-mail addresses, phone numbers and user names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentifiersConfig {
    /// The country in which phone numbers without a country code are at home.
    pub default_region: DefaultRegion,
}

/// `[users]`: users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsersConfig {
    /// How long a user may wait to be activated before it is deleted.
    #[serde(with = "duration")]
    pub pending_ttl: Duration,
}

impl Default for IdentifiersConfig {
    fn default() -> Self {
        Self {
            default_region: DefaultRegion::parse("KR").expect("a country"),
        }
    }
}

impl Default for UsersConfig {
    fn default() -> Self {
        Self {
            pending_ttl: Duration::from_secs(86_400),
        }
    }
}

impl UsersConfig {
    pub(super) fn check(&self, checks: &mut Checks) {
        let (least, most) = (Duration::from_secs(300), Duration::from_secs(30 * 86_400));
        checks.lasts("users.pending_ttl", self.pending_ttl, least..=most);
    }
}
