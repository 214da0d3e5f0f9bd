//! The person behind an access token.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Verifier;

use crate::application::{Groups, Settings};
use crate::error::{Error, Refusal};
use crate::model::{AuthenticationMethod, Factor, MfaPolicy, Session, SessionId, User};
use crate::ports::{Clock, Store};
use crate::validation::Keyring;

/// How long ago a person may have been authenticated for changes of what it signs
/// in with.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The person behind an access token: a live session of an active user.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user.
    pub user: User,
    /// The session of the token.
    pub session: Session,
}

/// Knows people by their access tokens.
pub struct People {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keyring: Arc<Keyring>,
    verifier: Verifier,
    groups: Groups,
}

impl People {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        keyring: Arc<Keyring>,
        groups: Groups,
        settings: &Settings,
    ) -> Self {
        let tokens = &settings.tokens;
        Self {
            store,
            clock,
            keyring,
            verifier: Verifier::new(tokens.issuer.clone(), tokens.leeway),
            groups,
        }
    }

    /// The person behind an access token. The session is read from the
    /// database: who changes an account must not be let in by a stale memory.
    pub(crate) async fn by_access_token(&self, access_token: &str) -> Result<Person, Error> {
        let now = self.clock.now();
        let claims = self
            .verifier
            .verify(&self.keyring.verifying(), access_token, now.as_seconds())
            .map_err(|rejection| Refusal::AccessToken(Some(rejection)))?;
        let ended = || Error::from(Refusal::AccessToken(None));
        let session_id: SessionId = claims.sid.parse().map_err(|_| ended())?;
        let found = self.store.session_with_user(session_id).await?;
        let (session, user) = found.ok_or_else(ended)?;
        if !session.is_live(now) || !user.is_active(now) {
            return Err(ended());
        }
        Ok(Person { user, session })
    }

    /// The person behind an access token, if it is one of a session of this caller.
    /// New tokens are given to nobody else.
    pub(crate) async fn of_caller(
        &self,
        access_token: &str,
        client_id: &str,
    ) -> Result<Person, Error> {
        let person = self.by_access_token(access_token).await?;
        if person.session.client_id != client_id {
            return Err(Refusal::SessionOfAnotherCaller.into());
        }
        Ok(person)
    }

    /// The person behind an access token, who was authenticated a moment ago, and has
    /// shown a second factor if there was one.
    pub(crate) async fn by_fresh_access_token(&self, access_token: &str) -> Result<Person, Error> {
        let person = self.by_access_token(access_token).await?;
        let (now, at) = (self.clock.now(), person.session.authenticated_at);
        // A time ahead is one of a clock that was set back since.
        if at > now || now.since(at) > FRESH {
            return Err(Refusal::AuthenticationTooOld { max_age: FRESH }.into());
        }
        let methods = &person.session.methods;
        let policy = self.groups.mfa_policy(&person.user.group)?;
        if policy != MfaPolicy::Off && !methods.contains(&AuthenticationMethod::MultiFactor) {
            // Who has no more than the password is not to enrol a factor of his own.
            if policy.is_for_everybody() && methods.contains(&AuthenticationMethod::Password) {
                return Err(Refusal::SecondFactorRequired.into());
            }
            let factors = self.store.factors(person.user.id).await?;
            // Times tell nothing: the clock may have been set back. One that cannot be
            // read may have been there.
            let own = Some(person.session.authentication());
            let was_there = |factor: &Result<Factor, _>| {
                factor
                    .as_ref()
                    .map_or(true, |factor| factor.enrolled_by != own)
            };
            if factors.iter().any(was_there) {
                return Err(Refusal::SecondFactorRequired.into());
            }
        }
        Ok(person)
    }

    /// The session of an access token that one of the keys signed, whatever
    /// its issuer, audience and times.
    pub(crate) fn session_of(&self, access_token: &str) -> Option<SessionId> {
        let claims = Verifier::genuine(&self.keyring.verifying(), access_token);
        claims.ok()?.sid.parse().ok()
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People(..)")
    }
}
