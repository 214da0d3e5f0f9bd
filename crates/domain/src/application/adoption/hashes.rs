//! The hashes of an existing database: what is compared with, and what is stored.

use crate::error::Error;
use crate::model::{ExistingUser, HashFormat, ImportedHash, PasswordHash};
use crate::ports::PasswordHasher;

/// The user with its hash as it can be compared with, or without one that cannot: its
/// owner sets a password by the address.
pub(super) fn readable(
    hasher: &dyn PasswordHasher,
    format: HashFormat,
    mut user: ExistingUser,
) -> ExistingUser {
    let Some(hash) = &user.password else {
        return user;
    };
    user.password = match hasher.import(format, hash.expose()) {
        Ok(imported) => Some(imported.hash),
        Err(rule) => {
            let id = &user.external_id;
            tracing::warn!(id, rule, "a hash of the existing database is left out");
            None
        }
    };
    user
}

/// The hash that is stored of a user whose hash can be compared with: a mere digest
/// never is.
pub(super) async fn stored(
    hasher: &dyn PasswordHasher,
    existing: &ExistingUser,
) -> Result<Option<PasswordHash>, Error> {
    let Some(hash) = &existing.password else {
        return Ok(None);
    };
    match hasher.import(HashFormat::Auto, hash.expose()) {
        Ok(imported) => Ok(Some(storable(hasher, imported).await?)),
        Err(_) => Ok(Some(hash.clone())),
    }
}

/// What is stored of a hash of another system: the hash as it is, or that of a mere
/// digest, which costs as much as any new one.
///
/// # Errors
/// Too many hashes.
pub(crate) async fn storable(
    hasher: &dyn PasswordHasher,
    imported: ImportedHash,
) -> Result<PasswordHash, Error> {
    match imported.is_digest {
        true => Ok(hasher.admit()?.wrap(imported).await?),
        false => Ok(imported.hash),
    }
}
