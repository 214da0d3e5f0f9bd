//! The section `[identifiers]`.

use std::time::Duration;

use countersign_domain::model::{LinkPrefix, Region};
use serde::{Deserialize, Serialize};

use crate::config::Country;
use crate::config::checks::Checks;
use crate::config::serde_formats::{duration, optional_link_prefix};

/// `[identifiers]`: e-mail addresses, phone numbers and user names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentifiersConfig {
    /// The country in which phone numbers without a country code are at home.
    pub default_region: Country,
    /// For how long a change of an address can be undone by the token of its notice.
    #[serde(with = "duration")]
    pub undo_time: Duration,
    /// The page to which the link of that notice leads; without one, notices have the
    /// token alone.
    #[serde(with = "optional_link_prefix")]
    pub undo_link: Option<LinkPrefix>,
}

impl Default for IdentifiersConfig {
    fn default() -> Self {
        Self {
            default_region: Country(Region::KOREA),
            undo_time: Duration::from_secs(72 * 3_600),
            undo_link: None,
        }
    }
}

impl IdentifiersConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let bounds = Duration::from_secs(3_600)..=Duration::from_secs(30 * 86_400);
        checks.lasts("identifiers.undo_time", self.undo_time, bounds);
    }
}
