//! Comparing a password with the one that a user has set.

use crate::error::Error;
use crate::model::{Password, PasswordCredential};
use crate::ports::{HashError, HashingPlace, Verdict};

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
