//! Answering an MFA session: the right code, or a passkey, is exchanged for the
//! tokens of a new session.

use crate::application::{Application, Repeats, SignIn, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    Assertion, AuthenticationMethod, Code, GroupId, MfaFactor, MfaSessionId, MfaSessionRecord,
    ProvenUser, Session, User, UserId,
};

/// Somebody answers an MFA session.
#[derive(Debug)]
pub struct ValidateMfaSession {
    /// The group in which it was created.
    pub group: GroupId,
    /// Which.
    pub id: MfaSessionId,
    /// What was shown.
    pub answer: MfaAnswer,
    /// The caller, which must be the one that created it.
    pub client_id: String,
}

/// An answer to an MFA session.
#[derive(Debug)]
pub enum MfaAnswer {
    /// What was typed.
    Code(Code),
    /// What a passkey has signed.
    Passkey(Box<Assertion>),
}

/// An answer that is right as far as could be told before the unit of work.
enum Answered<'a> {
    /// The code that is kept with the MFA session is still to be compared.
    KeptCode(&'a Code),
    /// One of the user's factors.
    Factor(MfaFactor),
    /// A passkey, and whether it has verified the person.
    Passkey { is_user_verified: bool },
}

impl ValidateMfaSession {
    /// Checks the answer, and signs the person in if it is right.
    ///
    /// # Errors
    /// An MFA session that is gone, or whose user has set a new password since; a
    /// wrong answer; too many tries; a refused sign-in, if there is no active
    /// user; passkeys are not taken.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let found = app
            .mfa_sessions
            .find(&self.id, &self.group, &self.client_id);
        let record = found.await?;
        let (mut repeats, mut is_compared) = (Repeats::default(), false);
        let answered = self.check(app, &record).await?;
        let session = loop {
            let opened = self.open(app, &record, &answered, &mut is_compared);
            match opened.await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.tokens.mint(&session)
    }

    /// Checks what belongs to the user. Before the unit of work: a step, a count or
    /// a recovery code is taken by a statement of its own.
    async fn check(
        &self,
        app: &Application,
        record: &MfaSessionRecord,
    ) -> Result<Answered<'_>, Error> {
        let has_code = record.factors.contains(&MfaFactor::Code);
        let answering = || record.answering().ok_or(Refusal::MfaSession);
        match &self.answer {
            MfaAnswer::Code(code) if has_code => Ok(Answered::KeptCode(code)),
            MfaAnswer::Code(code) => {
                let factor = app.second_factors.check(answering()?, code).await?;
                Ok(Answered::Factor(factor))
            }
            MfaAnswer::Passkey(_) if has_code => Err(Refusal::MfaSession.into()),
            MfaAnswer::Passkey(assertion) => self.check_passkey(app, answering()?, assertion).await,
        }
    }

    /// Checks the answer of a passkey, which must be the user's, to the challenge
    /// of this MFA session. The challenge is spent by this.
    async fn check_passkey(
        &self,
        app: &Application,
        user: UserId,
        assertion: &Assertion,
    ) -> Result<Answered<'_>, Error> {
        app.passkeys.relying_party()?;
        let challenge = app.passkey_challenges.take_of_mfa_session(&self.id).await?;
        let factor = app.passkeys.factor_of(assertion).await?;
        let factor = factor
            .filter(|factor| factor.user_id == user && assertion.is_of(user, false))
            .ok_or(Refusal::SecondFactor)?;
        let checked = app.passkeys.check(&factor, assertion, &challenge, false);
        let asserted = checked.await?.ok_or(Refusal::SecondFactor)?;
        Ok(Answered::Passkey {
            is_user_verified: asserted.is_user_verified,
        })
    }

    /// Opens the session, if the code is right and the user is still the one for
    /// whom it was made. The user is locked first, whether or not there is one: a
    /// database that cannot be asked costs no code, and a wrong one takes as
    /// long for everybody.
    async fn open(
        &self,
        app: &Application,
        record: &MfaSessionRecord,
        answered: &Answered<'_>,
        is_compared: &mut bool,
    ) -> Result<Session, Error> {
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(user_or_nobody(record.user)).await?;
        if !*is_compared {
            match answered {
                Answered::KeptCode(code) => app.mfa_sessions.compare(&self.id, code).await?,
                Answered::Factor(_) | Answered::Passkey { .. } => {
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
            methods: answered.methods_after(&record.shown),
            client: record.client.clone(),
        });
        uow.insert_session(&session).await?;
        uow.commit().await?;
        Ok(session)
    }
}

impl Answered<'_> {
    fn methods_after(&self, shown: &[AuthenticationMethod]) -> Vec<AuthenticationMethod> {
        match self {
            Self::KeptCode(_) => MfaFactor::Code.methods_after(shown, false),
            Self::Factor(factor) => factor.methods_after(shown, false),
            Self::Passkey { is_user_verified } => {
                MfaFactor::Passkey.methods_after(shown, *is_user_verified)
            }
        }
    }
}

fn user_or_nobody(user: Option<ProvenUser>) -> UserId {
    user.map_or(UserId::from_bytes([0; 16]), |user| user.id)
}
