//! A user, and the states of its account.

use serde::{Deserialize, Serialize};

use crate::model::{GroupId, Timestamp, UserId};

/// A person's account, in one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its group.
    pub group: GroupId,
    /// Its state.
    pub state: UserState,
    /// Raised whenever the password is set, an address is taken away or all sessions
    /// are ended, so that what was proved before can be told from what was proved
    /// after.
    pub credential_version: CredentialVersion,
    /// When it was created.
    pub created_at: Timestamp,
}

/// How often the credentials of a user were changed.
pub type CredentialVersion = i64;

/// A user, and the state of its credentials that a proof is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenUser {
    /// The user.
    pub id: UserId,
    /// The user's [`credential_version`](crate::model::User::credential_version)
    /// when the code was made.
    pub credential_version: CredentialVersion,
}

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// No address is verified yet: cannot sign in.
    Pending,
    /// Can sign in.
    Active,
}

impl User {
    /// A user whose address was verified before.
    #[must_use]
    pub fn active(id: UserId, group: GroupId, now: Timestamp) -> Self {
        Self {
            id,
            group,
            state: UserState::Active,
            credential_version: 0,
            created_at: now,
        }
    }

    /// Whether the user can sign in and keep sessions.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active
    }
}

impl ProvenUser {
    /// The user as it is.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            id: user.id,
            credential_version: user.credential_version,
        }
    }

    /// Whether the user's credentials are what they were.
    #[must_use]
    pub fn is_current(&self, user: &User) -> bool {
        user.id == self.id && user.credential_version == self.credential_version
    }
}

impl UserState {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "pending" => Some(Self::Pending),
            "active" => Some(Self::Active),
            _ => None,
        }
    }
}
