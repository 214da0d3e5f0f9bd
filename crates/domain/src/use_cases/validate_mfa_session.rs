//! Answering an MFA session: the right code is exchanged for the tokens of a
//! new session.

use crate::application::{Application, Repeats, SignIn, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    Code, GroupId, MfaFactor, MfaSessionId, MfaSessionRecord, ProvenUser, Session, User, UserId,
};

/// Somebody answers an MFA session.
#[derive(Debug)]
pub struct ValidateMfaSession {
    /// The group in which it was created.
    pub group: GroupId,
    /// Which.
    pub id: MfaSessionId,
    /// What was typed.
    pub code: Code,
    /// The caller, which must be the one that created it.
    pub client_id: String,
}

impl ValidateMfaSession {
    /// Compares the code, and signs the person in if it is right.
    ///
    /// # Errors
    /// An MFA session that is gone, or whose user has set a new password since; a
    /// wrong code; too many tries; a refused sign-in, if there is no active user.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let found = app
            .mfa_sessions
            .find(&self.id, &self.group, &self.client_id);
        let record = found.await?;
        let (mut repeats, mut is_compared) = (Repeats::default(), false);
        let factor = match record.factors.contains(&MfaFactor::Code) {
            true => MfaFactor::Code,
            // Before the unit of work: a step or a recovery code is taken by a
            // statement of its own.
            false => {
                let answering = record.answering().ok_or(Refusal::MfaSession)?;
                app.second_factors.check(answering, &self.code).await?
            }
        };
        let session = loop {
            let opened = self.open(app, &record, factor, &mut is_compared);
            match opened.await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.tokens.mint(&session)
    }

    /// Opens the session, if the code is right and the user is still the one for
    /// whom it was made. The user is locked first, whether or not there is one: a
    /// database that cannot be asked costs no code, and a wrong one takes as
    /// long for everybody.
    async fn open(
        &self,
        app: &Application,
        record: &MfaSessionRecord,
        factor: MfaFactor,
        is_compared: &mut bool,
    ) -> Result<Session, Error> {
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(user_or_nobody(record.user)).await?;
        if !*is_compared {
            match factor {
                MfaFactor::Code => app.mfa_sessions.compare(&self.id, &self.code).await?,
                MfaFactor::Totp | MfaFactor::RecoveryCode => {
                    app.mfa_sessions.take(&self.id).await?;
                }
            }
            *is_compared = true;
        }
        let proven = record.user.ok_or(Refusal::SignIn)?;
        let user = user
            .filter(|user| proven.is_current(user))
            .ok_or(Refusal::MfaSession)?;
        if !User::is_active(&user) {
            return Err(Refusal::SignIn.into());
        }
        let session = app.tokens.open_session(SignIn {
            user_id: user.id,
            group: user.group,
            client_id: record.client_id.clone(),
            audience: record.audience.clone(),
            scopes: record.scopes.clone(),
            methods: record.methods_with(factor),
            client: record.client.clone(),
        });
        uow.insert_session(&session).await?;
        uow.commit().await?;
        Ok(session)
    }
}

fn user_or_nobody(user: Option<ProvenUser>) -> UserId {
    user.map_or(UserId::from_bytes([0; 16]), |user| user.id)
}
