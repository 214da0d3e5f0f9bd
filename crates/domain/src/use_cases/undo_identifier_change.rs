//! Undoing changes of addresses, by the token of a notice.
//!
//! Whoever undoes one says that it was not theirs. So the account is set back to what
//! it was before the first that can be undone, as far as that is known, and whoever
//! was in is put out.

use crate::application::{Application, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, GroupId, Identifier, IdentifierChange, IdentifierUndo, Locale,
    QueuedMessage, Revocation, Timestamp, UndoToken, User, UserState,
};
use crate::ports::{Clock as _, Content, UnitOfWork};

/// Somebody undoes a change.
#[derive(Debug)]
pub struct UndoIdentifierChange {
    /// In which group.
    pub group: GroupId,
    /// The token of the notice.
    pub token: UndoToken,
    /// The language of the notices.
    pub locale: Locale,
}

impl UndoIdentifierChange {
    /// Gives the user the addresses back that there were before all changes that can be
    /// undone, and takes all others, the password, new factors and all sessions.
    ///
    /// # Errors
    /// A token that undoes nothing in this group, or not any more; an address that is
    /// somebody else's by now; one of the changes that cannot be read.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let found = app.store.identifier_undo(&self.token.digest()).await?;
        let named = found.ok_or(Refusal::Undo)?;
        let mut repeats = Repeats::default();
        let ended = loop {
            match self.commit(app, &named).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.session_ending.committed(&ended);
        app.messages.queued();
        // It is done all the same if they cannot be given back.
        let refunded = app.limits.refund_identifier_changes(named.user_id);
        refunded.await.ok();
        Ok(())
    }

    async fn commit(
        &self,
        app: &Application,
        named: &IdentifierUndo,
    ) -> Result<Vec<Revocation>, Error> {
        let now = app.clock.now();
        let all = app.store.identifier_undos(named.user_id).await?;
        // Without one of them it cannot be known what was before all of them.
        let all: Vec<_> = all.into_iter().collect::<Result<_, _>>()?;
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(named.user_id).await?;
        let mut user = user
            .filter(|user| user.group == self.group)
            .ok_or(Refusal::Undo)?;
        let good = || all.iter().filter(|undo| now < undo.expires_at);
        if !good().any(|undo| undo.digest == named.digest) {
            return Err(Refusal::Undo.into());
        }
        let opened = good().map(|undo| Ok((undo, app.identifier_undos.open(&user, undo)?)));
        let opened = opened.collect::<Result<Vec<_>, Error>>()?;
        let (undo, change) = opened.into_iter().next().ok_or(Refusal::Undo)?;
        if !uow.take_identifier_undo(&undo.digest, now).await? {
            return Err(Refusal::Undo.into());
        }
        // Whoever has taken the account over may have closed it, too. A suspension stays.
        if matches!(user.state, UserState::Withdrawn(_)) {
            user.state = user.state.reinstate().ok_or(Refusal::Undo)?;
            user.touch(now);
            uow.update_user(&user).await?;
        }
        let now_there = uow.addresses_of(user.id).await?;
        restore(&mut *uow, &user, &change, &now_there).await?;
        for taken in now_there.iter().filter(|at| !change.before.contains(at)) {
            app.code_factors.remove(&mut *uow, user.id, taken).await?;
        }
        // Whoever made it may have been in before, and have let in a factor for later.
        let lookback = undo.expires_at.since(undo.created_at);
        let since = change.signed_in_at.minus(lookback);
        let ended = put_out(app, &mut *uow, &user, since).await?;
        for notice in self.notices(app, &change.before, &now_there)? {
            uow.insert_message(&notice).await?;
        }
        let event = app.event(AuditAction::IdentifierChangeUndone);
        uow.insert_audit_event(&event.on(&user).by_itself()).await?;
        uow.commit().await?;
        Ok(ended)
    }

    /// Notices to all addresses that are restored or taken.
    fn notices(
        &self,
        app: &Application,
        restored: &[Address],
        now_there: &[Address],
    ) -> Result<Vec<QueuedMessage>, Error> {
        let mut told = restored.to_vec();
        told.extend(now_there.iter().cloned());
        told.sort();
        told.dedup();
        let content = Content::IdentifierChangeUndone;
        app.messages.notices(&told, self.locale, &content)
    }
}

/// Gives the user the addresses that there were before a change, but those that are
/// somebody else's, and no others.
async fn restore(
    uow: &mut dyn UnitOfWork,
    user: &User,
    change: &IdentifierChange,
    now_there: &[Address],
) -> Result<(), Error> {
    let is_kept = |address: &&Address| change.before.contains(address);
    let mut kept = now_there.iter().filter(is_kept).count();
    for taken in now_there.iter().filter(|address| !is_kept(address)) {
        uow.delete_identifier(user, &taken.clone().into()).await?;
    }
    for address in &change.before {
        if now_there.contains(address) {
            continue;
        }
        let identifier = Identifier::from(address.clone());
        let holder = uow.lock_user_by_identifier(&user.group, &identifier);
        // All were held for the user, but by the settings of then, and by the
        // releases that know of that.
        if holder.await?.is_none() {
            uow.insert_identifier(user, &identifier).await?;
            kept += 1;
        }
    }
    match kept {
        0 => Err(Refusal::IdentifierTaken.into()),
        _ => Ok(()),
    }
}

/// Takes from a user all by which somebody could be in, or come in: sessions, the
/// password, what was proved, known devices, factors and linked accounts since that time.
async fn put_out(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    user: &User,
    since: Timestamp,
) -> Result<Vec<Revocation>, Error> {
    uow.raise_credential_version(user.id).await?;
    uow.delete_credential(user.id).await?;
    uow.delete_factors_since(user.id, since).await?;
    uow.delete_federated_identities_since(user.id, since)
        .await?;
    if uow.count_factors(user.id).await? == 0 {
        uow.put_recovery_codes(user.id, &[]).await?;
    }
    uow.forget_devices(user.id).await?;
    app.session_ending.end_sessions(uow, user, None).await
}
