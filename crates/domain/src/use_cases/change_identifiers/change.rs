//! A change of a person's addresses, made in one unit of work with its notices.

use crate::application::{Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{Address, AuditAction, AuditEvent, IdentifierChange, Locale, Proof, ProvenUser};
use crate::ports::{Clock as _, UnitOfWork};

/// How many addresses a person has at the most.
const MOST: usize = 10;

/// A change of a person's addresses.
pub(super) struct Change<'a> {
    pub(super) person: Person,
    /// The proof, and the address that is added.
    pub(super) proof: Option<(&'a Proof, &'a Address)>,
    pub(super) removed: Option<&'a Address>,
    pub(super) locale: Locale,
}

impl Change<'_> {
    /// Charges and makes the change.
    pub(super) async fn make(&self, app: &Application) -> Result<(), Error> {
        let limits = &app.limits;
        let charge = limits.charge_identifier_change(self.person.user.id).await?;
        let (mut repeats, mut is_spent) = (Repeats::default(), false);
        let changed = loop {
            match self.commit(app, &mut is_spent).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome,
            }
        };
        limits.refund_if_failed(charge, changed).await?;
        app.messages.queued();
        Ok(())
    }

    async fn commit(&self, app: &Application, is_spent: &mut bool) -> Result<(), Error> {
        let mut uow = app.store.begin().await?;
        let user = uow.lock_user(self.person.user.id).await?;
        let user = user
            .filter(|user| user.is_active(app.clock.now()))
            .ok_or(Refusal::AccessToken(None))?;
        if !ProvenUser::of(&self.person.user).is_current(&user) {
            self.judge_changed(app, &mut *uow).await?;
        }
        let before = uow.addresses_of(user.id).await?;
        self.judge(&before)?;
        let mut contents = Vec::new();
        if let Some(removed) = self.removed {
            let identifier = removed.clone().into();
            uow.delete_identifier(&user, &identifier).await?;
            // Codes on their way to it, and proofs of it, end with this.
            uow.raise_credential_version(user.id).await?;
            let factors = &app.code_factors;
            contents.extend(factors.remove(&mut *uow, user.id, removed).await?);
        }
        let added = self.proof.map(|(_, address)| address);
        if let Some(added) = added {
            let (rejoining, undos) = (&app.rejoining, &app.identifier_undos);
            let claimed = rejoining.claim(&mut *uow, undos, &user, added).await;
            claimed.map_err(|error| match error {
                // Somebody else's leaving is no fact about this person.
                Error::Refused(Refusal::UserWithdrawn { .. }) => Refusal::IdentifierTaken.into(),
                other => other,
            })?;
        }
        let change = IdentifierChange {
            added: added.cloned(),
            removed: self.removed.cloned(),
            before,
            signed_in_at: self.person.session.authenticated_at,
        };
        let content = app.identifier_undos.record(&mut *uow, &user, &change);
        contents.push(content.await?);
        for content in &contents {
            let notices = app.messages.notices(&change.before, self.locale, content);
            for notice in notices? {
                uow.insert_message(&notice).await?;
            }
        }
        if let Some(event) = self.event(app) {
            uow.insert_audit_event(&event).await?;
        }
        if let Some((proof, _)) = self.proof {
            // Before the commit: what becomes of that may stay unknown.
            app.verifications.spend_once(proof, is_spent).await?;
        }
        Ok(uow.commit().await?)
    }

    /// What the audit log tells of it.
    fn event(&self, app: &Application) -> Option<AuditEvent> {
        let added = self.proof.map(|(_, address)| address);
        let (action, address) = match (added, self.removed) {
            (Some(added), Some(_)) => (AuditAction::IdentifierChanged, added),
            (Some(added), None) => (AuditAction::IdentifierAdded, added),
            (None, removed) => (AuditAction::IdentifierRemoved, removed?),
        };
        let event = app.event_of(action, &self.person).with_address(address);
        Some(match (added, self.removed) {
            (Some(_), Some(replaced)) => {
                event.with_detail(format!("in place of {}", replaced.masked()))
            }
            _ => event,
        })
    }

    /// Whether the change may be made by a person whose credentials have changed since
    /// it was begun: another change of an address leaves the session alive, a new
    /// password may not. What was proved before is worth nothing.
    async fn judge_changed(
        &self,
        app: &Application,
        uow: &mut dyn UnitOfWork,
    ) -> Result<(), Error> {
        let session = uow.lock_session(self.person.session.id).await?;
        session
            .filter(|session| session.is_live(app.clock.now()))
            .ok_or(Refusal::AccessToken(None))?;
        match self.proof {
            Some(_) => Err(Refusal::Proof.into()),
            None => Ok(()),
        }
    }

    /// Whether a person with these addresses may make the change.
    fn judge(&self, before: &[Address]) -> Result<(), Refusal> {
        match (self.proof, self.removed) {
            (_, Some(removed)) if !before.contains(removed) => Err(Refusal::Identifier),
            (None, Some(_)) if before.len() == 1 => Err(Refusal::LastIdentifier),
            (Some((_, added)), _) if before.contains(added) => Err(Refusal::IdentifierTaken),
            (Some(_), None) if before.len() >= MOST => Err(Refusal::TooManyIdentifiers),
            _ => Ok(()),
        }
    }
}
