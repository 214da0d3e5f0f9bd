//! Passwords, and how often they were missed in a row.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{PasswordCredential, PasswordHash, Timestamp, UserId};

/// Counts attempts at passwords. They are read with their users:
/// [`Users::account`](super::Users::account).
#[async_trait]
pub trait Credentials {
    /// Counts an attempt at a password before it is compared, unless `cap`
    /// attempts have failed in a row. Tells whether it was counted: if not, the
    /// password must not be compared.
    async fn count_attempt(&self, user: UserId, cap: u32) -> Result<bool, StoreError>;

    /// Counts an attempt that was not counted for any user, in one of 256 rows:
    /// it costs as much as one that was.
    async fn count_attempt_of_nobody(&self, row: u8) -> Result<(), StoreError>;
}

/// Changes passwords.
#[async_trait]
pub trait CredentialChanges {
    /// The password of a user, locked.
    async fn lock_credential(
        &mut self,
        user: UserId,
    ) -> Result<Option<PasswordCredential>, StoreError>;

    /// Sets the password of a user, in place of an earlier one, and raises the
    /// user's [`credential_version`](crate::model::User::credential_version):
    /// what was proved before is worth nothing any more.
    async fn put_credential(&mut self, credential: &PasswordCredential) -> Result<(), StoreError>;

    /// Raises the user's
    /// [`credential_version`](crate::model::User::credential_version) alone, which
    /// has the same effect. The user must be there.
    async fn raise_credential_version(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Takes the password from a user, if there is one. It raises no version.
    async fn delete_credential(&mut self, user: UserId) -> Result<(), StoreError>;

    /// After a good attempt: no failures in a row any more and, if `rehashed`
    /// is given, the same password under today's parameters.
    async fn clear_failures(
        &mut self,
        user: UserId,
        rehashed: Option<&PasswordHash>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
