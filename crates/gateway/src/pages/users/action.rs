//! What an operator does to an account as a whole, each on a page of its own that asks first.

use countersign_client::proto::{User, UserState};

use crate::pages::words::{ActionWords, OperatorWords};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    SignOut,
    Suspend,
    Reinstate,
    Withdraw,
    Delete,
}

impl Action {
    pub(super) const ALL: [Self; 5] = [
        Self::SignOut,
        Self::Suspend,
        Self::Reinstate,
        Self::Withdraw,
        Self::Delete,
    ];

    /// Its name in paths.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SignOut => "sign-out",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Withdraw => "withdraw",
            Self::Delete => "delete",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it takes something from the user that is hard to give back.
    pub(super) fn is_dangerous(self) -> bool {
        matches!(self, Self::Suspend | Self::Withdraw | Self::Delete)
    }

    /// Whether an operator may do it to its own account: nobody locks himself out by a slip.
    pub(super) fn is_for_oneself(self) -> bool {
        !self.is_dangerous()
    }

    /// Whether it is possible in the user's state.
    pub(super) fn fits(self, user: &User) -> bool {
        let state = user.state();
        match self {
            Self::SignOut | Self::Suspend => {
                matches!(state, UserState::Active | UserState::Suspended)
            }
            Self::Reinstate => matches!(state, UserState::Suspended | UserState::Withdrawn),
            Self::Withdraw => state == UserState::Active,
            Self::Delete => true,
        }
    }

    pub(super) fn terms(self, words: &'static OperatorWords) -> ActionWords {
        match self {
            Self::SignOut => words.sign_out,
            Self::Suspend => words.suspend,
            Self::Reinstate => words.reinstate,
            Self::Withdraw => words.withdraw,
            Self::Delete => words.delete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_offered_where_the_service_takes_it() {
        let fitting = |state: UserState| {
            let user = User {
                state: state.into(),
                ..User::default()
            };
            let fit = Action::ALL.into_iter().filter(|action| action.fits(&user));
            fit.map(Action::name).collect::<Vec<_>>()
        };
        let of_active = ["sign-out", "suspend", "withdraw", "delete"];
        assert_eq!(fitting(UserState::Active), of_active);
        let of_suspended = ["sign-out", "suspend", "reinstate", "delete"];
        assert_eq!(fitting(UserState::Suspended), of_suspended);
        assert_eq!(fitting(UserState::Withdrawn), ["reinstate", "delete"]);
        assert_eq!(fitting(UserState::Pending), ["delete"]);
        assert_eq!(fitting(UserState::Erased), ["delete"]);
    }

    #[test]
    fn nobody_locks_himself_out() {
        for action in [Action::Suspend, Action::Withdraw, Action::Delete] {
            assert!(!action.is_for_oneself());
        }
        assert!(Action::SignOut.is_for_oneself());
        assert_eq!(Action::of_name("withdraw"), Some(Action::Withdraw));
        assert_eq!(Action::of_name("promote"), None);
    }
}
