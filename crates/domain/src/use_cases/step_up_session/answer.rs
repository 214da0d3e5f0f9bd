//! What a person shows in a session, and what is checked of it before the unit of
//! work. Tries of codes are those of sign-ins, tries of the password those of a change
//! of the password.

use countersign_token::Acr;

use crate::application::{
    Application, Person, SentFor, TriedAnswer, TypedAnswer, compare_own_password,
};
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Code, Password, Session, Shown};
use crate::ports::UnitOfWork;

/// What is shown.
#[derive(Debug)]
pub enum StepUpAnswer {
    /// The password.
    Password(Password),
    /// A code of an authenticator app, one that was sent, or a recovery code.
    Code(Code),
    /// What a passkey has signed.
    Passkey(Box<Assertion>),
}

/// What was shown, and was right as far as could be told before the unit of work.
pub(super) enum Checked<'a> {
    /// It was right.
    Right(Shown),
    /// A code, which is still to be compared.
    Code(Box<TriedAnswer<'a>>),
}

impl Checked<'_> {
    /// What was shown in the session, which is locked with its user.
    ///
    /// # Errors
    /// A wrong code; the password where two factors were shown; what cannot be told.
    pub(super) async fn take(
        &mut self,
        app: &Application,
        uow: &mut dyn UnitOfWork,
        session: &Session,
    ) -> Result<Shown, Error> {
        let shown = match self {
            Self::Right(shown) => *shown,
            Self::Code(tried) => Shown::code_of(app.second_factors.take(tried, uow).await?),
        };
        suffices(shown, session)?;
        Ok(shown)
    }

    /// Gives back a try that was none.
    pub(super) async fn settle(self, app: &Application) {
        if let Self::Code(tried) = self {
            app.second_factors.settle(*tried).await;
        }
    }
}

/// What was shown by two factors is not renewed by one of them, nor made less.
fn suffices(shown: Shown, session: &Session) -> Result<(), Error> {
    if shown == Shown::Password && session.acr() == Acr::Aal2 {
        return Err(Refusal::SecondFactorRequired.into());
    }
    Ok(())
}

impl StepUpAnswer {
    /// Checks it. Codes on a known device of the person have tries of their own.
    pub(super) async fn check<'a>(
        &'a self,
        app: &Application,
        person: &'a Person,
        is_known: bool,
    ) -> Result<Checked<'a>, Error> {
        match self {
            Self::Password(password) => {
                suffices(Shown::Password, &person.session)?;
                check_password(app, person, password.clone()).await?;
                Ok(Checked::Right(Shown::Password))
            }
            Self::Code(code) => {
                let typed = TypedAnswer {
                    sent_for: SentFor::StepUp(person.session.id, person.user.credential_version),
                    of: app.code_factors.of_session(&person.user)?,
                    code,
                    from_known_device: is_known,
                };
                let tried = app.second_factors.begin(&typed).await?;
                Ok(Checked::Code(Box::new(tried)))
            }
            Self::Passkey(assertion) => {
                let shown = check_passkey(app, person, assertion).await?;
                Ok(Checked::Right(shown))
            }
        }
    }
}

/// Compares the password. Its tries are those of a change of the password, in which
/// strangers have no share.
async fn check_password(
    app: &Application,
    person: &Person,
    password: Password,
) -> Result<(), Error> {
    let place = app.hasher.admit()?;
    let compared = compare_own_password(&*app.store, &app.limits, person, place, password);
    compared.await.map(drop)
}

/// Checks the answer of a passkey, which must be the person's, to the challenge of
/// this session. The challenge is spent by this.
async fn check_passkey(
    app: &Application,
    person: &Person,
    assertion: &Assertion,
) -> Result<Shown, Error> {
    app.passkeys.relying_party()?;
    let challenge = app.passkey_challenges.take_of_session(person.session.id);
    let challenge = challenge.await?;
    let checked = app.passkeys.check_of(person.user.id, assertion, &challenge);
    Ok(Shown::Passkey {
        is_user_verified: checked.await?.is_user_verified,
    })
}
