//! New passwords: with them all that was shown before is worth nothing.

use super::super::call::Call;
use super::super::step::Pick;
use super::state::{Model, place};
use super::{Asked, Says};
use crate::model::Purpose;

/// How many passwords there are.
const PASSWORDS: u8 = 3;

impl Model {
    pub(super) fn change_password(
        &mut self,
        token: Pick,
        is_right: bool,
        new: u8,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let user = self.sessions[self.access[token].session].user;
        let known = self.users[user].password;
        let right = known.unwrap_or(0);
        let call = Call::ChangePassword {
            token: self.access[token].text.clone(),
            current: if is_right { right } else { another(right) },
            new,
        };
        let says = match self.person(token) {
            Err(reason) => Says::Refused(reason),
            Ok(_) if known.is_none() || !is_right => Says::Refused("PASSWORD_WRONG"),
            Ok(own) => {
                self.set_password(user, new);
                self.end_all(user, Some(own));
                Says::Done
            }
        };
        Some(Asked { call, says })
    }

    pub(super) fn reset_password(&mut self, proof: Pick, new: u8) -> Option<Asked> {
        let proof = place(&self.proofs, proof)?;
        let call = Call::ResetPassword {
            proof: self.proofs[proof].text.clone(),
            new,
        };
        let holder = self.proofs[proof].holder;
        let holder = holder.filter(|holder| self.is_current(*holder));
        let (true, Some(holder)) = (self.is_proof(proof, Purpose::PasswordReset), holder) else {
            return Some(Asked::refused(call, "PROOF_INVALID"));
        };
        self.proofs[proof].is_spent = true;
        self.set_password(holder.user, new);
        self.end_all(holder.user, None);
        Some(Asked {
            call,
            says: Says::Done,
        })
    }

    fn set_password(&mut self, user: usize, new: u8) {
        self.users[user].password = Some(new);
        self.users[user].version += 1;
    }
}

/// A password that is not this one.
pub(super) fn another(password: u8) -> u8 {
    (password + 1) % PASSWORDS
}
