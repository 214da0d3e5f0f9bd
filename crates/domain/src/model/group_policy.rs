//! What is different in a group from the server's configuration.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{MfaPolicy, ProfileAttribute, Scope};

/// The policy of a group. What it leaves out is as the server's configuration has
/// it; what it has can only ask for more or allow less, but for the second factor
/// and the scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupPolicy {
    /// The fewest characters of a password that is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_min_length: Option<u32>,
    /// Who is asked for a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<MfaPolicy>,
    /// How long an access token is good.
    #[serde(with = "seconds", skip_serializing_if = "Option::is_none")]
    pub access_ttl: Option<Duration>,
    /// How long a session lives without a refresh.
    #[serde(with = "seconds", skip_serializing_if = "Option::is_none")]
    pub idle_ttl: Option<Duration>,
    /// How long a session lives in any case.
    #[serde(with = "seconds", skip_serializing_if = "Option::is_none")]
    pub session_ttl: Option<Duration>,
    /// How people may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_ways: Option<Vec<SignInWay>>,
    /// The audiences for which tokens are issued, the first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Vec<String>>,
    /// The scopes that everybody may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// Whether people may sign up by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<bool>,
    /// The attributes of profiles that people see, and maybe change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_attributes: Option<Vec<ProfileAttribute>>,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// With a password.
    Password,
    /// With a code or a link that was sent to an address.
    VerifiedCode,
    /// With a passkey.
    Passkey,
    /// With an account at a provider.
    Federated,
}

impl GroupPolicy {
    /// The most scopes, audiences, and attributes that a policy may have.
    pub const MAX_LIST: usize = 64;
    /// The bounds of the fewest characters of a password.
    pub const PASSWORD_MIN_LENGTH: std::ops::RangeInclusive<u32> = 1..=128;
    /// The shortest time that anything lives.
    pub const SHORTEST_TTL: Duration = Duration::from_secs(10);

    /// The policy as it is stored.
    ///
    /// # Panics
    /// Never: it can be written.
    #[must_use]
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).expect("a policy can be written")
    }

    /// Reads a policy as it is stored. What is not known is passed over.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl SignInWay {
    /// All that there are.
    pub const ALL: [Self; 4] = [
        Self::Password,
        Self::VerifiedCode,
        Self::Passkey,
        Self::Federated,
    ];

    /// The name of the way.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::VerifiedCode => "verified_code",
            Self::Passkey => "passkey",
            Self::Federated => "federated",
        }
    }
}

impl fmt::Display for SignInWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Durations as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<u64>::deserialize(deserializer)?;
        Ok(seconds.map(Duration::from_secs))
    }
}
