//! Operators suspend, reinstate, withdraw and delete users.

use crate::application::{
    Application, Repeats, UserChange, check_etag, erase_from_audit_log, lock_user,
};
use crate::error::{Error, Refusal};
use crate::model::{AuditAction, Suspension, SuspensionReason, Timestamp, UserId, UserState};
use crate::ports::{Clock as _, ListedUser, StoreError, UnitOfWork};

/// An operator keeps a user from signing in.
#[derive(Debug)]
pub struct SuspendUser {
    /// Whom.
    pub id: UserId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
    /// Why.
    pub reason: SuspensionReason,
    /// When it ends by itself, if it does.
    pub until: Option<Timestamp>,
}

/// An operator takes a suspension or a withdrawal back.
#[derive(Debug)]
pub struct ReinstateUser {
    /// Whose.
    pub id: UserId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
}

/// An operator lets a user leave.
#[derive(Debug)]
pub struct WithdrawUser {
    /// Whom.
    pub id: UserId,
    /// The version that was read, if another change must not be overwritten.
    pub etag: Option<String>,
}

/// An operator deletes a user.
#[derive(Debug)]
pub struct DeleteUser {
    /// Whom.
    pub id: UserId,
    /// The version that was read, if one that was changed since must not be deleted.
    pub etag: Option<String>,
}

impl SuspendUser {
    /// Suspends the user, and ends all sessions.
    ///
    /// # Errors
    /// No such user, or one that was changed since, or that cannot be suspended; a time
    /// that is over.
    pub async fn execute(self, app: &Application) -> Result<ListedUser, Error> {
        if self.until.is_some_and(|until| until <= app.clock.now()) {
            return Err(Error::invalid("end_time", "must not be over"));
        }
        let Self { reason, until, .. } = self;
        let change = blocking(self.id, self.etag, AuditAction::UserSuspended);
        let suspended = change.make(app, |user, now| {
            let suspended = user.state.suspend(Suspension {
                reason: reason.clone(),
                since: now,
                until,
            });
            set(&mut user.state, suspended)
        });
        suspended.await
    }
}

impl ReinstateUser {
    /// Lets the user sign in again.
    ///
    /// # Errors
    /// No such user, or one that was changed since; one that is neither suspended nor
    /// withdrawn, or erased.
    pub async fn execute(self, app: &Application) -> Result<ListedUser, Error> {
        let change = blocking(self.id, self.etag, AuditAction::UserReinstated);
        let reinstated = change.make(app, |user, _| {
            let reinstated = user.state.reinstate();
            set(&mut user.state, reinstated)
        });
        reinstated.await
    }
}

impl WithdrawUser {
    /// Lets the user leave, and ends all sessions.
    ///
    /// # Errors
    /// No such user, or one that was changed since, or that has left.
    pub async fn execute(self, app: &Application) -> Result<ListedUser, Error> {
        let change = blocking(self.id, self.etag, AuditAction::UserWithdrawn);
        let wait = app.settings.users.rejoin_wait;
        let withdrawn = change.make(app, |user, now| {
            let withdrawn = user.state.withdraw(now, now.plus(wait));
            set(&mut user.state, withdrawn)
        });
        withdrawn.await
    }
}

impl DeleteUser {
    /// Deletes the user with all that is its own, and ends all sessions; one that cannot
    /// be read, too, unless it has to be of a version.
    ///
    /// # Errors
    /// No such user, or one that was changed since.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_delete(app).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_delete(&self, app: &Application) -> Result<(), Error> {
        let mut uow = app.store.begin().await?;
        let user = match lock_user(&mut *uow, self.id).await {
            // Which version it is cannot be told.
            Err(Error::Store(StoreError::Corrupt(cause))) if self.etag.is_none() => {
                return self.delete_unreadable(app, uow, &cause).await;
            }
            user => user?,
        };
        check_etag(&user, self.etag.as_deref())?;
        let ended = app.session_ending.end_all(&mut *uow, &user, None).await?;
        app.rejoining.bury(&mut *uow, &user).await?;
        let identities = &app.federated_identities;
        let unlinked = identities.unlink_all(&mut *uow, &app.messages, self.id);
        unlinked.await?;
        uow.delete_user(self.id).await?;
        let mut uow = erase_from_audit_log(&*app.store, uow, self.id).await?;
        app.adoption.keep_away(&mut *uow, &user).await?;
        let event = app.event(AuditAction::UserDeleted).on(&user);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        app.session_ending.committed(&ended);
        Ok(())
    }

    /// Deletes a user whose row cannot be read. Nothing else can be known of it: neither
    /// when it may join again, nor its id in another system.
    async fn delete_unreadable(
        &self,
        app: &Application,
        mut uow: Box<dyn UnitOfWork>,
        cause: &str,
    ) -> Result<(), Error> {
        let ending = &app.session_ending;
        let ended = ending.end_of_anybody(&mut *uow, self.id, None).await?;
        let identities = &app.federated_identities;
        let unlinked = identities.unlink_all(&mut *uow, &app.messages, self.id);
        unlinked.await?;
        uow.delete_user(self.id).await?;
        let mut uow = erase_from_audit_log(&*app.store, uow, self.id).await?;
        let mut event = app.event(AuditAction::UserDeleted);
        event.target.user = Some(self.id);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        tracing::warn!(user_id = %self.id, cause, "a user that could not be read is deleted");
        ending.committed(&ended);
        Ok(())
    }
}

fn blocking(id: UserId, etag: Option<String>, action: AuditAction) -> UserChange {
    UserChange {
        id,
        etag,
        ends_sessions: action != AuditAction::UserReinstated,
        notice: None,
        action,
        is_own: false,
        detail: String::new(),
    }
}

fn set(state: &mut UserState, next: Option<UserState>) -> Result<(), Error> {
    *state = next.ok_or(Refusal::UserState)?;
    Ok(())
}
