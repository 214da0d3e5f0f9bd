//! Looking at the second factors of a person, removing them, and new recovery
//! codes.

use crate::application::{Application, Person, Repeats};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, AuditAction, Factor, FactorId, Locale, ProvenUser, RecoveryCode, User,
};
use crate::ports::{Clock as _, Content, UnitOfWork};

/// Somebody lists the factors.
#[derive(Debug)]
pub struct ListFactors {
    /// The person's access token.
    pub access_token: String,
}

/// The factors of a person.
#[derive(Debug)]
pub struct ListedFactors {
    /// The factors that can be read, oldest first.
    pub factors: Vec<ListedFactor>,
    /// How many more there are. They are asked for all the same.
    pub unreadable: u32,
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
    /// The language of the notice.
    pub locale: Locale,
}

impl ListFactors {
    /// Lists the factors, and counts those that cannot be read: one damaged row
    /// keeps nobody from looking at the others.
    ///
    /// # Errors
    /// An access token that is not good.
    pub async fn execute(self, app: &Application) -> Result<ListedFactors, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let all = app.store.factors(person.user.id).await?;
        let count = all.len();
        // What is the matter with the others is in the log.
        let readable = all.into_iter().filter_map(Result::ok);
        let factors: Vec<_> = readable.filter_map(|factor| listed(app, factor)).collect();
        Ok(ListedFactors {
            unreadable: u32::try_from(count - factors.len()).unwrap_or(u32::MAX),
            factors,
            recovery_codes_left: app.store.recovery_codes_left(person.user.id).await?,
        })
    }
}

/// None if the address of the factor cannot be read.
fn listed(app: &Application, factor: Factor) -> Option<ListedFactor> {
    let address = app.code_factors.address_of(&factor).ok()?;
    Some(ListedFactor {
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
        let user = lock(app, &mut *uow, person).await?;
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
        let event = app.event_of(AuditAction::FactorRemoved, person);
        let event = event.named(self.factor_id.to_string());
        uow.insert_audit_event(&event).await?;
        Ok(uow.commit().await?)
    }
}

impl RegenerateRecoveryCodes {
    /// Puts new recovery codes in the place of all earlier ones, and tells the
    /// owner's addresses: whoever holds them signs in by them.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; a user
    /// without a factor.
    pub async fn execute(self, app: &Application) -> Result<Vec<RecoveryCode>, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let addresses = app.store.addresses(person.user.id).await?;
        let mut repeats = Repeats::default();
        let codes = loop {
            match self.commit(app, &person, &addresses).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.messages.queued();
        Ok(codes)
    }

    async fn commit(
        &self,
        app: &Application,
        person: &Person,
        addresses: &[Address],
    ) -> Result<Vec<RecoveryCode>, Error> {
        let mut uow = app.store.begin().await?;
        let user = lock(app, &mut *uow, person).await?;
        if uow.count_factors(user.id).await? == 0 {
            return Err(Refusal::Factor.into());
        }
        let (codes, digests) = app.second_factors.new_recovery_codes(user.id);
        uow.put_recovery_codes(user.id, &digests).await?;
        uow.forget_shown_factors(user.id).await?;
        let content = Content::RecoveryCodesReplaced;
        for notice in app.messages.notices(addresses, self.locale, &content)? {
            uow.insert_message(&notice).await?;
        }
        let event = app.event_of(AuditAction::RecoveryCodesReplaced, person);
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(codes)
    }
}

/// The user, locked. What was proved before the password was set anew is worth
/// nothing.
async fn lock(app: &Application, uow: &mut dyn UnitOfWork, person: &Person) -> Result<User, Error> {
    let user = uow.lock_user(person.user.id).await?;
    let now = app.clock.now();
    let user =
        user.filter(|user| user.is_active(now) && ProvenUser::of(&person.user).is_current(user));
    Ok(user.ok_or(Refusal::AccessToken(None))?)
}
