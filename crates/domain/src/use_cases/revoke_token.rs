//! Ending the session of a token (RFC 7009), or a token that belongs to none.

use crate::application::Application;
use crate::error::Error;
use crate::model::{RefreshToken, SessionId};
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
                Some(session) => app.session_ending.end(session).await,
                None => Ok(()),
            },
            None => match app.people.tokens().holder(&self.token) {
                Some(TokenHolder::Session(session)) => app.session_ending.end(session).await,
                Some(TokenHolder::Old(old)) => app.session_ending.end_old(&old).await,
                Some(TokenHolder::ServiceAccount(holding)) => {
                    app.session_ending.end_token(&holding).await
                }
                None => Ok(()),
            },
        }
    }
}

async fn session_of(app: &Application, token: &RefreshToken) -> Result<Option<SessionId>, Error> {
    let session = app.store.session(token.session_id()).await?;
    let is_genuine = |session: &_| app.tokens.is_genuine(token, session);
    Ok(session.filter(is_genuine).map(|session| session.id))
}
