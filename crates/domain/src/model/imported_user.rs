//! A user of another system, as it is imported.

use std::time::Duration;

use crate::model::{
    ExistingState, ExternalId, GroupId, Identifier, ImportedHash, Profile, Scope, Suspension,
    SuspensionReason, Timestamp, UserRole, UserState, Withdrawal,
};

/// A user to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedUser {
    /// Its id in the other system, by which it is known if it comes again.
    pub external_id: ExternalId,
    /// Into which group.
    pub group: GroupId,
    /// What it signs in with. All addresses are verified: others are nobody's.
    pub identifiers: Vec<ImportedIdentifier>,
    /// The hash of its password, if it has one.
    pub password: Option<ImportedHash>,
    /// Its profile.
    pub profile: Profile,
    /// Its roles.
    pub roles: Vec<UserRole>,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its state.
    pub state: ImportedState,
    /// When it was created there, if that is known.
    pub created_at: Option<Timestamp>,
}

/// An identifier, and at which place of the record it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedIdentifier {
    /// The place, from 0 on.
    pub place: usize,
    /// The identifier.
    pub identifier: Identifier,
}

/// The state of a user in another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportedState {
    /// It has no verified address yet.
    Pending,
    /// It may sign in.
    Active,
    /// It may not.
    Suspended {
        /// Why, for operators.
        reason: SuspensionReason,
        /// Since when, if that is known.
        since: Option<Timestamp>,
        /// When it ends by itself, if it does.
        until: Option<Timestamp>,
    },
    /// It has left.
    Withdrawn {
        /// When, if that is known.
        since: Option<Timestamp>,
    },
}

impl ImportedState {
    /// The state here. Where it is not known when somebody has left, the time until the
    /// person may join again begins now.
    #[must_use]
    pub fn at(self, now: Timestamp, rejoin_wait: Duration) -> UserState {
        match self {
            Self::Pending => UserState::Pending,
            Self::Active => UserState::Active,
            Self::Suspended {
                reason,
                since,
                until,
            } => UserState::Suspended(Suspension {
                reason,
                since: since.unwrap_or(now),
                until,
            }),
            Self::Withdrawn { since } => {
                let at = since.unwrap_or(now);
                UserState::Withdrawn(Withdrawal {
                    at,
                    rejoin_at: at.plus(rejoin_wait),
                    erased: false,
                })
            }
        }
    }
}

impl From<ExistingState> for ImportedState {
    fn from(state: ExistingState) -> Self {
        match state {
            ExistingState::Active => Self::Active,
            ExistingState::Suspended => Self::Suspended {
                reason: SuspensionReason::default(),
                since: None,
                until: None,
            },
            ExistingState::Withdrawn { since } => Self::Withdrawn { since },
        }
    }
}
