//! Changing service accounts: under a lock, of the version that was read, and with the
//! end of the tokens whose credentials are gone or have another `sid`.

use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, Revocation, ServiceAccount, ServiceAccountId, SessionId, Timestamp,
};
use crate::ports::{Clock as _, UnitOfWork};

/// A change of a service account.
#[derive(Debug)]
pub(crate) struct ServiceAccountChange<'a> {
    /// Of which.
    pub(crate) id: ServiceAccountId,
    /// The version that was read, if another change must not be overwritten.
    pub(crate) etag: Option<&'a str>,
    /// What the audit log tells of it.
    pub(crate) action: AuditAction,
}

impl ServiceAccountChange<'_> {
    /// Makes the change, and tells what has become of the account.
    ///
    /// # Errors
    /// No such account; one that was changed since; what `change` refuses.
    pub(crate) async fn make(
        &self,
        app: &Application,
        change: impl Fn(&mut ServiceAccount, Timestamp) -> Result<(), Error> + Sync,
    ) -> Result<ServiceAccount, Error> {
        let change = |mut account: ServiceAccount, now| {
            change(&mut account, now)?;
            account.touch(now);
            Ok(Some(account))
        };
        let changed = self.carry_out(app, change).await?;
        changed.ok_or_else(|| Error::Internal("the service account is gone".into()))
    }

    /// Deletes the account with its credentials.
    ///
    /// # Errors
    /// No such account; one that was changed since.
    pub(crate) async fn delete(&self, app: &Application) -> Result<(), Error> {
        self.carry_out(app, |_, _| Ok(None)).await.map(drop)
    }

    async fn carry_out(
        &self,
        app: &Application,
        change: impl Fn(ServiceAccount, Timestamp) -> Result<Option<ServiceAccount>, Error> + Sync,
    ) -> Result<Option<ServiceAccount>, Error> {
        let mut repeats = Repeats::default();
        loop {
            match self.try_to_carry_out(app, &change).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }

    async fn try_to_carry_out(
        &self,
        app: &Application,
        change: &(impl Fn(ServiceAccount, Timestamp) -> Result<Option<ServiceAccount>, Error> + Sync),
    ) -> Result<Option<ServiceAccount>, Error> {
        let now = app.clock.now();
        let mut uow = app.store.begin().await?;
        let before = uow.lock_service_account(self.id).await?;
        let before = before.ok_or(Refusal::ServiceAccount)?;
        if self.etag.is_some_and(|etag| etag != before.etag()) {
            return Err(Refusal::Etag.into());
        }
        let after = change(before.clone(), now)?;
        write(&mut *uow, &before, after.as_ref()).await?;
        let kept = after.as_ref().map(ServiceAccount::sids).unwrap_or_default();
        let mut gone = before.sids();
        gone.retain(|sid| !kept.contains(sid));
        let longest = now.plus(app.settings.tokens.lifetimes().access);
        let ended = revoke(&mut *uow, &gone, longest).await?;
        let event = app.event(self.action).on_group(&before.group);
        let event = event.named(before.id.to_string());
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        app.session_ending.committed(&ended);
        Ok(after)
    }
}

/// Writes what has changed of an account; with nothing after it, it is deleted.
async fn write(
    uow: &mut dyn UnitOfWork,
    before: &ServiceAccount,
    after: Option<&ServiceAccount>,
) -> Result<(), Error> {
    let Some(after) = after else {
        uow.delete_service_account(before.id).await?;
        return Ok(());
    };
    uow.update_service_account(after).await?;
    for known in &before.credentials {
        match after.credential(known.id) {
            None => {
                uow.delete_service_account_credential(after.id, known.id)
                    .await?;
            }
            Some(kept) if kept.sid != known.sid => {
                uow.renew_service_account_sid(after.id, known.id, kept.sid)
                    .await?;
            }
            Some(_) => {}
        }
    }
    for credential in &after.credentials {
        if before.credential(credential.id).is_none() {
            uow.insert_service_account_credential(after.id, credential)
                .await?;
        }
    }
    Ok(())
}

/// Enters the `sid`s of tokens that expire by `longest` in the feed.
async fn revoke(
    uow: &mut dyn UnitOfWork,
    sids: &[SessionId],
    longest: Timestamp,
) -> Result<Vec<Revocation>, Error> {
    let mut ended = Vec::new();
    for sid in sids {
        ended.push(uow.put_revocation(*sid, longest).await?);
    }
    Ok(ended)
}
