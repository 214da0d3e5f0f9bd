//! The person behind an access token.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Verifier;

use crate::application::Settings;
use crate::error::{Error, Refusal};
use crate::model::{Session, SessionId, User};
use crate::ports::{Clock, Store};
use crate::validation::Keyring;

/// How old a sign-in may be for changes of what a person signs in with.
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
}

impl People {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        keyring: Arc<Keyring>,
        settings: &Settings,
    ) -> Self {
        let tokens = &settings.tokens;
        Self {
            store,
            clock,
            keyring,
            verifier: Verifier::new(tokens.issuer.clone(), tokens.leeway),
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
        if !session.is_live(now) || !user.is_active() {
            return Err(ended());
        }
        Ok(Person { user, session })
    }

    /// The person behind an access token, who signed in a moment ago.
    pub(crate) async fn by_fresh_access_token(&self, access_token: &str) -> Result<Person, Error> {
        let person = self.by_access_token(access_token).await?;
        let age = self.clock.now().since(person.session.created_at);
        if age > FRESH {
            return Err(Refusal::AuthenticationTooOld { max_age: FRESH }.into());
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
