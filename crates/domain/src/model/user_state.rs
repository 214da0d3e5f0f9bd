//! The states of an account, and what leads from one to another.

use crate::model::Timestamp;

/// Where an account is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserState {
    /// No address is verified yet: cannot sign in.
    Pending,
    /// Can sign in.
    Active,
    /// Cannot sign in, by an operator's decision.
    Suspended(Suspension),
    /// The person has left.
    Withdrawn(Withdrawal),
}

/// That an operator has suspended an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Why, for operators.
    pub reason: SuspensionReason,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
}

/// Why an account is suspended: at most 255 characters, none of them a control
/// character. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuspensionReason(String);

/// That a person has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// When.
    pub at: Timestamp,
    /// From when on the person's addresses may join again.
    pub rejoin_at: Timestamp,
    /// Whether the personal data is erased.
    pub erased: bool,
}

impl UserState {
    /// Whether somebody in this state can sign in and keep sessions at `now`. A
    /// suspension ends by itself.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        match self {
            Self::Active => true,
            Self::Suspended(suspension) => suspension.is_over(now),
            Self::Pending | Self::Withdrawn(_) => false,
        }
    }

    /// Whether somebody in this state has left, and its addresses may join again.
    #[must_use]
    pub fn may_rejoin(&self, now: Timestamp) -> bool {
        matches!(self, Self::Withdrawn(withdrawal) if withdrawal.rejoin_at <= now)
    }

    /// The state after the personal data was erased. None, if the person has not left,
    /// or that was before.
    #[must_use]
    pub fn erase(&self) -> Option<Self> {
        match self {
            Self::Withdrawn(withdrawal) if !withdrawal.erased => {
                Some(Self::Withdrawn(Withdrawal {
                    erased: true,
                    ..*withdrawal
                }))
            }
            _ => None,
        }
    }

    /// The state after a suspension, which takes the place of an earlier one. None,
    /// if there is nothing to suspend.
    #[must_use]
    pub fn suspend(&self, suspension: Suspension) -> Option<Self> {
        match self {
            Self::Active | Self::Suspended(_) => Some(Self::Suspended(suspension)),
            Self::Pending | Self::Withdrawn(_) => None,
        }
    }

    /// The state after a suspension or a withdrawal was taken back. None, if there
    /// is none, or the personal data is erased.
    #[must_use]
    pub fn reinstate(&self) -> Option<Self> {
        match self {
            Self::Suspended(_) => Some(Self::Active),
            Self::Withdrawn(withdrawal) if !withdrawal.erased => Some(Self::Active),
            Self::Pending | Self::Active | Self::Withdrawn(_) => None,
        }
    }

    /// The state after the person has left. None, if it is not active at `at`: who is
    /// reinstated after a withdrawal is active, and must have been so before.
    #[must_use]
    pub fn withdraw(&self, at: Timestamp, rejoin_at: Timestamp) -> Option<Self> {
        self.is_active(at).then_some(Self::Withdrawn(Withdrawal {
            at,
            rejoin_at,
            erased: false,
        }))
    }
}

impl Suspension {
    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl SuspensionReason {
    /// Reads a reason.
    ///
    /// # Errors
    /// What a reason must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().count() > 255 || text.chars().any(char::is_control) {
            return Err("must be at most 255 characters, without control characters");
        }
        Ok(Self(text.into()))
    }

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn suspended(until: Option<i64>) -> UserState {
        UserState::Suspended(Suspension {
            reason: SuspensionReason::default(),
            since: NOW,
            until: until.map(Timestamp::from_millis),
        })
    }

    fn withdrawn(erased: bool) -> UserState {
        UserState::Withdrawn(Withdrawal {
            at: NOW,
            rejoin_at: NOW,
            erased,
        })
    }

    #[test]
    fn who_is_active_depends_on_state_and_time() {
        for (state, active) in [
            (UserState::Pending, false),
            (UserState::Active, true),
            (suspended(None), false),
            (suspended(Some(1_001)), false),
            (suspended(Some(1_000)), true),
            (withdrawn(false), false),
            (withdrawn(true), false),
        ] {
            assert_eq!(state.is_active(NOW), active, "{state:?}");
        }
    }

    #[test]
    fn states_lead_to_each_other_as_they_should() {
        let UserState::Suspended(suspension) = suspended(None) else {
            unreachable!("it is suspended");
        };
        // What suspending, reinstating and withdrawing lead to, by the first letter.
        for (state, expected) in [
            (UserState::Pending, ["-", "-", "-"]),
            (UserState::Active, ["S", "-", "W"]),
            (suspended(Some(1)), ["S", "A", "W"]),
            (suspended(Some(1_001)), ["S", "A", "-"]),
            (suspended(None), ["S", "A", "-"]),
            (withdrawn(false), ["-", "A", "-"]),
            (withdrawn(true), ["-", "-", "-"]),
        ] {
            let next = [
                state.suspend(suspension.clone()),
                state.reinstate(),
                state.withdraw(NOW, NOW),
            ];
            let letters = next.map(|next| match next {
                None => "-",
                Some(UserState::Pending) => "P",
                Some(UserState::Active) => "A",
                Some(UserState::Suspended(_)) => "S",
                Some(UserState::Withdrawn(_)) => "W",
            });
            assert_eq!(letters, expected, "{state:?}");
        }
    }

    #[test]
    fn a_reason_is_short_and_of_one_line() {
        for good in ["", "spam", "보호조치"] {
            assert_eq!(SuspensionReason::parse(good).expect("good").as_str(), good);
        }
        for bad in ["a\nb", &"가".repeat(256)] {
            assert!(SuspensionReason::parse(bad).is_err(), "{bad:?}");
        }
    }
}
