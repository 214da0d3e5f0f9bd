//! Comparing a password, and counting the attempt meanwhile. Of a user of an existing
//! database the hash from there is compared, while the user is adopted: that takes the
//! place of counting. The owner of a mere digest is adopted after the comparison, with
//! what that makes to be stored.

use futures_util::future::{TryFutureExt as _, try_join};

use crate::application::{Application, Found, TakenOver, compare_password};
use crate::error::{Error, Refusal};
use crate::model::{
    Device, ExistingUser, GroupId, Identifier, Password, PasswordCredential, PasswordHash, UserId,
};
use crate::ports::{Account, HashError, HashingPlace, StoreError, Verdict};

/// Whom an identifier names.
pub(super) struct Claimed<'a> {
    pub(super) group: &'a GroupId,
    pub(super) identifier: &'a Identifier,
    pub(super) account: Option<Account>,
    pub(super) found: Found,
    pub(super) known: Option<&'a Device>,
}

/// A password that proved right, to be checked again in the unit of work.
pub(super) struct Matched {
    pub(super) user_id: UserId,
    pub(super) credential: PasswordCredential,
    pub(super) rehashed: Option<PasswordHash>,
}

/// Whose attempt it was, and whether the password may be compared.
struct Counted {
    account: Option<Account>,
    is_counted: bool,
    /// Whether another hash than the one that is compared is stored here by now.
    is_other: bool,
}

impl Claimed<'_> {
    /// Compares the password.
    ///
    /// # Errors
    /// It is wrong, or nobody's; the attempt could not be counted.
    pub(super) async fn compare(
        self,
        app: &Application,
        password: Password,
        place: Box<dyn HashingPlace>,
    ) -> Result<Matched, Error> {
        let (verdict, counted) = self.compare_and_count(app, password, place).await?;
        let (user, credential) = match counted.account {
            Some(Account {
                user,
                credential: Some(credential),
            }) if verdict.matches && counted.is_counted => (user, credential),
            _ => {
                verdict.await_refusal().await;
                return Err(Refusal::SignIn.into());
            }
        };
        if counted.is_other {
            // Who knows the password there, and nobody else, is to ask again.
            return Err(StoreError::Conflict.into());
        }
        let rehashed = match verdict.replacement {
            Some(replacement) => replacement.hash().await,
            None => None,
        };
        Ok(Matched {
            user_id: user.id,
            credential,
            rehashed,
        })
    }

    async fn compare_and_count(
        &self,
        app: &Application,
        password: Password,
        place: Box<dyn HashingPlace>,
    ) -> Result<(Verdict, Counted), Error> {
        let Found::User(existing) = &self.found else {
            let account = self.account.as_ref();
            let credential = account.and_then(|account| account.credential.as_ref());
            let verify = compare_password(place, password, credential);
            return try_join(verify, self.count(app)).await;
        };
        let (group, identifier) = (self.group, self.identifier);
        if let Some(digest) = app.adoption.digest(existing) {
            let verify = place.verify_digest(password, digest);
            let verify = verify.map_err(|error| unreadable(existing, error));
            let unshared = app.adoption.unshared(group, identifier, existing);
            let ((verdict, hash), identifiers) = try_join(verify, unshared).await?;
            let taken_over = TakenOver {
                hash: Some(hash),
                identifiers,
                failures: 1,
            };
            return Ok((verdict, self.adopt(app, existing, taken_over).await?));
        }
        let verify = place.verify(password, existing.password.clone());
        let verify = verify.map_err(|error| unreadable(existing, error));
        let adopt = async {
            let taken_over = app.adoption.take_over(group, identifier, existing);
            let taken_over = TakenOver {
                failures: 1,
                ..taken_over.await?
            };
            self.adopt(app, existing, taken_over).await
        };
        try_join(verify, adopt).await
    }

    async fn count(&self, app: &Application) -> Result<Counted, Error> {
        let account = self.account.clone();
        let credential = account.as_ref();
        let credential = credential.and_then(|account| account.credential.as_ref());
        let is_counted = self.count_attempt(app, credential).await?;
        Ok(Counted {
            account,
            is_counted,
            is_other: false,
        })
    }

    /// Adopts the user with this attempt as its first. If it was adopted a moment ago
    /// for another, that is counted as of anybody who is known.
    async fn adopt(
        &self,
        app: &Application,
        existing: &ExistingUser,
        taken_over: TakenOver,
    ) -> Result<Counted, Error> {
        let (group, identifier) = (self.group, self.identifier);
        let adopted = app
            .adoption
            .adopt(group, identifier, existing, taken_over, app.origin());
        let Some(adopted) = adopted.await? else {
            // Somebody else has got the identifier meanwhile.
            let is_counted = self.count_attempt(app, None).await?;
            let account = None;
            return Ok(Counted {
                account,
                is_counted,
                is_other: false,
            });
        };
        let credential = adopted.account.credential.as_ref();
        let (is_counted, is_other) = if adopted.is_new {
            (credential.is_some(), false)
        } else {
            // Another made the hash of a digest, or the password was changed here since.
            let stored = credential.map(|credential| &credential.hash);
            let is_other = stored != existing.password.as_ref();
            (self.count_attempt(app, credential).await?, is_other)
        };
        Ok(Counted {
            account: Some(adopted.account),
            is_counted,
            is_other,
        })
    }

    /// Counts the attempt with the known device or the credential, or with nobody's
    /// if there is none or it has no attempts left: that takes as long. Tells whether
    /// the password may be compared.
    async fn count_attempt(
        &self,
        app: &Application,
        credential: Option<&PasswordCredential>,
    ) -> Result<bool, Error> {
        let cap = app.settings.password_attempts;
        let counted = match (credential, self.known) {
            (Some(_), Some(device)) => app.store.count_device_attempt(&device.digest, cap).await?,
            (Some(credential), None) => app.store.count_attempt(credential.user_id, cap).await?,
            (None, _) => false,
        };
        if counted {
            return Ok(true);
        }
        let row = app.limits.row_of_nobody(self.identifier);
        app.store.count_attempt_of_nobody(row).await?;
        Ok(false)
    }
}

/// Says whose hash cannot be compared with.
fn unreadable(existing: &ExistingUser, error: HashError) -> Error {
    if let HashError::Failed(reason) = &error {
        let id = &existing.external_id;
        tracing::error!(id, reason, "the hash in a row of the existing database");
    }
    error.into()
}
