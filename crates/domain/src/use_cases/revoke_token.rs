//! Ending the session of a token (RFC 7009), or a token that belongs to none.

use crate::application::Application;
use crate::error::Error;
use crate::model::{AuditAction, RefreshToken, Session, SessionId};
use crate::ports::StoreError;
use crate::validation::TokenHolder;

/// Somebody signs out.
#[derive(Debug)]
pub struct RevokeToken {
    /// An access or a refresh token.
    pub token: String,
}

impl RevokeToken {
    /// Ends the session of a genuine token, expired or not, under whatever
    /// issuer it was issued. Any other has none: that is no error.
    ///
    /// # Errors
    /// Unavailable, if it is not certain that the session has ended.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        match RefreshToken::parse(&self.token) {
            Some(token) => match session_of(app, &token).await? {
                Some(session) => end(app, session.id, Some(&session)).await,
                None => Ok(()),
            },
            None => match app.people.tokens().holder(&self.token) {
                Some(TokenHolder::Session(id)) => {
                    // One that cannot be read can be ended.
                    let session = match app.store.session(id).await {
                        Err(StoreError::Corrupt(_)) => None,
                        session => session?,
                    };
                    end(app, id, session.as_ref()).await
                }
                Some(TokenHolder::Old(old)) => {
                    let event = app.event(AuditAction::SessionRevoked);
                    let event = event.on_group(&old.group).with_session(old.session_id);
                    let event = event.with_detail("token of an old server");
                    app.session_ending.end_old(&old, &event).await
                }
                Some(TokenHolder::ServiceAccount(holding)) => {
                    let event = app.event(AuditAction::ServiceAccountTokenRevoked);
                    let event = event.with_session(holding.credential);
                    app.session_ending.end_token(&holding, &event).await
                }
                None => Ok(()),
            },
        }
    }
}

async fn end(app: &Application, id: SessionId, session: Option<&Session>) -> Result<(), Error> {
    let mut event = app.event(AuditAction::SessionRevoked).with_session(id);
    if let Some(session) = session {
        event = event.on_user(session.user_id, &session.group).by_itself();
    }
    app.session_ending.end(id, &event).await
}

async fn session_of(app: &Application, token: &RefreshToken) -> Result<Option<Session>, Error> {
    let session = app.store.session(token.session_id()).await?;
    let is_genuine = |session: &_| app.tokens.is_genuine(token, session);
    Ok(session.filter(is_genuine))
}
