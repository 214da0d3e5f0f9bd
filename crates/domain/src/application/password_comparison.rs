//! Comparing a password with the one that a user has set.

use crate::application::{Limits, Person};
use crate::error::{Error, Refusal};
use crate::model::{Password, PasswordCredential};
use crate::ports::{HashError, HashingPlace, Store, Verdict};

/// Compares the password of somebody who is signed in with the one that is set, and
/// charges the attempt before. It is not counted with those of strangers: they could
/// keep the owner out of this, too, and who has stolen a session could keep him out
/// of sign-ins.
///
/// # Errors
/// A wrong password, or none is set; too many attempts.
pub(crate) async fn compare_own_password(
    store: &dyn Store,
    limits: &Limits,
    person: &Person,
    place: Box<dyn HashingPlace>,
    password: Password,
) -> Result<PasswordCredential, Error> {
    let account = store.account(person.user.id).await?;
    let account = account.ok_or(Refusal::AccessToken(None))?;
    let credential = account.credential.ok_or(Refusal::Password)?;
    let charge = limits.charge_own_password(person.session.id, &credential);
    let charge = charge.await?;
    let compared = async {
        let verdict = compare_password(place, password, Some(&credential)).await?;
        match verdict.matches {
            true => Ok(()),
            false => Err(Refusal::Password.into()),
        }
    };
    let compared = compared.await;
    limits.refund_unless_refused(charge, compared).await?;
    Ok(credential)
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
