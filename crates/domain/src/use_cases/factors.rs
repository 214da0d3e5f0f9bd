//! Looking at the second factors of a person, removing them, and new recovery
//! codes.

use crate::application::{Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{Address, Factor, FactorId, Locale, ProvenUser, RecoveryCode, User};
use crate::ports::{Content, UnitOfWork};

/// Somebody lists the factors.
#[derive(Debug)]
pub struct ListFactors {
    /// The person's access token.
    pub access_token: String,
}

/// The factors of a person.
#[derive(Debug)]
pub struct ListedFactors {
    /// The factors, oldest first.
    pub factors: Vec<ListedFactor>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u32,
}

/// A factor as it is listed.
#[derive(Debug)]
pub struct ListedFactor {
    /// The factor.
    pub factor: Factor,
    /// Of an address: so much of it that the person recognises it.
    pub masked_address: Option<String>,
}

/// Somebody removes a factor.
#[derive(Debug)]
pub struct RemoveFactor {
    /// The person's access token.
    pub access_token: String,
    /// Which.
    pub factor_id: FactorId,
    /// The language of the notice.
    pub locale: Locale,
}

/// Somebody wants new recovery codes.
#[derive(Debug)]
pub struct RegenerateRecoveryCodes {
    /// The person's access token.
    pub access_token: String,
}

impl ListFactors {
    /// Lists the factors.
    ///
    /// # Errors
    /// An access token that is not good; a factor that cannot be read.
    pub async fn execute(self, app: &Application) -> Result<ListedFactors, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let factors = app.store.factors(person.user.id).await?;
        Ok(ListedFactors {
            factors: factors
                .into_iter()
                .map(|factor| listed(app, factor?))
                .collect::<Result<_, Error>>()?,
            recovery_codes_left: app.store.recovery_codes_left(person.user.id).await?,
        })
    }
}

fn listed(app: &Application, factor: Factor) -> Result<ListedFactor, Error> {
    let address = app.code_factors.address_of(&factor)?;
    Ok(ListedFactor {
        masked_address: address.map(|address| address.masked()),
        factor,
    })
}

impl RemoveFactor {
    /// Removes the factor, with the last one the recovery codes, too, and tells
    /// the owner's addresses.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; a
    /// factor that is not the user's.
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
        let user = lock(&mut *uow, person).await?;
        if !uow.delete_factor(user.id, self.factor_id).await? {
            return Err(Refusal::Factor.into());
        }
        if uow.count_factors(user.id).await? == 0 {
            uow.put_recovery_codes(user.id, &[]).await?;
        }
        // It may be the one that was shown on a device which is remembered since.
        uow.forget_shown_factors(user.id).await?;
        let content = Content::FactorRemoved;
        for notice in app.messages.notices(addresses, self.locale, &content)? {
            uow.insert_message(&notice).await?;
        }
        Ok(uow.commit().await?)
    }
}

impl RegenerateRecoveryCodes {
    /// Puts new recovery codes in the place of all earlier ones.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; a user
    /// without a factor.
    pub async fn execute(self, app: &Application) -> Result<Vec<RecoveryCode>, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let mut repeats = Repeats::default();
        loop {
            match regenerate(app, &person).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => return outcome,
            }
        }
    }
}

async fn regenerate(app: &Application, person: &Person) -> Result<Vec<RecoveryCode>, Error> {
    let mut uow = app.store.begin().await?;
    let user = lock(&mut *uow, person).await?;
    if uow.count_factors(user.id).await? == 0 {
        return Err(Refusal::Factor.into());
    }
    let (codes, digests) = app.second_factors.new_recovery_codes(user.id);
    uow.put_recovery_codes(user.id, &digests).await?;
    uow.forget_shown_factors(user.id).await?;
    uow.commit().await?;
    Ok(codes)
}

/// The user, locked. What was proved before the password was set anew is worth
/// nothing.
async fn lock(uow: &mut dyn UnitOfWork, person: &Person) -> Result<User, Error> {
    let user = uow.lock_user(person.user.id).await?;
    let user =
        user.filter(|user| user.is_active() && ProvenUser::of(&person.user).is_current(user));
    Ok(user.ok_or(Refusal::AccessToken(None))?)
}
