//! Sessions and the exchange of their refresh tokens.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    PageSize, PageToken, Reauthentication, Revocation, Rotation, Session, SessionId, Timestamp,
    User, UserId,
};
use crate::ports::{Clock as _, Retention, SessionChanges, Sessions, StoreError};

impl Tables {
    pub(super) fn delete_ended_sessions(&mut self, retention: Retention, limit: usize) -> usize {
        let before = retention.sessions_before;
        delete_over(&mut self.sessions, limit, |session| {
            session.expires_at < before || session.revoked_at.is_some_and(|at| at < before)
        })
    }

    fn revoke(&mut self, id: SessionId, now: Timestamp, stamp: Timestamp) -> Option<Revocation> {
        let session = self.sessions.get_mut(&id).filter(|s| s.is_live(now))?;
        session.revoked_at = Some(stamp);
        let revocation = Revocation {
            session_id: id,
            revoked_at: stamp,
            expires_at: Revocation::kept_until(session.access_expires_at, stamp),
        };
        self.revocations.insert(id, revocation);
        Some(revocation)
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read(|tables| tables.sessions.get(&id).cloned())
    }

    async fn session_with_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.read(|tables| {
            let session = tables.sessions.get(&id)?.clone();
            let user = tables.users.get(&session.user_id)?.clone();
            Some((session, user))
        })
    }

    async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        size: PageSize,
        after: Option<PageToken>,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(|tables| {
            let newest_first = tables.sessions.values().rev();
            newest_first
                .filter(|session| session.user_id == user && session.is_live(now))
                .filter(|session| after.is_none_or(|PageToken(id)| session.id < id))
                .take(size.get() as usize + 1)
                .cloned()
                .collect()
        })
    }

    async fn rotate(&self, session: SessionId, rotation: Rotation) -> Result<bool, StoreError> {
        self.write(|tables| match tables.sessions.get_mut(&session) {
            Some(row)
                if row.generation == rotation.from
                    && row.authenticated_at == rotation.authenticated_at
                    && row.revoked_at.is_none() =>
            {
                *row = row.clone().rotated(rotation);
                true
            }
            _ => false,
        })
        .await
    }
}

#[async_trait]
impl SessionChanges for MemoryUnitOfWork {
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&session.user_id) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.tables.sessions, session.id, session.clone())
    }

    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.tables.sessions.get(&id).cloned())
    }

    async fn reauthenticate_session(
        &mut self,
        id: SessionId,
        change: &Reauthentication,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let session = self.tables.sessions.get_mut(&id);
        let Some(session) = session.filter(|session| session.is_live(now)) else {
            return Ok(false);
        };
        *session = session.clone().reauthenticated(change);
        Ok(true)
    }

    async fn revoke_session(
        &mut self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<Revocation>, StoreError> {
        Ok(self.tables.revoke(id, now, self.clock.now()))
    }

    async fn revoke_user_sessions(
        &mut self,
        user: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<Revocation>, StoreError> {
        let stamp = self.clock.now();
        let of_user = self.tables.sessions.values().filter(|s| s.user_id == user);
        let ids: Vec<_> = of_user.map(|session| session.id).collect();
        let ended = ids.into_iter().filter(|id| Some(*id) != keep);
        Ok(ended
            .filter_map(|id| self.tables.revoke(id, now, stamp))
            .collect())
    }
}
