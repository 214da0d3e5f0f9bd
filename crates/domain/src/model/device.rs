//! A device on which a person has signed in before, known by a token that the
//! gateway keeps there.
//!
//! The token signs nobody in. It tells the attempts of the person from those of
//! strangers, so that the latter keep nobody out.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{CredentialVersion, ProvenUser, Timestamp, UserId};
use crate::ports::Random;

/// A device token: `csd_` and 256 random bits. Never shown.
#[derive(Clone)]
pub struct DeviceToken(Zeroizing<String>);

/// What is kept of a device token: its SHA-256, of which none can be made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceDigest([u8; 32]);

/// What a gateway tells of the device token on a person's device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClaim {
    /// Nothing: it keeps no device tokens.
    #[default]
    Untold,
    /// There is none yet.
    Unknown,
    /// There is this one.
    Token(DeviceDigest),
}

/// A device on which a user has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The digest of its token.
    pub digest: DeviceDigest,
    /// Whose sign-ins.
    pub user_id: UserId,
    /// The user's [`credential_version`](crate::model::User::credential_version)
    /// at the time: from before a new password it is as good as none.
    pub credential_version: CredentialVersion,
    /// Attempts at the password from it since the last good one, each counted
    /// before its comparison.
    pub failures: u32,
    /// When a second factor was shown on it by somebody who asked that it be
    /// remembered.
    pub factor_shown_at: Option<Timestamp>,
    /// When somebody signed in on it first.
    pub created_at: Timestamp,
    /// When somebody signed in on it last.
    pub seen_at: Timestamp,
    /// From when on it is not known any more, and its row may be deleted.
    pub expires_at: Timestamp,
}

impl DeviceToken {
    /// A new token.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "csd_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// A token as it was presented.
    ///
    /// # Errors
    /// What a token must be, if this is none.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        let token = Self(Zeroizing::new(text));
        if token.0.len() != 47 || !token.0.starts_with("csd_") {
            return Err("must be a device_token from IssueTokens");
        }
        Ok(token)
    }

    /// The token in the clear, to be handed out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> DeviceDigest {
        let digest = digest::digest(&digest::SHA256, self.0.as_bytes());
        DeviceDigest(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl DeviceDigest {
    /// The digest with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its bytes in base64url.
    #[must_use]
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl DeviceClaim {
    /// The digest of the token, if there is one.
    #[must_use]
    pub fn digest(&self) -> Option<DeviceDigest> {
        match self {
            Self::Token(digest) => Some(*digest),
            Self::Untold | Self::Unknown => None,
        }
    }
}

impl Device {
    /// The [`credential_version`](Self::credential_version) of a device that was
    /// forgotten: no user has it.
    pub const FORGOTTEN: CredentialVersion = -1;

    /// How many devices of a user are known at once; of more, the first ones go.
    pub const PER_USER: u32 = 20;

    /// Whether it is a device of this user, with the password as it is now.
    #[must_use]
    pub fn is_of(&self, user: ProvenUser) -> bool {
        self.user_id == user.id && self.credential_version == user.credential_version
    }

    /// Whether it is known at `now`, if devices are for `lifetime` after the
    /// last sign-in, whatever was so when the row was written.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp, lifetime: Duration) -> bool {
        now < self.expires_at && now < self.seen_at.plus(lifetime)
    }

    /// Whether no second factor is to be asked for at `now`, if that is so for
    /// `remembered` after one was shown. A clock that was set back makes the time
    /// no longer: what lies ahead does not count.
    #[must_use]
    pub fn is_remembered(&self, now: Timestamp, remembered: Duration) -> bool {
        self.factor_shown_at
            .is_some_and(|at| at <= now && now < at.plus(remembered))
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(..)")
    }
}

impl fmt::Debug for DeviceDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceDigest(..)")
    }
}
