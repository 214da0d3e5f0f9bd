//! Users and their identifiers.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Address, ExternalId, GroupId, Identifier, PageSize, PasswordCredential, Timestamp, User,
    UserCursor, UserId, UserQuery,
};

/// A user and its password, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// Its password.
    pub credential: Option<PasswordCredential>,
}

/// A user, and what it signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// Its identifiers, sorted.
    pub identifiers: Vec<Identifier>,
}

/// A page of a list of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users.
    pub users: Vec<ListedUser>,
    /// Where the next page starts, if there is one.
    pub next: Option<UserCursor>,
}

/// Users whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueUsers {
    /// Whose suspension ended then or before.
    SuspendedUntil(Timestamp),
    /// Who withdrew then or before, and are not erased.
    WithdrawnAt(Timestamp),
}

/// Reads users.
#[async_trait]
pub trait Users {
    /// A user.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// A user and its password.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The user who holds an identifier, and its password.
    async fn account_by_identifier(
        &self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError>;

    /// The user with an id from another system.
    async fn user_by_external_id(
        &self,
        group: &GroupId,
        id: &ExternalId,
    ) -> Result<Option<User>, StoreError>;

    /// A user with its identifiers. One that cannot be read is left out, and named in
    /// the log.
    async fn listed_user(&self, id: UserId) -> Result<Option<ListedUser>, StoreError>;

    /// A page of the users that a query fits, after a cursor of the same query. Users and
    /// identifiers that cannot be read are left out, and named in the log.
    async fn list_users(
        &self,
        query: &UserQuery,
        size: PageSize,
        after: Option<&UserCursor>,
    ) -> Result<UserPage, StoreError>;

    /// The ids of at most `limit` users whose time has come, in the order of the ids,
    /// after one of them.
    async fn due_users(
        &self,
        due: DueUsers,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, StoreError>;

    /// The addresses of a user. All of them are verified: an address that was
    /// not proved is nobody's.
    async fn addresses(&self, id: UserId) -> Result<Vec<Address>, StoreError>;
}

/// Changes users.
#[async_trait]
pub trait UserChanges {
    /// A user, which nobody else changes until the end of this unit of work.
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user who holds an identifier, locked likewise.
    async fn lock_user_by_identifier(
        &mut self,
        group: &GroupId,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError>;

    /// Adds a user; [`StoreError::Taken`] if its id, or its external id in the group,
    /// is there already.
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// Writes state, external id, profile, roles, scopes, revision and time of change
    /// of a user, who is locked; the rest stays as it is. [`StoreError::Taken`] if the
    /// external id is another's in the group.
    async fn update_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// Deletes a user with all that is its own.
    async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError>;

    /// Gives a user an identifier; [`StoreError::Taken`] if it is held in
    /// the group already.
    async fn insert_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<(), StoreError>;

    /// The addresses of a user, as [`Users::addresses`] has them, and as this unit of
    /// work has left them. To be relied on if the user is locked.
    async fn addresses_of(&mut self, id: UserId) -> Result<Vec<Address>, StoreError>;

    /// The identifiers of a user, sorted, as this unit of work has left them. One that
    /// cannot be read is left out.
    async fn identifiers_of(&mut self, id: UserId) -> Result<Vec<Identifier>, StoreError>;

    /// Takes an identifier from a user; tells whether it was the user's.
    async fn delete_identifier(
        &mut self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<bool, StoreError>;
}
