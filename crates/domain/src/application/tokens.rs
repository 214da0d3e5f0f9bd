//! Minting the tokens of a session, and knowing the person behind an access
//! token.

use countersign_token::{AccessClaims, Verifier};

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, ClientContext, GroupId, Revocation, Scope, Session, SessionId, Timestamp,
    User, UserId,
};

/// What a sign-in or a refresh yields.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// When it expires.
    pub access_expires_at: Timestamp,
    /// The refresh token.
    pub refresh_token: String,
    /// When it expires if it is not used.
    pub refresh_expires_at: Timestamp,
    /// The session.
    pub session_id: SessionId,
    /// The user.
    pub user_id: UserId,
}

/// The person behind an access token: a live session of an active user.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user.
    pub user: User,
    /// The session of the token.
    pub session: Session,
}

/// What a new session is made from.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) user_id: UserId,
    pub(crate) group: GroupId,
    pub(crate) client_id: String,
    pub(crate) audience: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) method: AuthenticationMethod,
    pub(crate) client: ClientContext,
}

impl Application {
    /// A new session, from now on.
    pub(crate) fn open_session(&self, sign_in: SignIn) -> Session {
        let settings = &self.settings.tokens;
        let now = self.clock.now();
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let ends_at = now.plus(settings.session_ttl);
        Session {
            id: SessionId::generate(now, &*self.random),
            user_id: sign_in.user_id,
            group: sign_in.group,
            client_id: sign_in.client_id,
            audience: sign_in.audience,
            scopes: sign_in.scopes,
            methods: vec![sign_in.method],
            client: sign_in.client,
            salt,
            generation: 1,
            parent: 0,
            minted_at: now,
            created_at: now,
            expires_at: now.plus(settings.idle_ttl).min(ends_at),
            ends_at,
            revoked_at: None,
        }
    }

    /// The tokens of a session's newest generation.
    pub(crate) fn mint(&self, session: &Session) -> Result<Tokens, Error> {
        let now = self.clock.now();
        let ttl = i64::try_from(self.settings.tokens.access_ttl.as_secs()).unwrap_or(i64::MAX);
        // No access token outlives its session, which nobody could then revoke.
        let expires = now
            .as_seconds()
            .saturating_add(ttl)
            .min(session.expires_at.as_seconds());
        let expires = expires.max(now.as_seconds() + 1);
        let claims = AccessClaims {
            iss: self.settings.tokens.issuer.clone(),
            sub: session.user_id.to_string(),
            aud: vec![session.audience.clone()],
            exp: expires,
            iat: now.as_seconds(),
            nbf: None,
            jti: SessionId::generate(now, &*self.random).to_string(),
            client_id: session.client_id.clone(),
            sid: session.id.to_string(),
            grp: session.group.as_str().into(),
            scope: session.scopes.iter().map(ToString::to_string).collect(),
            roles: Vec::new(),
            amr: session
                .methods
                .iter()
                .map(|method| method.as_str().into())
                .collect(),
            auth_time: session.created_at.as_seconds(),
        };
        let access_token = self
            .keyring
            .sign(&claims)
            .map_err(|error| Error::Internal(format!("signing: {error}")))?;
        Ok(Tokens {
            access_token,
            access_expires_at: Timestamp::from_seconds(expires),
            refresh_token: self.secrets.refresh.mint(session),
            refresh_expires_at: session.expires_at,
            session_id: session.id,
            user_id: session.user_id,
        })
    }

    /// The person behind an access token. The session is read from the
    /// database: who changes an account must not be let in by a stale memory.
    pub(crate) async fn person(&self, access_token: &str) -> Result<Person, Error> {
        let now = self.clock.now();
        let claims = self
            .verifier()
            .verify(&self.keyring.verifying(), access_token, now.as_seconds())
            .map_err(|rejection| Refusal::AccessToken(Some(rejection)))?;
        let ended = || Error::from(Refusal::AccessToken(None));
        let session_id: SessionId = claims.sid.parse().map_err(|_| ended())?;
        let (session, user) = self
            .store
            .session_with_user(session_id)
            .await?
            .ok_or_else(ended)?;
        if !session.is_live(now) || !user.is_active() {
            return Err(ended());
        }
        Ok(Person { user, session })
    }

    /// Checks access tokens of this service.
    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(
            self.settings.tokens.issuer.clone(),
            self.settings.tokens.leeway,
        )
    }

    /// Ends a session, durably first, then for this replica's validations. One
    /// that has ended already stays as it is.
    pub(crate) async fn end_session(&self, session: SessionId) -> Result<(), Error> {
        let now = self.clock.now();
        let mut uow = self.store.begin().await?;
        if uow
            .revoke_session(session, now, self.settings.tokens.revocation_ttl())
            .await?
        {
            uow.commit().await?;
        }
        self.enter_revocations(&[session], now);
        Ok(())
    }

    /// Lets this replica reject the tokens of ended sessions from now on. To be
    /// called after the commit and before the answer.
    pub(crate) fn enter_revocations(&self, sessions: &[SessionId], now: Timestamp) {
        let expires_at = now.plus(self.settings.tokens.revocation_ttl());
        self.feed
            .enter(sessions.iter().map(|&session_id| Revocation {
                session_id,
                revoked_at: now,
                expires_at,
            }));
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("session_id", &self.session_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}
