//! Who is asked for a second factor.

use serde::{Deserialize, Serialize};

/// Who is asked for a second factor at a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaPolicy {
    /// Nobody.
    Off,
    /// Those who have enrolled one.
    Optional,
    /// Everybody. Who has enrolled none is sent a code to a verified address.
    Required,
    /// Everybody, but on known devices on which one was shown.
    RequiredForUnknownDevices,
}

impl MfaPolicy {
    /// Whether it asks people who have enrolled nothing.
    #[must_use]
    pub fn is_for_everybody(self) -> bool {
        match self {
            Self::Required | Self::RequiredForUnknownDevices => true,
            Self::Off | Self::Optional => false,
        }
    }
}
