//! Unlinking an account, unless nobody could sign in without it.

use super::lock::lock;
use crate::application::{Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, FactorKind, FederatedIdentity, FederatedIdentityId, Locale, SignInWay,
    User,
};
use crate::ports::{Content, UnitOfWork};

/// Somebody unlinks an account.
#[derive(Debug)]
pub struct UnlinkFederatedIdentity {
    /// The person's access token.
    pub access_token: String,
    /// Which.
    pub id: FederatedIdentityId,
    /// The language of the notice.
    pub locale: Locale,
}

impl UnlinkFederatedIdentity {
    /// Unlinks the account, and tells the person's addresses.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; an account that is not
    /// the person's; the person could not sign in any more.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let addresses = app.store.addresses(person.user.id).await?;
        let mut repeats = Repeats::default();
        loop {
            match self.commit(app, &person, &addresses).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        }
        app.messages.queued();
        Ok(())
    }

    async fn commit(
        &self,
        app: &Application,
        person: &Person,
        addresses: &[Address],
    ) -> Result<(), Error> {
        let mut uow = app.store.begin().await?;
        let user = lock(app, &mut *uow, person).await?;
        let identities = &app.federated_identities;
        let unlinked = identities.unlink(&mut *uow, &app.messages, user.id, self.id);
        unlinked.await?;
        let others = uow.federated_identities_of_user(user.id).await?;
        let is_usable = |other: &FederatedIdentity| {
            // One that cannot be read is none to count on.
            let details = identities.details(other);
            details.is_ok_and(|details| {
                let providers = &app.federated_sign_ins;
                providers.sign_in_with(&other.provider, details.issuer.as_deref())
            })
        };
        let is_last = !others.iter().flatten().any(is_usable);
        if is_last && !has_another_way(app, &mut *uow, &user, addresses).await? {
            return Err(Refusal::LastWayIn.into());
        }
        let content = Content::FederatedIdentityUnlinked;
        for notice in app.messages.notices(addresses, self.locale, &content)? {
            uow.insert_message(&notice).await?;
        }
        let event = app.event_of(AuditAction::FederatedIdentityUnlinked, person);
        let event = event.named(self.id.to_string());
        uow.insert_audit_event(&event).await?;
        Ok(uow.commit().await?)
    }
}

/// Whether a person can sign in without any provider: with a password, a passkey, or a code to an
/// address that can be reached.
async fn has_another_way(
    app: &Application,
    uow: &mut dyn UnitOfWork,
    user: &User,
    addresses: &[Address],
) -> Result<bool, Error> {
    let rules = app.groups.named(&user.group)?;
    let is_way = |way| rules.require_way(way).is_ok();
    let is_reached = addresses
        .iter()
        .any(|address| app.messages.reaches(address));
    if is_way(SignInWay::VerifiedCode) && is_reached {
        return Ok(true);
    }
    if is_way(SignInWay::Password) && uow.lock_credential(user.id).await?.is_some() {
        return Ok(true);
    }
    if !is_way(SignInWay::Passkey) || !app.passkeys.are_taken() {
        return Ok(false);
    }
    let kinds = uow.factor_kinds_of_user(user.id).await?;
    Ok(kinds.contains(&Some(FactorKind::Passkey)))
}
