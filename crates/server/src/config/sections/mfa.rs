//! The section `[mfa]`.

use countersign_domain::application;
use serde::{Deserialize, Serialize};

/// `[mfa]`: second factors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfaConfig {
    /// Who is asked for one at a sign-in.
    pub policy: MfaPolicy,
}

/// Who is asked for a second factor at a sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MfaPolicy {
    /// Nobody.
    Off,
    /// Those who have enrolled one.
    #[default]
    Optional,
}

impl From<MfaPolicy> for application::MfaPolicy {
    fn from(policy: MfaPolicy) -> Self {
        match policy {
            MfaPolicy::Off => Self::Off,
            MfaPolicy::Optional => Self::Optional,
        }
    }
}
