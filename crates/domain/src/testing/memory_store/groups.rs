//! The groups.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Group, GroupId, PageSize};
use crate::ports::{AllGroups, GroupChanges, GroupPage, Groups, StoreError};

impl MemoryStore {
    /// From now on a group is there and cannot be read, or can be again.
    pub fn damage_group(&self, id: &GroupId, damage: bool) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        match damage {
            true => tables.damaged_groups.insert(id.clone()),
            false => tables.damaged_groups.remove(id),
        };
    }
}

impl Tables {
    fn group(&self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        match self.damaged_groups.contains(id) {
            true => Err(StoreError::Corrupt("groups.policy".into())),
            false => Ok(self.groups.get(id).cloned()),
        }
    }
}

#[async_trait]
impl Groups for MemoryStore {
    async fn groups(&self) -> Result<AllGroups, StoreError> {
        self.read(|tables| {
            let mut all = AllGroups::default();
            for (id, group) in &tables.groups {
                match tables.damaged_groups.contains(id) {
                    true => all.unreadable.push(id.as_str().to_owned()),
                    false => all.readable.push(group.clone()),
                }
            }
            all
        })
    }

    async fn group(&self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        self.read(|tables| tables.group(id))?
    }

    async fn has_group(&self, id: &GroupId) -> Result<bool, StoreError> {
        self.read(|tables| tables.groups.contains_key(id))
    }

    async fn groups_after(
        &self,
        after: Option<&str>,
        size: PageSize,
    ) -> Result<GroupPage, StoreError> {
        self.read(|tables| {
            let size = size.get() as usize;
            let is_after = |id: &GroupId| after.is_none_or(|after| id.as_str() > after);
            let ids = tables.groups.keys().filter(|id| is_after(id));
            let mut ids: Vec<_> = ids.take(size + 1).collect();
            let has_more = ids.len() > size;
            ids.truncate(size);
            let last = ids.last().map(|id| id.as_str().to_owned());
            let readable = ids.into_iter().filter_map(|id| tables.group(id).ok());
            GroupPage {
                groups: readable.flatten().collect(),
                next: last.filter(|_| has_more),
            }
        })
    }

    async fn groups_of_users(&self) -> Result<Vec<GroupId>, StoreError> {
        self.read(|tables| {
            let groups: BTreeSet<_> = tables.users.values().map(|user| &user.group).collect();
            let missing = groups.into_iter();
            let missing = missing.filter(|id| !tables.groups.contains_key(*id));
            missing.cloned().collect()
        })
    }
}

#[async_trait]
impl GroupChanges for MemoryUnitOfWork {
    async fn insert_group(&mut self, group: &Group) -> Result<(), StoreError> {
        insert(&mut self.tables.groups, group.id.clone(), group.clone())
    }

    async fn lock_group(&mut self, id: &GroupId) -> Result<Option<Group>, StoreError> {
        self.tables.group(id)
    }

    async fn hold_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        Ok(self.tables.groups.contains_key(id))
    }

    async fn update_group(&mut self, group: &Group) -> Result<(), StoreError> {
        let known = self.tables.groups.get_mut(&group.id);
        let known = known.ok_or(StoreError::Conflict)?;
        known.display_name.clone_from(&group.display_name);
        known.policy = group.policy.clone();
        known.revision = group.revision;
        known.updated_at = group.updated_at;
        Ok(())
    }

    async fn has_users(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        Ok(self.tables.users.values().any(|user| user.group == *id))
    }

    async fn delete_group(&mut self, id: &GroupId) -> Result<bool, StoreError> {
        Ok(self.tables.groups.remove(id).is_some())
    }
}
