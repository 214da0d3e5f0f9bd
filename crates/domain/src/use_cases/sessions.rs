//! Looking at the sessions of a person, and ending them.

mod actor;

pub use self::actor::Actor;
use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, OldToken, PageSize, PageToken, Revocation, Session, SessionId, UserId,
};
use crate::ports::Clock as _;

/// Somebody lists the live sessions.
#[derive(Debug)]
pub struct ListSessions {
    /// Whose.
    pub actor: Actor,
    /// How many at once.
    pub size: PageSize,
    /// From where on.
    pub after: Option<PageToken>,
}

/// One page of sessions.
#[derive(Debug)]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<Session>,
    /// The session of the access token that asked.
    pub current: Option<SessionId>,
    /// Where the next page starts, if there is one.
    pub next: Option<PageToken>,
}

/// Somebody looks at a session.
#[derive(Debug)]
pub struct GetSession {
    /// Whose.
    pub actor: Actor,
    /// Which.
    pub session_id: SessionId,
}

/// Somebody ends a session.
#[derive(Debug)]
pub struct RevokeSession {
    /// Whose.
    pub actor: Actor,
    /// Which.
    pub session_id: SessionId,
}

/// Somebody ends all sessions.
#[derive(Debug)]
pub struct RevokeUserSessions {
    /// Whose.
    pub actor: Actor,
    /// Whether the session of the access token stays.
    pub keep_current: bool,
}

impl ListSessions {
    /// Lists a page of live sessions.
    ///
    /// # Errors
    /// An access token that is not good.
    pub async fn execute(self, app: &Application) -> Result<SessionPage, Error> {
        let (user_id, current) = self.actor.resolve(app).await?;
        let now = app.clock.now();
        let mut sessions = app
            .store
            .live_sessions(user_id, now, self.size, self.after)
            .await?;
        let size = self.size.get() as usize;
        let next = (sessions.len() > size)
            .then(|| sessions.get(size - 1).map(|last| PageToken(last.id)))
            .flatten();
        sessions.truncate(size);
        Ok(SessionPage {
            sessions,
            current,
            next,
        })
    }
}

impl GetSession {
    /// Shows the session, and whether it is that of the access token.
    ///
    /// # Errors
    /// An access token that is not good; a session that is not the user's.
    pub async fn execute(self, app: &Application) -> Result<(Session, bool), Error> {
        let (user_id, current) = self.actor.resolve(app).await?;
        let session = own_session(app, user_id, self.session_id).await?;
        let is_current = current == Some(session.id);
        Ok((session, is_current))
    }
}

impl RevokeSession {
    /// Ends the session.
    ///
    /// # Errors
    /// An access token that is not good; a session that is not the user's;
    /// unavailable, if it is not certain that the session has ended.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let (user_id, _) = self.actor.resolve(app).await?;
        let session = own_session(app, user_id, self.session_id).await?;
        let event = app.event(AuditAction::SessionRevoked);
        let event = event
            .on_user(user_id, &session.group)
            .with_session(session.id);
        let event = self.actor.acts(event);
        app.session_ending.end(session.id, &event).await
    }
}

impl RevokeUserSessions {
    /// Ends the sessions and whatever was begun to open another, lets no device be
    /// known any more, and tells how many sessions it were.
    ///
    /// # Errors
    /// An access token that is not good; unavailable, if it is not certain that
    /// the sessions have ended.
    pub async fn execute(self, app: &Application) -> Result<u32, Error> {
        let (user_id, current) = self.actor.resolve(app).await?;
        let keep = current.filter(|_| self.keep_current);
        let mut repeats = Repeats::default();
        let ended = loop {
            match end_all(app, user_id, keep, &self.actor).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.session_ending.committed(&ended);
        Ok(sessions_of(&ended))
    }
}

/// How many sessions were ended.
fn sessions_of(ended: &[Revocation]) -> u32 {
    let is_session = |entry: &&Revocation| !OldToken::is_computed(entry.session_id);
    let sessions = ended.iter().filter(is_session).count();
    u32::try_from(sessions).unwrap_or(u32::MAX)
}

async fn end_all(
    app: &Application,
    user: UserId,
    keep: Option<SessionId>,
    actor: &Actor,
) -> Result<Vec<Revocation>, Error> {
    let mut uow = app.store.begin().await?;
    // Whoever signs in at the same time waits, or is seen.
    let ending = &app.session_ending;
    let ended = match uow.lock_user(user).await? {
        // What was begun before, such as an MFA session, opens none afterwards.
        Some(user) => {
            let ended = ending.end_all(&mut *uow, &user, keep).await?;
            let event = app.event(AuditAction::UserSessionsRevoked).on(&user);
            let event = event.with_detail(format!("{} sessions", sessions_of(&ended)));
            uow.insert_audit_event(&actor.acts(event)).await?;
            ended
        }
        None => ending.end_of_anybody(&mut *uow, user, keep).await?,
    };
    uow.commit().await?;
    Ok(ended)
}

async fn own_session(app: &Application, user: UserId, id: SessionId) -> Result<Session, Error> {
    let session = app.store.session(id).await?;
    Ok(session
        .filter(|session| session.user_id == user)
        .ok_or(Refusal::Session)?)
}
