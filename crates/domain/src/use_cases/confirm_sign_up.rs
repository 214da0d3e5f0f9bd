//! Activating a user with the code that the sign-up sent.

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{Code, Purpose, UserId, UserState, VerificationId};

/// Somebody types the code of a sign-up.
#[derive(Debug)]
pub struct ConfirmSignUp {
    /// The verification that the sign-up named.
    pub verification_id: VerificationId,
    /// What was typed.
    pub code: Code,
}

impl ConfirmSignUp {
    /// Activates the user.
    ///
    /// # Errors
    /// A verification that is gone, a wrong code, too many tries.
    pub async fn execute(self, app: &Application) -> Result<UserId, Error> {
        let record = app.verification(self.verification_id).await?;
        let (Purpose::ConfirmSignUp, Some(user_id)) = (record.purpose, record.user_id) else {
            return Err(Refusal::Verification.into());
        };
        app.check_code(&record, &self.code).await?;
        let mut uow = app.store.begin().await?;
        let is_pending = uow
            .lock_user(user_id)
            .await?
            .is_some_and(|user| user.state == UserState::Pending);
        if !is_pending {
            return Err(Refusal::Verification.into());
        }
        uow.activate_user(user_id, app.clock.now()).await?;
        uow.commit().await?;
        Ok(user_id)
    }
}
