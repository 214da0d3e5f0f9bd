//! What an MFA session is answered with, and what is checked of it before the
//! unit of work.

use crate::application::{Application, CodeFactorsOf, SentFor, TypedAnswer};
use crate::error::{Error, Refusal};
use crate::model::{
    Assertion, AuthenticationMethod, Code, MfaFactor, MfaSessionId, MfaSessionRecord, UserId,
};

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
    /// One of the user's factors.
    Factor(MfaFactor),
    /// A passkey, and whether it has verified the person.
    Passkey { is_user_verified: bool },
}

impl MfaAnswer {
    /// Checks what belongs to the user, before the unit of work: a step, a count or
    /// a recovery code is taken by a statement of its own.
    pub(super) async fn check(
        &self,
        app: &Application,
        session: &MfaSessionId,
        record: &MfaSessionRecord,
        from_known_device: bool,
    ) -> Result<Answered<'_>, Error> {
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
                Ok(Answered::Factor(
                    app.second_factors.check_answer(&typed).await?,
                ))
            }
            Self::Passkey(_) if has_code => Err(Refusal::MfaSession.into()),
            Self::Passkey(assertion) => check_passkey(app, session, answering()?, assertion).await,
        }
    }
}

impl Answered<'_> {
    pub(super) fn methods_after(
        &self,
        shown: &[AuthenticationMethod],
    ) -> Vec<AuthenticationMethod> {
        match self {
            Self::KeptCode(_) => MfaFactor::Code.methods_after(shown, false),
            Self::Factor(factor) => factor.methods_after(shown, false),
            Self::Passkey { is_user_verified } => {
                MfaFactor::Passkey.methods_after(shown, *is_user_verified)
            }
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
