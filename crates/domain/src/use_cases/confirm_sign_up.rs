//! Completing a sign-up with the code that it sent.

use crate::application::{Application, NewUser, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Code, Identifier, PasswordHash, PendingSignUp, UserId, Username, VerificationId,
    VerificationRecord,
};
use crate::ports::UnitOfWork;

/// Somebody types the code of a sign-up.
#[derive(Debug)]
pub struct ConfirmSignUp {
    /// The verification that the sign-up named.
    pub verification_id: VerificationId,
    /// What was typed.
    pub code: Code,
}

impl ConfirmSignUp {
    /// Creates the user, if nobody has proved the address before.
    ///
    /// # Errors
    /// A verification that is gone, a wrong code, too many tries; a group that is
    /// gone, or for which people do not sign up any more; an address or
    /// a user name that somebody else has got meanwhile.
    pub async fn execute(self, app: &Application) -> Result<UserId, Error> {
        let record = app.verifications.find_sign_up(self.verification_id).await?;
        let sign_up = record.sign_up.as_ref().ok_or(Refusal::Verification)?;
        let new = new_user(&record, sign_up)?;
        app.groups.named(&new.group)?.require_sign_up()?;
        let held = app.adoption.refuse_held(&new.group, new.identifiers());
        let held = match held.await {
            Err(error) if !error.is_an_answer() => return Err(error),
            held => held,
        };
        // Before the code is spent, and at the same cost whosever address it is.
        let uow = app.store.begin().await?;
        app.verifications
            .check_sign_up(record.id, &self.code)
            .await?;
        // Told to nobody but the one who has the code.
        held?;
        let created = create(app, &new, uow).await;
        if let Err(error) = &created
            && !error.is_an_answer()
        {
            // The right code stays good for another try. If the user was created
            // all the same, that is what it hears.
            app.verifications.restore(&record, &self.code).await.ok();
        }
        created
    }
}

async fn create(
    app: &Application,
    new: &NewUser,
    mut uow: Box<dyn UnitOfWork>,
) -> Result<UserId, Error> {
    let mut repeats = Repeats::default();
    loop {
        let created = async {
            let id = new.insert(&mut *uow, app).await?;
            uow.commit().await?;
            Ok(id)
        };
        match created.await {
            Err(error) if repeats.allow(&error) => uow = app.store.begin().await?,
            outcome => return outcome,
        }
    }
}

fn new_user(record: &VerificationRecord, sign_up: &PendingSignUp) -> Result<NewUser, Error> {
    let username = sign_up
        .username
        .as_deref()
        .map(Username::parse)
        .transpose()
        .map_err(|rule| Error::Internal(format!("a kept user name {rule}")))?;
    Ok(NewUser {
        account: None,
        group: record.group.clone(),
        address: record.address.clone(),
        username: username.map(Identifier::Username),
        password: Some(PasswordHash::new(sign_up.password_hash.clone())),
    })
}
