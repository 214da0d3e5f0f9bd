//! The state of an account, as the columns of a user's row have it.

use countersign_domain::model::{
    StateFilter, Suspension, SuspensionReason, Timestamp, UserState, Withdrawal,
};

const PENDING: &str = "pending";
const ACTIVE: &str = "active";
const SUSPENDED: &str = "suspended";
const WITHDRAWN: &str = "withdrawn";
const ERASED: &str = "erased";

/// What `state` and `blocked` are in a state.
pub(super) fn columns(state: StateFilter) -> (&'static str, Option<&'static str>) {
    match state {
        StateFilter::Pending => (PENDING, None),
        StateFilter::Active => (ACTIVE, None),
        StateFilter::Suspended => (PENDING, Some(SUSPENDED)),
        StateFilter::Withdrawn => (PENDING, Some(WITHDRAWN)),
        StateFilter::Erased => (PENDING, Some(ERASED)),
    }
}

/// The columns. Who is blocked is `pending` to the release before, which lets nobody
/// sign in who is.
#[derive(Debug, Default)]
pub(super) struct StoredState<'a> {
    pub(super) state: &'a str,
    pub(super) blocked: Option<&'a str>,
    pub(super) at: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) reason: Option<&'a str>,
}

impl<'a> StoredState<'a> {
    pub(super) fn of(state: &'a UserState) -> Self {
        let pending = Self {
            state: PENDING,
            ..Self::default()
        };
        match state {
            UserState::Pending => pending,
            UserState::Active => Self {
                state: ACTIVE,
                ..pending
            },
            UserState::Suspended(suspension) => Self {
                blocked: Some(SUSPENDED),
                at: Some(suspension.since),
                until: suspension.until,
                reason: Some(suspension.reason.as_str()),
                ..pending
            },
            UserState::Withdrawn(withdrawal) => Self {
                blocked: Some(if withdrawal.erased { ERASED } else { WITHDRAWN }),
                at: Some(withdrawal.at),
                until: Some(withdrawal.rejoin_at),
                ..pending
            },
        }
    }

    /// The state, if there is one of this kind.
    pub(super) fn read(&self) -> Option<UserState> {
        match (self.state, self.blocked) {
            (PENDING, None) => Some(UserState::Pending),
            (ACTIVE, None) => Some(UserState::Active),
            (PENDING, Some(SUSPENDED)) => Some(UserState::Suspended(Suspension {
                reason: SuspensionReason::parse(self.reason?).ok()?,
                since: self.at?,
                until: self.until,
            })),
            (PENDING, Some(blocked @ (WITHDRAWN | ERASED))) => {
                Some(UserState::Withdrawn(Withdrawal {
                    at: self.at?,
                    rejoin_at: self.until?,
                    erased: blocked == ERASED,
                }))
            }
            _ => None,
        }
    }
}
