//! Adding, changing and removing the addresses of a person. Each change is told to
//! the addresses that there were before it, and can be undone from there.

mod change;

use self::change::Change;
use crate::application::{Application, Person};
use crate::error::{Error, Refusal};
use crate::model::{Address, Locale, Proof, Purpose, VerificationRecord};

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
    let proved = is_persons.then_some(proved).ok_or(Refusal::Proof)?;
    let added = [proved.address.clone().into()];
    app.adoption.refuse_held(&proved.group, added).await?;
    Ok(proved)
}
