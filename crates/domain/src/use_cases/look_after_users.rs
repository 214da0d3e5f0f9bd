//! What becomes of users by itself: suspensions end, and of people who have left the
//! personal data is erased.

use crate::application::{Application, Repeats, erase_from_audit_log};
use crate::error::Error;
use crate::model::{AuditAction, Profile, Timestamp, User, UserId, UserState};
use crate::ports::{Clock as _, DueUsers};

/// Ends suspensions, and erases personal data.
#[derive(Debug)]
pub struct LookAfterUsers {
    /// Users in one batch.
    pub batch: u32,
}

/// What was done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LookedAfter {
    /// Suspensions that ended.
    pub reinstated: u64,
    /// Users who were erased.
    pub erased: u64,
}

impl LookAfterUsers {
    /// Does all that is due. A user of whom it fails keeps nobody else waiting.
    ///
    /// # Errors
    /// The last failure, once all others were looked after; or if the database does not
    /// answer.
    pub async fn execute(self, app: &Application) -> Result<LookedAfter, Error> {
        let now = app.clock.now();
        let mut done = LookedAfter::default();
        let mut failure = None;
        for due in [
            DueUsers::SuspendedUntil(now),
            DueUsers::WithdrawnAt(now.minus(app.settings.users.retention)),
        ] {
            let mut after = None;
            loop {
                let ids = match app.store.due_users(due, after, self.batch).await {
                    Ok(ids) => ids,
                    Err(error) => {
                        failure = Some(error.into());
                        break;
                    }
                };
                let Some(last) = ids.last() else { break };
                after = Some(*last);
                for id in ids {
                    match look_after(app, id, due).await {
                        Ok(true) => done.count(due),
                        Ok(false) => {}
                        Err(error) => {
                            tracing::error!(user = %id, %error, "a user cannot be looked after");
                            failure = Some(error);
                        }
                    }
                }
            }
        }
        failure.map_or(Ok(done), Err)
    }
}

impl LookedAfter {
    fn count(&mut self, due: DueUsers) {
        match due {
            DueUsers::SuspendedUntil(_) => self.reinstated += 1,
            DueUsers::WithdrawnAt(_) => self.erased += 1,
        }
    }
}

/// Looks after a user who is still due once it is locked; tells whether it was.
async fn look_after(app: &Application, id: UserId, due: DueUsers) -> Result<bool, Error> {
    let mut repeats = Repeats::default();
    loop {
        let done = match due {
            DueUsers::SuspendedUntil(_) => reinstate(app, id).await,
            DueUsers::WithdrawnAt(at) => erase(app, id, at).await,
        };
        match done {
            Err(error) if repeats.allow(&error) => {}
            outcome => return outcome,
        }
    }
}

async fn reinstate(app: &Application, id: UserId) -> Result<bool, Error> {
    let now = app.clock.now();
    let mut uow = app.store.begin().await?;
    let Some(mut user) = uow.lock_user(id).await? else {
        return Ok(false);
    };
    let is_over =
        matches!(&user.state, UserState::Suspended(suspension) if suspension.is_over(now));
    let Some(reinstated) = user.state.reinstate().filter(|_| is_over) else {
        return Ok(false);
    };
    user.state = reinstated;
    user.touch(now);
    uow.update_user(&user).await?;
    let event = app.event(AuditAction::UserReinstated).on(&user);
    uow.insert_audit_event(&event).await?;
    uow.commit().await?;
    Ok(true)
}

/// Puts an empty row in the place of the user and all that is its own. The external id
/// stays, lest the person be adopted anew from the system that it names.
///
/// Nobody is erased who has left later than `until`, as somebody may have who was
/// reinstated since the list was read; nor as long as a change of addresses can be undone.
async fn erase(app: &Application, id: UserId, until: Timestamp) -> Result<bool, Error> {
    let now = app.clock.now();
    // Who has left changes nothing any more.
    let undos = app.store.identifier_undos(id).await?;
    let mut uow = app.store.begin().await?;
    let Some(mut user) = uow.lock_user(id).await? else {
        return Ok(false);
    };
    let is_due = matches!(&user.state, UserState::Withdrawn(withdrawal) if withdrawal.at <= until);
    let Some(erased) = user.state.erase().filter(|_| is_due) else {
        return Ok(false);
    };
    if undos.iter().flatten().any(|undo| now < undo.expires_at) {
        return Ok(false);
    }
    app.rejoining.bury(&mut *uow, &user).await?;
    // A session that was opened in spite of all, by a release that knows no states.
    let ended = app.session_ending.end_all(&mut *uow, &user, None).await?;
    user.touch(now);
    let rest = User {
        state: erased,
        credential_version: user.credential_version.wrapping_add(1),
        profile: Profile::default(),
        roles: Vec::new(),
        scopes: Vec::new(),
        ..user
    };
    uow.delete_user(id).await?;
    uow.insert_user(&rest).await?;
    let mut uow = erase_from_audit_log(&*app.store, uow, id).await?;
    let event = app.event(AuditAction::UserErased).on(&rest);
    uow.insert_audit_event(&event).await?;
    uow.commit().await?;
    app.session_ending.committed(&ended);
    Ok(true)
}
