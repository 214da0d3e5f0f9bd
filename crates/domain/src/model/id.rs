//! Ids: UUID version 7 (RFC 9562), made from the ports' clock and randomness,
//! so that they sort by age. A verification's is version 4: it tells nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::model::Timestamp;
use crate::ports::Random;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with these 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of the id, as they are stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // One spelling only: hyphenated, as it was handed out.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err("must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"),
                }
            }
        }
    };
}

id! {
    /// The id of a user, the `sub` of its tokens.
    UserId
}
id! {
    /// The id of a session, the `sid` of its tokens.
    SessionId
}
id! {
    /// The id of a verification: 122 random bits.
    VerificationId
}
id! {
    /// The id of a second factor, and of the enrolment that it came of.
    FactorId
}
id! {
    /// The id of an account at a provider that is linked to a user.
    FederatedIdentityId
}
id! {
    /// The id of a message in the outbox.
    MessageId
}
id! {
    /// The id of an entry of the audit log, which tells when it was.
    AuditEventId
}

id! {
    /// The id of a service account, the `sub` of its tokens.
    ServiceAccountId
}
id! {
    /// The id of a secret or a key of a service account.
    ServiceAccountCredentialId
}

impl UserId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl SessionId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }

    /// An id that no session has: of version 8, with these bytes otherwise.
    #[must_use]
    pub fn of_no_session(bytes: [u8; 16]) -> Self {
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl ServiceAccountId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl ServiceAccountCredentialId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl FactorId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl FederatedIdentityId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl MessageId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }
}

impl AuditEventId {
    /// A new id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        Self(version_7(now, random))
    }

    /// The id of what is counted in an hour, told from others by `bytes`.
    #[must_use]
    pub(crate) fn of_hour(hour: Timestamp, bytes: &[u8; 10]) -> Self {
        Self(Builder::from_unix_timestamp_millis(millis(hour), bytes).into_uuid())
    }

    /// What is not greater than any id of that time or later, and greater than all of
    /// earlier times.
    #[must_use]
    pub fn lower_bound(at: Timestamp) -> [u8; 16] {
        (u128::from(millis(at)) << 80).to_be_bytes()
    }

    /// When it was.
    #[must_use]
    pub fn time(self) -> Timestamp {
        let millis = u128::from_be_bytes(*self.as_bytes()) >> 80;
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

impl VerificationId {
    /// A new id.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(Builder::from_random_bytes(bytes).into_uuid())
    }
}

fn version_7(now: Timestamp, random: &dyn Random) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    Builder::from_unix_timestamp_millis(millis(now), &bytes).into_uuid()
}

/// Milliseconds since 1970, of which an id has 48 bits.
fn millis(at: Timestamp) -> u64 {
    const MOST: u64 = (1 << 48) - 1;
    u64::try_from(at.as_millis()).unwrap_or(0).min(MOST)
}
