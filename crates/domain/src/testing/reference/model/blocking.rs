//! Users who are suspended, and reinstated.

use super::super::call::Call;
use super::super::step::Pick;
use super::state::{Model, place};
use super::{Asked, Says};

impl Model {
    /// Nothing is left of what was begun before: no session, no device, no proof. Who is
    /// suspended already is so again.
    pub(super) fn suspend(&mut self, user: Pick) -> Option<Asked> {
        let user = place(&self.users, user)?;
        let call = Call::SuspendUser {
            user: self.users[user].id.clone(),
        };
        self.users[user].is_suspended = true;
        self.users[user].version += 1;
        self.forget_devices(user);
        self.end_all(user, None);
        let says = Says::Done;
        Some(Asked { call, says })
    }

    pub(super) fn reinstate(&mut self, user: Pick) -> Option<Asked> {
        let user = place(&self.users, user)?;
        let call = Call::ReinstateUser {
            user: self.users[user].id.clone(),
        };
        if !std::mem::take(&mut self.users[user].is_suspended) {
            return Some(Asked::refused(call, "USER_STATE_CONFLICT"));
        }
        let says = Says::Done;
        Some(Asked { call, says })
    }

    /// The user, if it is not suspended.
    pub(super) fn unless_suspended(&self, user: Option<usize>) -> Option<usize> {
        user.filter(|user| !self.users[*user].is_suspended)
    }
}
