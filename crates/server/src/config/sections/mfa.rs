//! The section `[mfa]`.

use std::time::Duration;

use countersign_domain::application;
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::duration;

/// `[mfa]`: second factors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfaConfig {
    /// Who is asked for one at a sign-in.
    pub policy: MfaPolicy,
    /// How long no one is asked for on a known device on which one was shown, if
    /// the person wants that; 0: always asked for.
    #[serde(with = "duration")]
    pub remember_device: Duration,
}

impl MfaConfig {
    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        const MOST: Duration = Duration::from_secs(90 * 86_400);
        checks.lasts(
            "mfa.remember_device",
            self.remember_device,
            Duration::ZERO..=MOST,
        );
    }
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
