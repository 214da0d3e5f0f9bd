//! The groups.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Group, GroupId, PageSize};

/// All groups, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllGroups {
    /// Those that can be read.
    pub readable: Vec<Group>,
    /// The ids of those that cannot: they are groups all the same.
    pub unreadable: Vec<String>,
}

/// Reads groups.
#[async_trait]
pub trait Groups {
    /// All groups. A row that cannot be read is left out and told of, here and in
    /// the log.
    async fn groups(&self) -> Result<AllGroups, StoreError>;

    /// A group.
    async fn group(&self, id: &GroupId) -> Result<Option<Group>, StoreError>;

    /// Whether there is a group of this id, readable or not.
    async fn has_group(&self, id: &GroupId) -> Result<bool, StoreError>;

    /// A page of groups in the order of their ids, after the id `after`. A row that
    /// cannot be read is left out, and named in the log.
    async fn groups_after(
        &self,
        after: Option<&str>,
        size: PageSize,
    ) -> Result<GroupPage, StoreError>;

    /// The groups that users are in and that are not there, made by nobody.
    async fn groups_of_users(&self) -> Result<Vec<GroupId>, StoreError>;
}

/// A part of the list of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPage {
    /// Those that can be read.
    pub groups: Vec<Group>,
    /// After which id the next page begins. `None` after the last one.
    pub next: Option<String>,
}

/// Changes groups.
#[async_trait]
pub trait GroupChanges {
    /// Adds a group; [`StoreError::Taken`] if there is one of its id.
    async fn insert_group(&mut self, group: &Group) -> Result<(), StoreError>;

    /// Reads a group, and keeps others from changing it, and users from coming into
    /// it, until the unit of work ends.
    async fn lock_group(&mut self, id: &GroupId) -> Result<Option<Group>, StoreError>;

    /// Keeps a group from being deleted until the unit of work ends; tells whether
    /// it is there. Any number can do so at once.
    async fn hold_group(&mut self, id: &GroupId) -> Result<bool, StoreError>;

    /// Writes what has changed of a group that is locked.
    async fn update_group(&mut self, group: &Group) -> Result<(), StoreError>;

    /// Whether a user is in the group. To be relied on if the group is locked.
    async fn has_users(&mut self, id: &GroupId) -> Result<bool, StoreError>;

    /// Deletes a group; tells whether it was there.
    async fn delete_group(&mut self, id: &GroupId) -> Result<bool, StoreError>;
}
