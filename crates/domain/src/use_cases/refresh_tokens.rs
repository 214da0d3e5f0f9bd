//! Exchanging a refresh token for the next one.
//!
//! The session is read, the token proved genuine, and one conditional update
//! decides a race. Who loses it reads again and finds its own token to be the
//! parent of the winner's, so that all of them get the same successor.
//!
//! A refresh token of an old server is what came before the first generation of a
//! session, which is opened when it is presented for the first time.

mod old_tokens;

use self::old_tokens::OldRefresh;
use crate::application::{Application, Tokens};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, AuditRefusal, Lifetimes, Presented, RefreshToken, Session, SessionId, Timestamp,
};
use crate::ports::Clock as _;

/// Somebody refreshes.
#[derive(Debug)]
pub struct RefreshTokens {
    /// The token as it was presented.
    pub refresh_token: String,
    /// The caller that presents it.
    pub client_id: String,
}

/// What is presented.
enum Shown<'a> {
    Own(RefreshToken),
    Old(OldRefresh<'a>),
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
        let mut shown = match RefreshToken::parse(&self.refresh_token) {
            Some(token) => Shown::Own(token),
            None => Shown::Old(OldRefresh::verify(app, &self.refresh_token)?),
        };
        for _ in 0..ROUNDS {
            let found = app.store.session_with_user(shown.session_id()).await?;
            let (session, user) = match (found, &mut shown) {
                (Some(found), _) => found,
                (None, Shown::Old(old)) => {
                    old.open(app, &self.client_id).await?;
                    continue;
                }
                (None, Shown::Own(_)) => return Err(Refusal::RefreshToken.into()),
            };
            let is_issued = shown.is_issued_in(app, &session);
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
            match shown.judge(&session, now, rules.lifetimes()) {
                Presented::Reused => return end(app, &session).await,
                Presented::Unknown => return Err(Refusal::RefreshToken.into()),
                _ if !rules.offers_audience(&session.audience) => {
                    // It is not ended: the audience may be offered again.
                    return Err(Refusal::RefreshToken.into());
                }
                Presented::Repeat => return app.tokens.mint(&session, &user),
                Presented::Rotate(rotation) => {
                    app.tokens.check(&session, &user)?;
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

impl Shown<'_> {
    fn session_id(&self) -> SessionId {
        match self {
            Self::Own(token) => token.session_id(),
            Self::Old(old) => old.session_id(),
        }
    }

    /// The id of the session that an old token is exchanged for comes of the token
    /// itself, which was verified.
    fn is_issued_in(&self, app: &Application, session: &Session) -> bool {
        match self {
            Self::Own(token) => app.tokens.is_genuine(token, session),
            Self::Old(_) => true,
        }
    }

    fn judge(&self, session: &Session, now: Timestamp, lifetimes: Lifetimes) -> Presented {
        match self {
            Self::Own(token) => session.present(token.generation(), now, lifetimes),
            Self::Old(_) => session.present_old(now, lifetimes),
        }
    }
}

async fn end(app: &Application, session: &Session) -> Result<Tokens, Error> {
    let event = app.event(AuditAction::RefreshTokenReused);
    let event = event.on_user(session.user_id, &session.group);
    let event = event.with_session(session.id);
    let event = event.refused(AuditRefusal::RefreshTokenReused);
    app.session_ending.end(session.id, &event).await?;
    tracing::warn!(
        session_id = %session.id,
        user_id = %session.user_id,
        "a refresh token was used again: its session is ended"
    );
    Err(Refusal::RefreshTokenReused.into())
}
