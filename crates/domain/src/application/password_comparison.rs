//! Comparing a password with the one that a user has set.

use futures_util::future::try_join;

use crate::error::{Error, Refusal};
use crate::model::{Device, Password, PasswordCredential, UserId};
use crate::ports::{HashError, HashingPlace, Store, Verdict};

/// The password of somebody who is signed in, which was counted and compared.
pub(crate) struct OwnPassword<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) user_id: UserId,
    /// The device, if it is one of the user's: it counts in place of the account.
    pub(crate) known: Option<&'a Device>,
    /// How many may fail in a row.
    pub(crate) cap: u32,
}

impl OwnPassword<'_> {
    /// Compares it with the one that is set. The attempt is counted while the hash
    /// is computed; one that cannot be counted is not answered.
    ///
    /// # Errors
    /// A wrong password, or none is set, or too many have failed in a row.
    pub(crate) async fn compare(
        &self,
        place: Box<dyn HashingPlace>,
        password: Password,
    ) -> Result<PasswordCredential, Error> {
        let account = self.store.account(self.user_id).await?;
        let account = account.ok_or(Refusal::AccessToken(None))?;
        let credential = account.credential.ok_or(Refusal::Password)?;
        let verify = compare_password(place, password, Some(&credential));
        let count = async {
            Ok(match self.known {
                Some(device) => {
                    let counted = self.store.count_device_attempt(&device.digest, self.cap);
                    counted.await?
                }
                None => self.store.count_attempt(self.user_id, self.cap).await?,
            })
        };
        let (verdict, counted) = try_join(verify, count).await?;
        if verdict.matches && counted {
            Ok(credential)
        } else {
            Err(Refusal::Password.into())
        }
    }
}

/// Compares a password at one cost, whether or not there is a credential. A hash
/// that cannot be read is named in the log.
pub(crate) async fn compare_password(
    place: Box<dyn HashingPlace>,
    password: Password,
    credential: Option<&PasswordCredential>,
) -> Result<Verdict, Error> {
    let hash = credential.map(|credential| credential.hash.clone());
    let verdict = place.verify(password, hash).await;
    if let (Err(HashError::Failed(reason)), Some(credential)) = (&verdict, credential) {
        let user_id = credential.user_id;
        tracing::error!(%user_id, reason, "the hash in a row of credentials cannot be read");
    }
    Ok(verdict?)
}
