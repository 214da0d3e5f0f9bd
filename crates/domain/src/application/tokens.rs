//! Opening sessions and minting their tokens.

mod service_accounts;

use std::sync::Arc;

use countersign_token::{AccessClaims, ProfileError};

use crate::application::{Groups, KnownDevice, Settings};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, ClientContext, ExternalId, RefreshToken, RefreshTokenKey, Scope, Session,
    SessionId, Timestamp, User, UserId,
};
use crate::ports::{Clock, Random};
use crate::validation::Keyring;

pub(crate) use service_accounts::ServiceAccountSignIn;

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
    /// Of a sign-in: how the device is known from then on, if it is.
    pub device: Option<KnownDevice>,
}

/// An access token alone.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// What a new session is made from.
#[derive(Debug, Clone)]
pub(crate) struct SignIn<'a> {
    pub(crate) user: &'a User,
    pub(crate) client_id: String,
    pub(crate) audience: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) methods: Vec<AuthenticationMethod>,
    pub(crate) client: ClientContext,
}

/// Mints access and refresh tokens.
pub struct TokenMinter {
    keyring: Arc<Keyring>,
    refresh_key: RefreshTokenKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    groups: Groups,
    settings: Arc<Settings>,
}

impl TokenMinter {
    pub(crate) fn new(
        keyring: Arc<Keyring>,
        refresh_key: RefreshTokenKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        groups: Groups,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            keyring,
            refresh_key,
            clock,
            random,
            groups,
            settings,
        }
    }

    /// A new session, from now on.
    ///
    /// # Errors
    /// Unavailable, if it cannot be told what is allowed in the group; a user for whom
    /// its tokens cannot be minted.
    pub(crate) fn open_session(&self, sign_in: SignIn<'_>) -> Result<Session, Error> {
        let user = sign_in.user;
        let rules = self.groups.of(&user.group)?;
        let lifetimes = rules.lifetimes();
        let now = self.clock.now();
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let ends_at = now.plus(rules.session_ttl());
        let expires_at = now.plus(lifetimes.idle).min(ends_at);
        let session = Session {
            id: SessionId::generate(now, &*self.random),
            user_id: user.id,
            group: user.group.clone(),
            client_id: sign_in.client_id,
            audience: sign_in.audience,
            scopes: sign_in.scopes,
            methods: sign_in.methods,
            client: sign_in.client,
            salt,
            generation: 1,
            parent: 0,
            minted_at: now,
            access_expires_at: lifetimes.last_access_expiry(now, expires_at),
            created_at: now,
            authenticated_at: now,
            expires_at,
            ends_at,
            revoked_at: None,
        };
        self.check(&session, user)?;
        Ok(session)
    }

    /// Whether tokens of the session can be minted for its user, before anything is
    /// changed for them.
    ///
    /// # Errors
    /// The session's tokens name the user's external id, and it has none that fits.
    pub(crate) fn check(&self, session: &Session, user: &User) -> Result<(), Error> {
        let profiles = &self.settings.tokens.profiles;
        match profiles.chosen(session, self.clock.now()) {
            Some(profile) => {
                let id = user.external_id.as_ref().map(ExternalId::as_str);
                profile.form.check_external_id(id).map_err(refused)
            }
            None => Ok(()),
        }
    }

    /// The tokens of a session's newest generation. `user` is the session's.
    pub(crate) fn mint(&self, session: &Session, user: &User) -> Result<Tokens, Error> {
        let access = self.mint_access_token(session, user)?;
        Ok(Tokens {
            access_token: access.token,
            access_expires_at: access.expires_at,
            refresh_token: self.refresh_key.mint(session),
            refresh_expires_at: session.expires_at,
            session_id: session.id,
            user_id: session.user_id,
            device: None,
        })
    }

    /// An access token of a session, with the roles that its user has now, and with
    /// those of its scopes that are still offered to everybody, or that the user has. It has
    /// the form that is chosen for it.
    pub(crate) fn mint_access_token(
        &self,
        session: &Session,
        user: &User,
    ) -> Result<AccessToken, Error> {
        let rules = self.groups.of(&session.group)?;
        let granted = session.scopes.iter();
        let granted = granted.filter(|scope| rules.grants_scope(scope, user));
        let settings = &self.settings.tokens;
        let now = self.clock.now();
        let profile = settings.profiles.chosen(session, now);
        let ttl = profile.map_or(rules.access_ttl(), |profile| profile.access_ttl);
        let until = profile.and_then(|profile| profile.accept_until);
        // No access token outlives what the session knows of: its revocation
        // would be forgotten before.
        let expires_at = now
            .plus(ttl)
            .min(session.access_expires_at)
            .min(until.unwrap_or(Timestamp::from_millis(i64::MAX)))
            .as_seconds()
            .max(now.as_seconds() + 1);
        let claims = AccessClaims {
            iss: self.settings.tokens.issuer.clone(),
            sub: session.user_id.to_string(),
            aud: vec![session.audience.clone()],
            exp: expires_at,
            iat: now.as_seconds(),
            nbf: None,
            jti: SessionId::generate(now, &*self.random).to_string(),
            client_id: session.client_id.clone(),
            sid: session.id.to_string(),
            grp: session.group.as_str().into(),
            scope: granted.map(ToString::to_string).collect(),
            roles: user.roles.iter().map(ToString::to_string).collect(),
            amr: session
                .methods
                .iter()
                .map(|method| method.as_str().into())
                .collect(),
            acr: Some(session.acr().as_str().into()),
            auth_time: session.authenticated_at.as_seconds(),
        };
        let token = match profile {
            Some(profile) => {
                let id = user.external_id.as_ref().map(ExternalId::as_str);
                profile.form.sign(&claims, id).map_err(refused)?
            }
            None => self.keyring.sign(&claims)?,
        };
        Ok(AccessToken {
            token,
            expires_at: Timestamp::from_seconds(expires_at),
        })
    }

    /// Whether this service issued the refresh token in this session.
    pub(crate) fn is_genuine(&self, token: &RefreshToken, session: &Session) -> bool {
        self.refresh_key.is_genuine(token, session)
    }
}

fn refused(error: ProfileError) -> Error {
    match error {
        ProfileError::NoExternalId | ProfileError::NotANumber => Refusal::ExternalIdMissing.into(),
        ProfileError::Key(error) => Error::Internal(format!("signing: {error}")),
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

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

impl std::fmt::Debug for TokenMinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenMinter(..)")
    }
}
