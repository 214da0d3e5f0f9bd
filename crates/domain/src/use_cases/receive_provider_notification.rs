//! Messages that providers send by themselves: that a consent was taken back, or that an account
//! there is gone or was taken over.

use std::time::Duration;

use crate::application::{Application, Repeats, failed};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, FederatedIdentity, ProviderEventKind, ProviderId, ProviderNotification,
};

const SECOND: Duration = Duration::from_secs(1);

/// A provider's message has come.
#[derive(Debug)]
pub struct ReceiveProviderNotification {
    /// From which provider.
    pub provider: ProviderId,
    /// As it came.
    pub notification: ProviderNotification,
}

impl ReceiveProviderNotification {
    /// Does what the message asks for, in every group. Repeating it does no harm: what is
    /// unlinked stays so, and sessions that have ended, too.
    ///
    /// # Errors
    /// A message that is not the provider's; no such provider.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let adapter = app.federated_sign_ins.adapter(&self.provider)?;
        let read = adapter.read_notification(&self.provider, &self.notification);
        let read = read
            .await
            .map_err(|error| match failed(&self.provider, &error) {
                Error::Refused(Refusal::FederatedSignIn) => Refusal::ProviderNotification.into(),
                other => other,
            })?;
        let Some(event) = read else {
            return Ok(());
        };
        let sign_ins = &app.federated_sign_ins;
        if sign_ins.is_known_event(&event).await? {
            return Ok(());
        }
        let subject = app.federated_identities.digest(&event.subject);
        let identities = app.store.federated_identities_of(&subject).await?;
        let is_of_before = |identity: &FederatedIdentity| {
            // What happened before it was linked is no news. Providers count in seconds.
            event
                .at
                .is_some_and(|at| at.plus(SECOND) <= identity.linked_at)
        };
        for identity in identities
            .iter()
            .flatten()
            .filter(|known| !is_of_before(known))
        {
            let mut repeats = Repeats::default();
            loop {
                match apply(app, identity, event.kind).await {
                    Err(error) if repeats.allow(&error) => {}
                    outcome => break outcome?,
                }
            }
        }
        sign_ins.keep_event(&event).await
    }
}

/// What the event does to one user.
async fn apply(
    app: &Application,
    identity: &FederatedIdentity,
    kind: ProviderEventKind,
) -> Result<(), Error> {
    let mut uow = app.store.begin().await?;
    let Some(user) = uow.lock_user(identity.user_id).await? else {
        return Ok(());
    };
    let unlinks = match kind {
        ProviderEventKind::ConsentRevoked | ProviderEventKind::AccountDeleted => true,
        ProviderEventKind::SessionsRevoked => false,
    };
    if unlinks {
        // The consent is gone: there is nothing to take back.
        if !uow.delete_federated_identity(user.id, identity.id).await? {
            return Ok(());
        }
        let event = app.event(AuditAction::FederatedIdentityUnlinked).on(&user);
        let event = event.named(identity.provider.to_string());
        uow.insert_audit_event(&event).await?;
    }
    let ended = app.session_ending.end_all(&mut *uow, &user, None).await?;
    let event = app.event(AuditAction::UserSessionsRevoked).on(&user);
    let event = event.named(identity.provider.to_string());
    uow.insert_audit_event(&event).await?;
    uow.commit().await?;
    app.session_ending.committed(&ended);
    Ok(())
}
