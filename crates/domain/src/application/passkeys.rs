//! Passkeys of users: sealing and opening them, and checking their answers.
//!
//! A passkey's public key is sealed as secrets are, bound to its factor and its
//! user: who can write to the database can plant none, and copy none.

use std::fmt;
use std::sync::Arc;

use tracing::{info, warn};

use crate::application::Enrollment;
use crate::error::{Error, Refusal};
use crate::model::{
    Asserted, Assertion, Challenge, Factor, FactorId, FactorKind, Passkey, PasskeyFault,
    Registered, RelyingParty, SealingKey, UserId,
};
use crate::ports::{Clock, Random, Store, StoreError};

/// Keeps passkeys, and checks their answers.
pub struct Passkeys {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    factors: SealingKey,
    relying_party: Option<RelyingParty>,
}

impl Passkeys {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        factors: SealingKey,
        relying_party: Option<RelyingParty>,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            factors,
            relying_party,
        }
    }

    /// The site whose passkeys are taken.
    ///
    /// # Errors
    /// If none are.
    pub(crate) fn relying_party(&self) -> Result<&RelyingParty, Error> {
        let site = self.relying_party.as_ref();
        site.ok_or_else(|| Refusal::PasskeysOff.into())
    }

    /// Whether passkeys are taken.
    pub(crate) fn are_taken(&self) -> bool {
        self.relying_party.is_some()
    }

    /// The credentials of a user that can be read.
    ///
    /// # Errors
    /// What cannot be told; none could be read, and there are some.
    pub(crate) async fn credentials(&self, user: UserId) -> Result<Vec<Vec<u8>>, Error> {
        match self.readable_credentials(user).await? {
            (credentials, Some(error)) if credentials.is_empty() => Err(error),
            (credentials, _) => Ok(credentials),
        }
    }

    /// The credentials that a browser is told not to make another one beside. One
    /// that cannot be read is left out: the person then may have two of one
    /// authenticator, which is better than none that can be used.
    ///
    /// # Errors
    /// What cannot be told.
    pub(crate) async fn excluded(&self, user: UserId) -> Result<Vec<Vec<u8>>, Error> {
        let (credentials, unread) = self.readable_credentials(user).await?;
        if let Some(error) = unread {
            warn!(%user, %error, "a passkey of a user cannot be read");
        }
        Ok(credentials)
    }

    /// The credentials that can be read, and why another cannot.
    async fn readable_credentials(
        &self,
        user: UserId,
    ) -> Result<(Vec<Vec<u8>>, Option<Error>), Error> {
        let (mut credentials, mut unread) = (Vec::new(), None);
        for factor in self.store.factors(user).await? {
            let opened = match factor {
                Ok(factor) if factor.kind != FactorKind::Passkey => continue,
                Ok(factor) => self.open(&factor),
                Err(error) => Err(error.into()),
            };
            match opened {
                Ok(passkey) => credentials.push(passkey.credential_id().to_vec()),
                Err(error) => unread = Some(error),
            }
        }
        Ok((credentials, unread))
    }

    /// The factor that a confirmed enrolment becomes.
    pub(crate) fn seal(&self, enrollment: &Enrollment, registered: &Registered) -> Factor {
        let (id, user_id) = (enrollment.id, enrollment.user.id);
        let plain = registered.passkey.to_bytes();
        Factor {
            id,
            user_id,
            kind: FactorKind::Passkey,
            label: enrollment.label.clone(),
            sealed: self.factors.seal(&name(id, user_id), &plain, &*self.random),
            last_step: registered.counter.into(),
            created_at: self.clock.now(),
            enrolled_by: None,
        }
    }

    /// The factor of the credential that has answered, whoever's it is.
    ///
    /// # Errors
    /// What cannot be told.
    pub(crate) async fn factor_of(&self, assertion: &Assertion) -> Result<Option<Factor>, Error> {
        let credential = assertion.credential();
        let factor = self.store.factor_by_credential(&credential).await?;
        Ok(factor.filter(|factor| factor.kind == FactorKind::Passkey))
    }

    /// Checks an answer of the factor's passkey to a challenge, and moves its
    /// counter forward: of many answers with one count, one is good. `None` is a
    /// no.
    ///
    /// # Errors
    /// What cannot be told.
    pub(crate) async fn check(
        &self,
        factor: &Factor,
        assertion: &Assertion,
        challenge: &Challenge,
        is_verification_required: bool,
    ) -> Result<Option<Asserted>, Error> {
        let passkey = self.open(factor)?;
        let asserted = assertion.verify(self.relying_party()?, challenge, &passkey);
        let fault = match asserted {
            Ok(asserted) if is_verification_required && !asserted.is_user_verified => {
                PasskeyFault::UserUnverified
            }
            Ok(asserted) if self.counts(factor, asserted.counter).await? => {
                return Ok(Some(asserted));
            }
            Ok(_) => PasskeyFault::Counter,
            Err(fault) => fault,
        };
        info!(factor = %factor.id, %fault, "the answer of a passkey is refused");
        Ok(None)
    }

    /// Checks an answer to a challenge that must be one of a passkey of this user.
    ///
    /// # Errors
    /// It is not, or a wrong one; what cannot be told.
    pub(crate) async fn check_of(
        &self,
        user: UserId,
        assertion: &Assertion,
        challenge: &Challenge,
    ) -> Result<Asserted, Error> {
        let factor = self.factor_of(assertion).await?;
        let factor = factor
            .filter(|factor| factor.user_id == user && assertion.is_of(user, false))
            .ok_or(Refusal::SecondFactor)?;
        let asserted = self.check(&factor, assertion, challenge, false).await?;
        Ok(asserted.ok_or(Refusal::SecondFactor)?)
    }

    /// Whether the counter grows, or nothing is counted (Web Authentication, 7.2,
    /// step 22).
    async fn counts(&self, factor: &Factor, counter: u32) -> Result<bool, StoreError> {
        let counter = i64::from(counter);
        if counter == 0 && factor.last_step == 0 {
            return Ok(true);
        }
        self.store.move_factor_forward(factor.id, counter).await
    }

    fn open(&self, factor: &Factor) -> Result<Passkey, Error> {
        let damaged = |what: &dyn fmt::Display| {
            Error::Internal(format!("the passkey of factor {} {what}", factor.id))
        };
        let name = name(factor.id, factor.user_id);
        let plain = self.factors.open(&name, &factor.sealed);
        let plain = plain.map_err(|error| damaged(&error))?;
        Passkey::from_bytes(&plain).ok_or_else(|| damaged(&"is not what was sealed"))
    }
}

/// What a passkey is bound to.
fn name(id: FactorId, user: UserId) -> String {
    format!("passkey {id} of {user}")
}

impl fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkeys(..)")
    }
}
