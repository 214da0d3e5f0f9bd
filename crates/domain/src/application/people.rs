//! The person behind an access token.

use std::sync::Arc;
use std::time::Duration;

use crate::application::Groups;
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, ClientContext, Factor, MfaPolicy, OldToken, Session, Timestamp, User,
};
use crate::ports::{Clock, Store};
use crate::validation::{AccessTokens, TokenHolder, VerifiedClaims};

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
    tokens: AccessTokens,
    groups: Groups,
}

impl People {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tokens: AccessTokens,
        groups: Groups,
    ) -> Self {
        Self {
            store,
            clock,
            tokens,
            groups,
        }
    }

    /// The person behind an access token. The session is read from the
    /// database: who changes an account must not be let in by a stale memory.
    pub(crate) async fn by_access_token(&self, access_token: &str) -> Result<Person, Error> {
        let now = self.clock.now();
        let verified = self.tokens.verify(access_token, now);
        let verified = verified.map_err(|rejection| Refusal::AccessToken(Some(rejection)))?;
        let person = match &verified.holder {
            TokenHolder::Session(id) => {
                let found = self.store.session_with_user(*id).await?;
                let is_told = |(session, _): &_| tells_of(&verified, session);
                let found = found.filter(is_told);
                found.map(|(session, user)| Person { user, session })
            }
            TokenHolder::Old(old) => self.by_old_token(old).await?,
            TokenHolder::ServiceAccount(_) => return Err(Refusal::ServiceAccountToken.into()),
        };
        let is_good = |person: &Person| {
            let is_live = OldToken::is_computed(person.session.id) || person.session.is_live(now);
            is_live && person.user.is_active(now)
        };
        Ok(person.filter(is_good).ok_or(Refusal::AccessToken(None))?)
    }

    /// The person behind a token that an old server issued. Nothing tells how that
    /// server authenticated it, or when: the session, which is not stored, says so.
    async fn by_old_token(&self, old: &OldToken) -> Result<Option<Person>, Error> {
        let user = self.store.user_by_external_id(&old.group, &old.external_id);
        let Some(user) = user.await? else {
            return Ok(None);
        };
        let entries = self.store.revocations_of(&[old.id, old.of_user]).await?;
        if old.is_revoked_by(&entries, self.tokens.leeway()) {
            return Ok(None);
        }
        let session = session_of_old(&user, old);
        Ok(Some(Person { user, session }))
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
            // Who has no more than the password, or an account at a provider, is not to enrol a factor of his own.
            let is_first = |method: &AuthenticationMethod| {
                matches!(
                    method,
                    AuthenticationMethod::Password | AuthenticationMethod::Federated
                )
            };
            if policy.is_for_everybody() && methods.iter().any(is_first) {
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

    /// What verifies tokens.
    pub(crate) fn tokens(&self) -> &AccessTokens {
        &self.tokens
    }
}

/// Whether a session is the one that a token tells of: who holds the key of an old
/// server knows ids of sessions, and speaks for no others.
fn tells_of(verified: &VerifiedClaims, session: &Session) -> bool {
    let claims = &verified.claims;
    claims.sub == session.user_id.to_string() && claims.grp == session.group.as_str()
}

fn session_of_old(user: &User, old: &OldToken) -> Session {
    let unknown = Timestamp::from_millis(0);
    Session {
        id: old.of_user,
        user_id: user.id,
        group: user.group.clone(),
        client_id: String::new(),
        audience: String::new(),
        scopes: Vec::new(),
        methods: Vec::new(),
        client: ClientContext::default(),
        salt: [0; 16],
        generation: 0,
        parent: 0,
        minted_at: unknown,
        access_expires_at: old.expires_at,
        created_at: old.issued_at.unwrap_or(unknown),
        authenticated_at: unknown,
        expires_at: old.expires_at,
        ends_at: old.expires_at,
        revoked_at: None,
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People(..)")
    }
}
