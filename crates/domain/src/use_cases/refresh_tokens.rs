//! Exchanging a refresh token for the next one.
//!
//! The session is read, the token proved genuine, and one conditional update
//! decides a race. Who loses it reads again and finds its own token to be the
//! parent of the winner's, so that all of them get the same successor.

use crate::application::{Application, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{Presented, RefreshToken, Session};
use crate::ports::Clock as _;

/// Somebody refreshes.
#[derive(Debug)]
pub struct RefreshTokens {
    /// The token as it was presented.
    pub refresh_token: String,
    /// The caller that presents it.
    pub client_id: String,
}

/// A race is lost to a faster exchange of the same session; each loss means
/// that somebody else went forward.
const ROUNDS: u32 = 8;

impl RefreshTokens {
    /// Exchanges the token. It is good for the caller that it was issued to
    /// alone (RFC 6749, section 6).
    ///
    /// # Errors
    /// A token that is not valid, was used long ago, or whose session has ended
    /// or is for an audience that is no longer offered; unavailable if it is not
    /// certain that it was exchanged.
    pub async fn execute(self, app: &Application) -> Result<Tokens, Error> {
        let token = RefreshToken::parse(&self.refresh_token).ok_or(Refusal::RefreshToken)?;
        for _ in 0..ROUNDS {
            let (session, user) = app
                .store
                .session_with_user(token.session_id())
                .await?
                .ok_or(Refusal::RefreshToken)?;
            let is_issued = app.tokens.is_genuine(&token, &session);
            if !is_issued || session.client_id != self.client_id {
                return Err(Refusal::RefreshToken.into());
            }
            let now = app.clock.now();
            if session.revoked_at.is_some() || !user.is_active(now) {
                return Err(Refusal::SessionEnded.into());
            }
            if !session.is_live(now) {
                return Err(Refusal::RefreshToken.into());
            }
            let rules = app.groups.of(&session.group)?;
            match session.present(token.generation(), now, rules.lifetimes()) {
                Presented::Reused => return end(app, &session).await,
                Presented::Unknown => return Err(Refusal::RefreshToken.into()),
                _ if !rules.offers_audience(&session.audience) => {
                    // It is not ended: the audience may be offered again.
                    return Err(Refusal::RefreshToken.into());
                }
                Presented::Repeat => return app.tokens.mint(&session, &user),
                Presented::Rotate(rotation) => {
                    if app.store.rotate(session.id, rotation).await? {
                        return app.tokens.mint(&session.rotated(rotation), &user);
                    }
                }
            }
        }
        Err(Error::Unavailable(
            "the session is exchanged by too many at once".into(),
        ))
    }
}

async fn end(app: &Application, session: &Session) -> Result<Tokens, Error> {
    app.session_ending.end(session.id).await?;
    tracing::warn!(
        session_id = %session.id,
        user_id = %session.user_id,
        "a refresh token was used again: its session is ended"
    );
    Err(Refusal::RefreshTokenReused.into())
}
