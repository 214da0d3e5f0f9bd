//! What a person shows in a session, and what is checked of it before the unit of
//! work. Tries are charged as those of sign-ins are.

use countersign_token::Acr;

use crate::application::{Application, OwnPassword, Person};
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Code, Device, Password, Session, Shown};

/// What is shown.
#[derive(Debug)]
pub enum StepUpAnswer {
    /// The password.
    Password(Password),
    /// A code of an authenticator app, or a recovery code.
    Code(Code),
    /// What a passkey has signed.
    Passkey(Box<Assertion>),
}

/// Something that was shown, and was right.
pub(super) struct Checked {
    pub(super) shown: Shown,
    /// The device, if it is one of the person's.
    pub(super) known: Option<Device>,
    /// Whether it is the password, of a person who has a second factor.
    is_half: bool,
}

impl Checked {
    /// What was shown by two factors is not renewed by one of them, as long as there
    /// are two.
    pub(super) fn suffices_in(&self, session: &Session) -> Result<(), Error> {
        if self.is_half && session.acr() == Acr::Aal2 {
            return Err(Refusal::SecondFactorRequired.into());
        }
        Ok(())
    }
}

impl StepUpAnswer {
    /// Checks it. `known` is a device of the person.
    pub(super) async fn check(
        self,
        app: &Application,
        person: &Person,
        known: Option<Device>,
    ) -> Result<Checked, Error> {
        match self {
            Self::Password(password) => check_password(app, person, password, known).await,
            Self::Code(code) => {
                let factors = &app.second_factors;
                let checked = factors.check(person.user.id, &code, known.is_some());
                checked.await?;
                Ok(Checked {
                    shown: Shown::OneTimeCode,
                    known,
                    is_half: false,
                })
            }
            Self::Passkey(assertion) => Ok(Checked {
                shown: check_passkey(app, person, &assertion).await?,
                known,
                is_half: false,
            }),
        }
    }
}

/// Compares the password. It is charged to the session, or to a known device that
/// has attempts left.
async fn check_password(
    app: &Application,
    person: &Person,
    password: Password,
    known: Option<Device>,
) -> Result<Checked, Error> {
    let user_id = person.user.id;
    let cap = app.settings.password_attempts;
    let checked = Checked {
        shown: Shown::Password,
        known: known.filter(|device| device.failures < cap),
        is_half: !app.store.factor_kinds(user_id).await?.is_empty(),
    };
    checked.suffices_in(&person.session)?;
    let place = app.hasher.admit()?;
    let charge = match &checked.known {
        Some(device) => app.limits.charge_known_device(&device.digest).await?,
        None => app.limits.charge_own_password(person.session.id).await?,
    };
    let own = OwnPassword {
        store: &*app.store,
        user_id,
        known: checked.known.as_ref(),
        cap,
    };
    let compared = own.compare(place, password).await;
    app.limits.refund_unless_refused(charge, compared).await?;
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
