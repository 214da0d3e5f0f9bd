//! Many users at once, as an import reads and writes them: in one statement where one
//! can hold them, and in few otherwise.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    ExternalId, GroupId, HeldDigest, Identifier, PasswordCredential, Timestamp, Tombstone,
    TombstoneDigest, User, UserId,
};

/// A user who is added with all that it begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The user.
    pub user: User,
    /// What it signs in with.
    pub identifiers: Vec<Identifier>,
    /// Its password, if it has one. `credential_version` of the user is written as it is.
    pub credential: Option<PasswordCredential>,
}

/// Reads many users at once.
#[async_trait]
pub trait ManyUsers {
    /// The users of a group with these ids from another system, as far as they are there.
    async fn users_by_external_ids(
        &self,
        group: &GroupId,
        ids: &[&ExternalId],
    ) -> Result<HashMap<ExternalId, UserId>, StoreError>;

    /// Those of the identifiers that are held in a group.
    async fn held_identifiers(
        &self,
        group: &GroupId,
        identifiers: &[&Identifier],
    ) -> Result<HashSet<Identifier>, StoreError>;
}

/// Changes many users at once.
#[async_trait]
pub trait ManyUserChanges {
    /// Adds users; [`StoreError::Taken`] if an id, an external id or an identifier of one
    /// of them is there already: then only dropping the unit of work is sensible.
    async fn insert_accounts(&mut self, accounts: &[NewAccount]) -> Result<(), StoreError>;

    /// Those of the addresses that are held at `now`, for whomever.
    async fn held_addresses(
        &mut self,
        held: &[HeldDigest],
        now: Timestamp,
    ) -> Result<Vec<HeldDigest>, StoreError>;

    /// The tombstones with these digests that have not expired.
    async fn tombstones(
        &mut self,
        digests: &[TombstoneDigest],
        now: Timestamp,
    ) -> Result<Vec<Tombstone>, StoreError>;
}
