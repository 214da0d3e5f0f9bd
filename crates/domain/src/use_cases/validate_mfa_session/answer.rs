//! What an MFA session is answered with, and what is checked of it before the
//! unit of work.

use crate::application::{Application, CodeFactorsOf, SentFor, TriedAnswer, TypedAnswer};
use crate::error::{Error, Refusal};
use crate::model::{
    Assertion, AuthenticationMethod, Code, MfaFactor, MfaSessionId, MfaSessionRecord, UserId,
};
use crate::ports::UnitOfWork;

/// An answer to an MFA session.
#[derive(Debug)]
pub enum MfaAnswer {
    /// What was typed.
    Code(Code),
    /// What a passkey has signed.
    Passkey(Box<Assertion>),
}

/// An answer that is right as far as could be told before the unit of work.
pub(super) enum Answered<'a> {
    /// The code that is kept with the MFA session is still to be compared.
    KeptCode(&'a Code),
    /// A code, which is still to be compared with those of the user's factors.
    Factor(Box<TriedAnswer<'a>>),
    /// A passkey, and whether it has verified the person.
    Passkey { is_user_verified: bool },
}

impl MfaAnswer {
    /// Reads what belongs to the user, before the unit of work, and charges a code. The
    /// count of a passkey is taken by a statement of its own.
    pub(super) async fn check<'a>(
        &'a self,
        app: &Application,
        session: &'a MfaSessionId,
        record: &'a MfaSessionRecord,
        from_known_device: bool,
    ) -> Result<Answered<'a>, Error> {
        let has_code = record.factors.contains(&MfaFactor::Code);
        let answering = || record.answering().ok_or(Refusal::MfaSession);
        match self {
            Self::Code(code) if has_code => Ok(Answered::KeptCode(code)),
            Self::Code(code) => {
                let typed = TypedAnswer {
                    sent_for: SentFor::MfaSession(session),
                    of: CodeFactorsOf::mfa_session(answering()?, record),
                    code,
                    from_known_device,
                };
                let tried = app.second_factors.begin(&typed).await?;
                Ok(Answered::Factor(Box::new(tried)))
            }
            Self::Passkey(_) if has_code => Err(Refusal::MfaSession.into()),
            Self::Passkey(assertion) => check_passkey(app, session, answering()?, assertion).await,
        }
    }
}

impl Answered<'_> {
    /// Takes the answer in the unit of work, in which the user is locked, and tells
    /// how the person is authenticated then. `is_taken` tells whether the MFA session
    /// was, by an earlier one: it is once.
    pub(super) async fn take(
        &mut self,
        app: &Application,
        uow: &mut dyn UnitOfWork,
        session: &MfaSessionId,
        shown: &[AuthenticationMethod],
        is_taken: &mut bool,
    ) -> Result<Vec<AuthenticationMethod>, Error> {
        let methods = match self {
            Self::KeptCode(code) => {
                if !*is_taken {
                    app.mfa_sessions.compare(session, code).await?;
                    *is_taken = true;
                }
                MfaFactor::Code.methods_after(shown, false)
            }
            Self::Factor(tried) => {
                if !*is_taken {
                    // Whoever was faster has answered it: nothing is compared.
                    app.mfa_sessions.waits(session).await?;
                }
                let factor = app.second_factors.take(tried, uow).await?;
                factor.methods_after(shown, false)
            }
            Self::Passkey { is_user_verified } => {
                MfaFactor::Passkey.methods_after(shown, *is_user_verified)
            }
        };
        if !*is_taken {
            app.mfa_sessions.take(session).await?;
            *is_taken = true;
        }
        Ok(methods)
    }

    /// Gives back a try that was none.
    pub(super) async fn settle(self, app: &Application) {
        if let Self::Factor(tried) = self {
            app.second_factors.settle(*tried).await;
        }
    }
}

/// Checks the answer of a passkey, which must be the user's, to the challenge
/// of this MFA session. The challenge is spent by this.
async fn check_passkey<'a>(
    app: &Application,
    session: &MfaSessionId,
    user: UserId,
    assertion: &Assertion,
) -> Result<Answered<'a>, Error> {
    app.passkeys.relying_party()?;
    let challenge = app.passkey_challenges.take_of_mfa_session(session).await?;
    let checked = app.passkeys.check_of(user, assertion, &challenge);
    let asserted = checked.await?;
    Ok(Answered::Passkey {
        is_user_verified: asserted.is_user_verified,
    })
}
