//! Ending the session of a token (RFC 7009).

use crate::application::Application;
use crate::error::Error;
use crate::model::{RefreshToken, SessionId};

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
        match self.session(app).await? {
            Some(session) => app.session_ending.end(session).await,
            None => Ok(()),
        }
    }

    async fn session(&self, app: &Application) -> Result<Option<SessionId>, Error> {
        let Some(token) = RefreshToken::parse(&self.token) else {
            return Ok(app.people.session_of(&self.token));
        };
        let session = app.store.session(token.session_id()).await?;
        let is_genuine = |session: &_| app.tokens.is_genuine(&token, session);
        Ok(session.filter(is_genuine).map(|session| session.id))
    }
}
