//! Second factors and recovery codes.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{CredentialDigest, Factor, FactorId, FactorKind, Timestamp, UserId};

/// Reads second factors, and takes what is good once.
#[async_trait]
pub trait Factors {
    /// The factors of a user, oldest first. One that cannot be read is an error
    /// in its place, [`StoreError::Corrupt`], and named in the log: it spoils no
    /// other.
    async fn factors(&self, user: UserId) -> Result<Vec<Result<Factor, StoreError>>, StoreError>;

    /// What the factors of a user are, in no order; `None` for one of which that
    /// cannot be read.
    async fn factor_kinds(&self, user: UserId) -> Result<Vec<Option<FactorKind>>, StoreError>;

    /// The factor with this credential, whoever's it is.
    async fn factor_by_credential(
        &self,
        credential: &CredentialDigest,
    ) -> Result<Option<Factor>, StoreError>;

    /// Moves a factor forward to a count, as [`FactorChanges::move_factor_forward`]
    /// does, by itself.
    async fn move_factor_forward(&self, factor: FactorId, to: i64) -> Result<bool, StoreError>;

    /// How many recovery codes a user has left.
    async fn recovery_codes_left(&self, user: UserId) -> Result<u32, StoreError>;
}

/// Changes second factors. Who changes those of a user has locked the user.
#[async_trait]
pub trait FactorChanges {
    /// Adds a factor, with the credential that it is found by if it is a passkey.
    /// Its user must be there; [`StoreError::Taken`] if its id
    /// or its credential is.
    async fn insert_factor(
        &mut self,
        factor: &Factor,
        credential: Option<&CredentialDigest>,
    ) -> Result<(), StoreError>;

    /// Deletes a factor of a user, readable or not; tells whether it was there.
    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError>;

    /// Deletes the factor of a user with this credential, readable or not; tells
    /// whether it was there.
    async fn delete_factor_by_credential(
        &mut self,
        user: UserId,
        credential: &CredentialDigest,
    ) -> Result<bool, StoreError>;

    /// Deletes the factors of a user that were enrolled at this time or later,
    /// readable or not.
    async fn delete_factors_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError>;

    /// Moves a factor forward to a time step or a count, which takes it and all
    /// earlier ones: of many who ask for it at once, one is told yes.
    async fn move_factor_forward(&mut self, factor: FactorId, to: i64) -> Result<bool, StoreError>;

    /// Takes a recovery code, which is gone with this: of many who ask for it at
    /// once, one is told yes.
    async fn take_recovery_code(
        &mut self,
        user: UserId,
        digest: &[u8; 32],
    ) -> Result<bool, StoreError>;

    /// What the factors of a user are, as [`Factors::factor_kinds`] has them, and as this unit of
    /// work has left them.
    async fn factor_kinds_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Option<FactorKind>>, StoreError>;

    /// How many factors a user has, readable or not.
    async fn count_factors(&mut self, user: UserId) -> Result<u32, StoreError>;

    /// Puts recovery codes in the place of all that the user, who must be there,
    /// has. With none, the user has none.
    async fn put_recovery_codes(
        &mut self,
        user: UserId,
        digests: &[[u8; 32]],
    ) -> Result<(), StoreError>;
}
