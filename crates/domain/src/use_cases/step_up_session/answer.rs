//! What a person shows in a session, and what is checked of it before the unit of
//! work. Tries of codes are those of sign-ins, tries of the password those of a change
//! of the password.

use countersign_token::Acr;

use crate::application::{Application, Person, SentFor, TypedAnswer, compare_own_password};
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Code, Password, Session, Shown};

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

/// Something that was shown, and was right.
pub(super) struct Checked {
    pub(super) shown: Shown,
    /// Whether it is the password.
    is_half: bool,
}

impl Checked {
    /// What was shown by two factors is not renewed by one of them, nor made less.
    pub(super) fn suffices_in(&self, session: &Session) -> Result<(), Error> {
        if self.is_half && session.acr() == Acr::Aal2 {
            return Err(Refusal::SecondFactorRequired.into());
        }
        Ok(())
    }
}

impl StepUpAnswer {
    /// Checks it. Codes on a known device of the person have tries of their own.
    pub(super) async fn check(
        self,
        app: &Application,
        person: &Person,
        is_known: bool,
    ) -> Result<Checked, Error> {
        match self {
            Self::Password(password) => check_password(app, person, password).await,
            Self::Code(code) => {
                let typed = TypedAnswer {
                    sent_for: SentFor::StepUp(person.session.id),
                    of: app.code_factors.of_session(&person.user),
                    code: &code,
                    from_known_device: is_known,
                };
                let factor = app.second_factors.check_answer(&typed).await?;
                Ok(Checked {
                    shown: Shown::code_of(factor),
                    is_half: false,
                })
            }
            Self::Passkey(assertion) => Ok(Checked {
                shown: check_passkey(app, person, &assertion).await?,
                is_half: false,
            }),
        }
    }
}

/// Compares the password. Its tries are those of a change of the password, in which
/// strangers have no share.
async fn check_password(
    app: &Application,
    person: &Person,
    password: Password,
) -> Result<Checked, Error> {
    let checked = Checked {
        shown: Shown::Password,
        is_half: true,
    };
    checked.suffices_in(&person.session)?;
    let place = app.hasher.admit()?;
    compare_own_password(&*app.store, &app.limits, person, place, password).await?;
    Ok(checked)
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
