//! A user: the account of a person.

use serde::{Deserialize, Serialize};

use crate::model::{ExternalId, GroupId, Profile, Scope, Timestamp, UserId, UserRole, UserState};

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
    /// Its id in another system, if it has one. It is held once in the group.
    pub external_id: Option<ExternalId>,
    /// What the person says of itself.
    pub profile: Profile,
    /// What the person is, for the services that read its tokens.
    pub roles: Vec<UserRole>,
    /// What the person may do, for the services that read its tokens.
    pub scopes: Vec<Scope>,
    /// Raised with each change of state, external id, profile, roles or scopes.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When `revision` was raised last.
    pub updated_at: Timestamp,
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

impl User {
    /// How many roles it has at most.
    pub const MAX_ROLES: usize = 32;
    /// How many scopes it has at most.
    pub const MAX_SCOPES: usize = 64;

    /// A user whose address was verified before.
    #[must_use]
    pub fn active(id: UserId, group: GroupId, now: Timestamp) -> Self {
        Self {
            id,
            group,
            state: UserState::Active,
            credential_version: 0,
            external_id: None,
            profile: Profile::default(),
            roles: Vec::new(),
            scopes: Vec::new(),
            revision: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether the user can sign in and keep sessions at `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.state.is_active(now)
    }

    /// What tells this version of it from others.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("{:x}", self.revision)
    }

    /// Notes that it was changed.
    pub fn touch(&mut self, now: Timestamp) {
        self.revision = self.revision.wrapping_add(1);
        self.updated_at = now;
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
