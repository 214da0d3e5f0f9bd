//! Changes of addresses that can be undone.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, delete_over};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{HeldDigest, IdentifierUndo, Timestamp, UndoDigest, UserId};
use crate::ports::{IdentifierUndoChanges, IdentifierUndos, Retention, StoreError};

impl Tables {
    pub(super) fn delete_expired_undos(&mut self, retention: Retention, limit: usize) -> usize {
        delete_over(&mut self.identifier_undos, limit, |(_, undo)| {
            undo.expires_at < retention.now
        })
    }
}

impl MemoryStore {
    /// Damages all changes that can be undone, as a failing disk would.
    pub async fn damage_undos(&self) {
        let damage = |tables: &mut Tables| {
            for (_, undo) in tables.identifier_undos.values_mut() {
                undo.sealed[20] ^= 1;
            }
        };
        self.write(damage).await.ok();
    }
}

#[async_trait]
impl IdentifierUndos for MemoryStore {
    async fn identifier_undo(
        &self,
        digest: &UndoDigest,
    ) -> Result<Option<IdentifierUndo>, StoreError> {
        self.read(|tables| {
            let found = tables.identifier_undos.get(digest);
            found.map(|(_, undo)| undo.clone())
        })
    }

    async fn identifier_undos(
        &self,
        user: UserId,
    ) -> Result<Vec<Result<IdentifierUndo, StoreError>>, StoreError> {
        self.read(|tables| {
            let undos = tables.identifier_undos.values();
            let mut of_user: Vec<_> = undos.filter(|(_, undo)| undo.user_id == user).collect();
            of_user.sort_by_key(|(number, _)| *number);
            let of_user = of_user.into_iter().map(|(_, undo)| Ok(undo.clone()));
            of_user.collect()
        })
    }
}

#[async_trait]
impl IdentifierUndoChanges for MemoryUnitOfWork {
    async fn insert_identifier_undo(&mut self, undo: &IdentifierUndo) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&undo.user_id) {
            return Err(StoreError::Conflict);
        }
        let undos = &mut self.tables.identifier_undos;
        let of_user = undos.values().filter(|(_, u)| u.user_id == undo.user_id);
        let newest = of_user.map(|(number, _)| *number).max();
        let number = newest.map_or(0, |newest| newest + 1);
        undos.insert(undo.digest, (number, undo.clone()));
        Ok(())
    }

    async fn last_undo_expiry(&mut self, user: UserId) -> Result<Option<Timestamp>, StoreError> {
        let undos = self.tables.identifier_undos.values();
        let of_user = undos.filter(|(_, undo)| undo.user_id == user);
        Ok(of_user.map(|(_, undo)| undo.expires_at).max())
    }

    async fn take_identifier_undo(
        &mut self,
        digest: &UndoDigest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let undos = &mut self.tables.identifier_undos;
        let Some((first, taken)) = undos.get(digest).cloned() else {
            return Ok(false);
        };
        if taken.expires_at <= now {
            return Ok(false);
        }
        undos.retain(|_, (number, undo)| undo.user_id != taken.user_id || *number < first);
        Ok(true)
    }

    async fn is_identifier_held(
        &mut self,
        held: &HeldDigest,
        besides: UserId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut undos = self.tables.identifier_undos.values();
        Ok(undos.any(|(_, undo)| {
            undo.held == Some(*held) && undo.user_id != besides && now < undo.expires_at
        }))
    }
}
