//! Changing users: under a lock, of the version that was read, and with the end of all
//! sessions where somebody is not to sign in any more.

use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{AuditAction, Identifier, Locale, Timestamp, User, UserId, UserState};
use crate::ports::{Clock as _, Content, ListedUser, StoreError, UnitOfWork};

/// A change of a user.
#[derive(Debug)]
pub(crate) struct UserChange {
    /// Of whom.
    pub(crate) id: UserId,
    /// The version that was read, if another change must not be overwritten.
    pub(crate) etag: Option<String>,
    /// Whether all sessions end with it.
    pub(crate) ends_sessions: bool,
    /// What all addresses are told, and in which language.
    pub(crate) notice: Option<(Content, Locale)>,
    /// As what the audit log tells of it.
    pub(crate) action: AuditAction,
    /// Whether the user makes it itself.
    pub(crate) is_own: bool,
    /// What of the user is changed, for the audit log.
    pub(crate) detail: String,
}

impl UserChange {
    /// Makes the change, and tells what has become of the user.
    ///
    /// # Errors
    /// No such user; one that was changed since; what `change` refuses; an external id
    /// that is taken.
    pub(crate) async fn make(
        &self,
        app: &Application,
        change: impl Fn(&mut User, Timestamp) -> Result<(), Error> + Sync,
    ) -> Result<ListedUser, Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_make(app, &change).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_make(
        &self,
        app: &Application,
        change: &(impl Fn(&mut User, Timestamp) -> Result<(), Error> + Sync),
    ) -> Result<ListedUser, Error> {
        let now = app.clock.now();
        let mut uow = app.store.begin().await?;
        let mut user = lock_user(&mut *uow, self.id).await?;
        check_etag(&user, self.etag.as_deref())?;
        change(&mut user, now)?;
        user.touch(now);
        let updated = uow.update_user(&user).await;
        updated.map_err(|error| match error {
            StoreError::Taken => Refusal::ExternalIdTaken.into(),
            other => Error::from(other),
        })?;
        let identifiers = uow.identifiers_of(self.id).await?;
        if matches!(user.state, UserState::Withdrawn(_)) {
            let identities = &app.federated_identities;
            let unlinked = identities.unlink_all(&mut *uow, &app.messages, self.id);
            unlinked.await?;
        }
        let ended = match self.ends_sessions {
            true => app.session_ending.end_all(&mut *uow, &user, None).await?,
            false => Vec::new(),
        };
        if let Some((content, locale)) = &self.notice {
            let told: Vec<_> = identifiers.iter().filter_map(Identifier::address).collect();
            for notice in app.messages.notices(&told, *locale, content)? {
                uow.insert_message(&notice).await?;
            }
        }
        let event = app.event(self.action).on(&user).with_detail(&self.detail);
        let event = if self.is_own {
            event.by_itself()
        } else {
            event
        };
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        app.session_ending.committed(&ended);
        Ok(ListedUser { user, identifiers })
    }
}

/// The user, locked. The row of one who is erased goes and comes back: whoever has
/// waited for it may find none, and looks again.
///
/// # Errors
/// No such user.
pub(crate) async fn lock_user(uow: &mut dyn UnitOfWork, id: UserId) -> Result<User, Error> {
    let user = match uow.lock_user(id).await? {
        None => uow.lock_user(id).await?,
        user => user,
    };
    Ok(user.ok_or(Refusal::User)?)
}

/// Refuses a user who was changed since it was read.
pub(crate) fn check_etag(user: &User, etag: Option<&str>) -> Result<(), Error> {
    match etag {
        Some(etag) if user.etag() != etag => Err(Refusal::Etag.into()),
        _ => Ok(()),
    }
}
