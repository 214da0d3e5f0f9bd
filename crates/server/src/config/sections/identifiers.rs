//! The section `[identifiers]`.

use serde::{Deserialize, Serialize};

use crate::config::DefaultRegion;

/// `[identifiers]`: e-mail addresses, phone numbers and user names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentifiersConfig {
    /// The country in which phone numbers without a country code are at home.
    pub default_region: DefaultRegion,
}

impl Default for IdentifiersConfig {
    fn default() -> Self {
        Self {
            default_region: DefaultRegion::parse("KR").expect("a country"),
        }
    }
}
