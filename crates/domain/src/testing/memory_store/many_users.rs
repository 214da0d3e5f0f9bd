//! Many users at once.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;

use super::MemoryStore;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{
    ExternalId, GroupId, HeldDigest, Identifier, Timestamp, Tombstone, TombstoneDigest, UserId,
};
use crate::ports::{
    ManyUserChanges, ManyUsers, NewAccount, StoreError, TombstoneChanges as _, UserChanges as _,
};

#[async_trait]
impl ManyUsers for MemoryStore {
    async fn users_by_external_ids(
        &self,
        group: &GroupId,
        ids: &[&ExternalId],
    ) -> Result<HashMap<ExternalId, UserId>, StoreError> {
        let wanted: HashSet<_> = ids.iter().copied().collect();
        self.read(|tables| {
            let users = tables.users.values().filter(|user| user.group == *group);
            let known = users.filter_map(|user| Some((user.external_id.clone()?, user.id)));
            known.filter(|(id, _)| wanted.contains(id)).collect()
        })
    }

    async fn held_identifiers(
        &self,
        group: &GroupId,
        identifiers: &[&Identifier],
    ) -> Result<HashSet<Identifier>, StoreError> {
        self.read(|tables| {
            let is_held = |identifier: &&&Identifier| {
                let key = (group.clone(), (**identifier).clone());
                tables.identifiers.contains_key(&key)
            };
            let held = identifiers.iter().filter(is_held);
            held.map(|identifier| (*identifier).clone()).collect()
        })
    }
}

#[async_trait]
impl ManyUserChanges for MemoryUnitOfWork {
    async fn insert_accounts(&mut self, accounts: &[NewAccount]) -> Result<(), StoreError> {
        for account in accounts {
            let user = &account.user;
            self.insert_user(user).await?;
            for identifier in &account.identifiers {
                self.insert_identifier(user, identifier).await?;
            }
            if let Some(credential) = &account.credential {
                let credentials = &mut self.tables.credentials;
                credentials.insert(user.id, credential.clone());
            }
        }
        Ok(())
    }

    async fn held_addresses(
        &mut self,
        held: &[HeldDigest],
        now: Timestamp,
    ) -> Result<Vec<HeldDigest>, StoreError> {
        let undos = self.tables.identifier_undos.values();
        let open = undos.filter(|(_, undo)| now < undo.expires_at);
        let found = open.filter_map(|(_, undo)| undo.held);
        Ok(found.filter(|digest| held.contains(digest)).collect())
    }

    async fn tombstones(
        &mut self,
        digests: &[TombstoneDigest],
        now: Timestamp,
    ) -> Result<Vec<Tombstone>, StoreError> {
        let mut found = Vec::new();
        for digest in digests {
            found.extend(self.tombstone(digest, now).await?);
        }
        Ok(found)
    }
}
