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
    /// Ends the session. A token that is not valid has none: that is no error.
    ///
    /// # Errors
    /// Unavailable, if it is not certain that the session has ended.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        match self.session(app).await? {
            Some(session) => app.end_session(session).await,
            None => Ok(()),
        }
    }

    async fn session(&self, app: &Application) -> Result<Option<SessionId>, Error> {
        if let Some(token) = RefreshToken::parse(&self.token) {
            let session = app.store.session(token.session_id()).await?;
            let is_genuine = |session: &_| app.secrets.refresh.is_genuine(&token, session);
            return Ok(session.filter(is_genuine).map(|session| session.id));
        }
        let now = app.clock.now().as_seconds();
        let claims = app
            .verifier()
            .verify(&app.keyring.verifying(), &self.token, now);
        Ok(claims.ok().and_then(|claims| claims.sid.parse().ok()))
    }
}
