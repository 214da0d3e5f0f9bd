//! Refresh tokens of an old server: each opens one session, once.
//!
//! That it was used is an entry of the revocation feed, which is written with the
//! session and kept until the token has expired: neither a restart nor the end of the
//! session lets it open another.

use crate::application::{Application, SignIn};
use crate::error::{Error, Refusal};
use crate::model::{AuditAction, ClientContext, OldToken, Scope, Session, SessionId, Timestamp};
use crate::ports::{Clock as _, StoreError};
use crate::validation::TokenHolder;

/// A refresh token of an old server, which was verified.
pub(super) struct OldRefresh<'a> {
    token: Box<OldToken>,
    /// Those for which tokens of its profile are.
    audiences: &'a [String],
    scopes: Vec<Scope>,
    /// Whether it was found to be used.
    is_used: bool,
}

impl<'a> OldRefresh<'a> {
    pub(super) fn verify(app: &'a Application, token: &str) -> Result<Self, Error> {
        let tokens = app.people.tokens();
        let verified = tokens.verify_old_refresh_token(token, app.clock.now());
        let (profile, verified) = verified.map_err(|_| Refusal::RefreshToken)?;
        let TokenHolder::Old(token) = verified.holder else {
            return Err(Refusal::RefreshToken.into());
        };
        let scopes = verified.claims.scope.iter();
        let scopes = scopes.filter_map(|scope| Scope::parse(scope).ok());
        Ok(Self {
            token,
            audiences: &profile.audiences,
            scopes: scopes.collect(),
            is_used: false,
        })
    }

    /// The session that it is exchanged for.
    pub(super) fn session_id(&self) -> SessionId {
        self.token.session_id
    }

    /// Opens its session, if it was never used. Where somebody was faster, the session
    /// is there the next time that it is read.
    pub(super) async fn open(&mut self, app: &Application, client_id: &str) -> Result<(), Error> {
        if self.is_used {
            // Its session has ended, and is forgotten.
            return Err(Refusal::RefreshTokenReused.into());
        }
        match self.try_to_open(app, client_id).await {
            Err(Error::Store(StoreError::Taken)) => {
                self.is_used = true;
                Ok(())
            }
            // The other one wins, or nobody does: it is tried again.
            Err(Error::Store(StoreError::Conflict)) => Ok(()),
            outcome => outcome,
        }
    }

    async fn try_to_open(&self, app: &Application, client_id: &str) -> Result<(), Error> {
        let token = &self.token;
        let user = app
            .adoption
            .by_external_id(&token.group, &token.external_id, app.origin());
        let user = user.await?.ok_or(Refusal::RefreshToken)?;
        let mut uow = app.store.begin().await?;
        // Whoever ends all sessions of the user waits, or is seen.
        let user = uow.lock_user(user.id).await?.ok_or(Refusal::RefreshToken)?;
        let is_named =
            user.group == token.group && user.external_id.as_ref() == Some(&token.external_id);
        if !is_named {
            return Err(Refusal::RefreshToken.into());
        }
        let ended = uow.entered_revocations(&[token.of_user]).await?;
        let leeway = app.settings.tokens.leeway;
        if !user.is_active(app.clock.now()) || token.is_revoked_by(&ended, leeway) {
            return Err(Refusal::SessionEnded.into());
        }
        uow.insert_revocation(token.id, token.expires_at).await?;
        let audience = self.audiences.iter();
        let rules = app.groups.of(&token.group)?;
        let audience = audience.clone().find(|one| rules.offers_audience(one));
        let scopes = self.scopes.iter().cloned();
        let scopes = scopes.filter(|scope| rules.grants_scope(scope, &user));
        let opened = app.tokens.open_session(SignIn {
            user: &user,
            client_id: client_id.to_owned(),
            audience: audience.ok_or(Refusal::RefreshToken)?.clone(),
            scopes: scopes.collect(),
            // Nothing tells how the old server authenticated the person.
            methods: Vec::new(),
            client: ClientContext::default(),
        })?;
        let session = Session {
            id: token.session_id,
            authenticated_at: token.issued_at.unwrap_or(Timestamp::from_millis(0)),
            ..opened
        };
        uow.insert_session(&session).await?;
        let event = app.event(AuditAction::SessionOpened).on(&user).by_itself();
        let event = event.with_session(session.id);
        let event = event.with_detail("refresh token of an old server");
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(())
    }
}
