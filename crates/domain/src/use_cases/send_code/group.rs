//! Whether the group lets people do what a code is for.

use super::SendCode;
use crate::application::Application;
use crate::error::Error;
use crate::model::{Purpose, SignInWay};

impl SendCode {
    /// Refuses a code that would be good for nothing in the group.
    pub(super) fn check_that_the_group_allows_it(&self, app: &Application) -> Result<(), Error> {
        let rules = app.groups.named(&self.group)?;
        match self.purpose {
            Purpose::SignUp | Purpose::ConfirmSignUp => rules.require_sign_up()?,
            Purpose::SignIn => rules.require_way(SignInWay::VerifiedCode)?,
            Purpose::PasswordReset
            | Purpose::ChangeIdentifier
            | Purpose::AddFactor
            | Purpose::SecondFactor
            | Purpose::StepUp => {}
        }
        Ok(())
    }
}
