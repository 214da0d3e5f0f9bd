//! Adding, changing and removing the addresses of a person. Each change is told to
//! the addresses that there were before it, and can be undone from there.

use crate::application::{Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, IdentifierChange, Locale, Proof, ProvenUser, Purpose, User, VerificationRecord,
};

/// How many addresses a person has at the most.
const MOST: usize = 10;

/// Somebody adds an address.
#[derive(Debug)]
pub struct AddIdentifier {
    /// The person's access token.
    pub access_token: String,
    /// The proof of the address.
    pub proof: Proof,
    /// The language of the notices.
    pub locale: Locale,
}

/// Somebody changes an address for another.
#[derive(Debug)]
pub struct ChangeIdentifier {
    /// The person's access token.
    pub access_token: String,
    /// The address that is replaced.
    pub replaced: Address,
    /// The proof of the new one.
    pub proof: Proof,
    /// The language of the notices.
    pub locale: Locale,
}

/// Somebody removes an address.
#[derive(Debug)]
pub struct RemoveIdentifier {
    /// The person's access token.
    pub access_token: String,
    /// Which.
    pub address: Address,
    /// The language of the notices.
    pub locale: Locale,
}

impl AddIdentifier {
    /// Adds the address, and returns it.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; a proof that
    /// is not valid; an address that is somebody's; too many addresses or changes.
    pub async fn execute(self, app: &Application) -> Result<Address, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let proved = proved(app, &self.proof, &person).await?;
        let change = Change {
            person,
            proof: Some((&self.proof, &proved.address)),
            removed: None,
            locale: self.locale,
        };
        change.make(app).await?;
        Ok(proved.address)
    }
}

impl ChangeIdentifier {
    /// Puts the address that was proved in the place of the other, and returns it.
    ///
    /// # Errors
    /// As [`AddIdentifier::execute`]; an address to replace that is not the person's.
    pub async fn execute(self, app: &Application) -> Result<Address, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let proved = proved(app, &self.proof, &person).await?;
        let change = Change {
            person,
            proof: Some((&self.proof, &proved.address)),
            removed: Some(&self.replaced),
            locale: self.locale,
        };
        change.make(app).await?;
        Ok(proved.address)
    }
}

impl RemoveIdentifier {
    /// Removes the address.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; an address
    /// that is not the person's, or is the last one; too many changes.
    pub async fn execute(self, app: &Application) -> Result<(), Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        Change {
            person,
            proof: None,
            removed: Some(&self.address),
            locale: self.locale,
        }
        .make(app)
        .await
    }
}

/// What the person has proved, with the credentials as they are.
async fn proved(
    app: &Application,
    proof: &Proof,
    person: &Person,
) -> Result<VerificationRecord, Error> {
    let purpose = Purpose::ChangeIdentifier;
    let proved = app.verifications.proof(proof, purpose).await?;
    let is_current = proved.user.is_some_and(|of| of.is_current(&person.user));
    let is_persons = is_current && proved.group == person.user.group;
    is_persons.then_some(proved).ok_or(Refusal::Proof.into())
}

/// A change of a person's addresses.
struct Change<'a> {
    person: Person,
    /// The proof, and the address that is added.
    proof: Option<(&'a Proof, &'a Address)>,
    removed: Option<&'a Address>,
    locale: Locale,
}

impl Change<'_> {
    /// Charges and makes the change.
    async fn make(&self, app: &Application) -> Result<(), Error> {
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
        // What was proved before the credentials changed is worth nothing.
        let person = ProvenUser::of(&self.person.user);
        let user = user
            .filter(|user| User::is_active(user) && person.is_current(user))
            .ok_or(Refusal::AccessToken(None))?;
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
            app.identifier_undos.claim(&mut *uow, &user, added).await?;
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
        if let Some((proof, _)) = self.proof {
            // Before the commit: what becomes of that may stay unknown.
            app.verifications.spend_once(proof, is_spent).await?;
        }
        Ok(uow.commit().await?)
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
