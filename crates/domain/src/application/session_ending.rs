//! Ending sessions: durably first, then for this replica's validations, then for
//! the others'.

use std::sync::Arc;

use crate::application::{Repeats, Settings};
use crate::error::Error;
use crate::model::{AuditEvent, OldToken, Revocation, Session, SessionId, User, UserId};
use crate::ports::{Clock, Notifier, Store, UnitOfWork};
use crate::validation::{RevocationFeed, ServiceAccountHolding};

/// Ends sessions.
pub struct SessionEnding {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    feed: Arc<RevocationFeed>,
    notifier: Arc<dyn Notifier>,
    settings: Arc<Settings>,
}

impl SessionEnding {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        feed: Arc<RevocationFeed>,
        notifier: Arc<dyn Notifier>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            store,
            clock,
            feed,
            notifier,
            settings,
        }
    }

    /// Ends a session, and writes `event`. One that has ended already stays as it is, and
    /// its tokens are rejected here too, though another replica may have ended it.
    pub(crate) async fn end(&self, session: SessionId, event: &AuditEvent) -> Result<(), Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_end(session, event).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_end(&self, session: SessionId, event: &AuditEvent) -> Result<(), Error> {
        let mut uow = self.store.begin().await?;
        match uow.revoke_session(session, self.clock.now()).await? {
            Some(revocation) => {
                uow.insert_audit_event(event).await?;
                uow.commit().await?;
                self.committed(&[revocation]);
            }
            None => {
                drop(uow);
                let session = self.store.session(session).await?;
                let earlier = session.as_ref().and_then(Session::revocation);
                self.feed.enter(earlier.as_slice(), &*self.clock);
            }
        }
        Ok(())
    }

    /// Ends all sessions of a user who is locked, but for one, and whatever was begun
    /// to open another; lets no device be known any more. Once that is committed,
    /// [`committed`](Self::committed) is to be told.
    pub(crate) async fn end_all(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        keep: Option<SessionId>,
    ) -> Result<Vec<Revocation>, Error> {
        uow.raise_credential_version(user.id).await?;
        let ended = self.end_sessions(uow, user, keep).await?;
        uow.forget_devices(user.id).await?;
        Ok(ended)
    }

    /// The same of a user who may not be there.
    pub(crate) async fn end_of_anybody(
        &self,
        uow: &mut dyn UnitOfWork,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<Vec<Revocation>, Error> {
        let now = self.clock.now();
        let ended = uow.revoke_user_sessions(user, keep, now).await?;
        uow.forget_devices(user).await?;
        Ok(ended)
    }

    /// Ends a token of an old server, and the session that it was exchanged for if it
    /// was.
    pub(crate) async fn end_old(&self, token: &OldToken, event: &AuditEvent) -> Result<(), Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_end_old(token, event).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_end_old(&self, token: &OldToken, event: &AuditEvent) -> Result<(), Error> {
        let mut uow = self.store.begin().await?;
        let mut ended = vec![uow.put_revocation(token.id, token.expires_at).await?];
        let session = uow.revoke_session(token.session_id, self.clock.now());
        ended.extend(session.await?);
        uow.insert_audit_event(event).await?;
        uow.commit().await?;
        self.committed(&ended);
        Ok(())
    }

    /// Ends a token of a service account.
    pub(crate) async fn end_token(
        &self,
        token: &ServiceAccountHolding,
        event: &AuditEvent,
    ) -> Result<(), Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_end_token(token, event).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_end_token(
        &self,
        token: &ServiceAccountHolding,
        event: &AuditEvent,
    ) -> Result<(), Error> {
        let mut uow = self.store.begin().await?;
        let ended = uow.put_revocation(token.token, token.expires_at).await?;
        uow.insert_audit_event(event).await?;
        uow.commit().await?;
        self.committed(&[ended]);
        Ok(())
    }

    /// Ends all live sessions of a user but `keep`, and with them the tokens that an old
    /// server issued to the user.
    pub(crate) async fn end_sessions(
        &self,
        uow: &mut dyn UnitOfWork,
        user: &User,
        keep: Option<SessionId>,
    ) -> Result<Vec<Revocation>, Error> {
        let now = self.clock.now();
        let mut ended = uow.revoke_user_sessions(user.id, keep, now).await?;
        let longest = self.settings.tokens.profiles.longest_ttl(now);
        if let Some((id, longest)) = user.external_id.as_ref().zip(longest) {
            let all = OldToken::all_of(&user.group, id);
            ended.push(uow.put_revocation(all, now.plus(longest)).await?);
        }
        Ok(ended)
    }

    /// Lets this replica reject the tokens of ended sessions from now on, and
    /// tells the others. To be called after the commit and before the answer.
    pub(crate) fn committed(&self, revocations: &[Revocation]) {
        if revocations.is_empty() {
            return;
        }
        self.feed.enter(revocations, &*self.clock);
        self.notifier.revocations_committed();
    }
}

impl std::fmt::Debug for SessionEnding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionEnding(..)")
    }
}
