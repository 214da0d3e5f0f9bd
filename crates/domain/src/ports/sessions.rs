//! Sessions and the exchange of their refresh tokens.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    PageSize, PageToken, Reauthentication, Revocation, Rotation, Session, SessionId, Timestamp,
    User, UserId,
};

/// Reads sessions, and exchanges refresh tokens.
#[async_trait]
pub trait Sessions {
    /// A session.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// A session and its user.
    async fn session_with_user(&self, id: SessionId)
    -> Result<Option<(Session, User)>, StoreError>;

    /// The sessions of a user that are live at `now`, newest first, one more
    /// than the page has room for if there are more.
    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError>;

    /// Changes the generation of a session that is not ended and still has the
    /// generation and the authentication that the rotation starts from. Tells
    /// whether it did: of many at once, one does.
    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError>;
}

/// Changes sessions.
#[async_trait]
pub trait SessionChanges {
    /// Adds a session.
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// A session, locked: whoever changes it at the same time waits.
    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Writes a new authentication into a session that is live at `now`. Tells
    /// whether it was. Its generations stay; its last access token expires no earlier
    /// than before.
    async fn reauthenticate_session(
        &mut self,
        id: SessionId,
        change: &Reauthentication,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends a session that is live at `now`, and enters it in the revocation
    /// feed under the database's time, kept as
    /// [`Revocation::kept_until`] says. `None` if it was not live: then nothing
    /// changes.
    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<Revocation>, StoreError>;

    /// Ends all live sessions of a user but `keep`, likewise.
    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError>;
}
