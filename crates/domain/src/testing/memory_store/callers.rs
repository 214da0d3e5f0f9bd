//! The programs that may call.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::insert;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Caller, CallerKey, CallerName, KeyHash, KeyUse, SubjectAltName};
use crate::ports::{AllCallers, CallerChanges, Callers, StoreError};

#[async_trait]
impl Callers for MemoryStore {
    async fn callers(&self) -> Result<AllCallers, StoreError> {
        self.read(|tables| AllCallers::from(tables.callers.values().cloned().collect::<Vec<_>>()))
    }

    async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.write(|tables| {
            for used in uses {
                let caller = tables.callers.get_mut(&used.caller);
                let mut keys = caller.into_iter().flat_map(|caller| &mut caller.keys);
                if let Some(key) = keys.find(|key| key.hash == used.hash) {
                    key.last_used_at = key.last_used_at.max(Some(used.at));
                }
            }
        })
        .await
    }
}

#[async_trait]
impl CallerChanges for MemoryUnitOfWork {
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        let callers = &mut self.tables.callers;
        let mut sans = callers.values().flat_map(|known| &known.sans);
        if sans.any(|san| caller.sans.contains(san)) {
            return Err(StoreError::Taken);
        }
        insert(callers, caller.name.clone(), caller.clone())
    }

    async fn lock_caller(&mut self, name: &CallerName) -> Result<Option<Caller>, StoreError> {
        Ok(self.tables.callers.get(name).cloned())
    }

    async fn insert_caller_key(
        &mut self,
        name: &CallerName,
        key: &CallerKey,
    ) -> Result<(), StoreError> {
        let caller = self.tables.callers.get_mut(name);
        let caller = caller.ok_or(StoreError::Conflict)?;
        caller.keys.push(key.clone());
        Ok(())
    }

    async fn delete_caller_key(
        &mut self,
        name: &CallerName,
        hash: &KeyHash,
    ) -> Result<bool, StoreError> {
        let Some(caller) = self.tables.callers.get_mut(name) else {
            return Ok(false);
        };
        let before = caller.keys.len();
        caller.keys.retain(|key| key.hash != *hash);
        Ok(caller.keys.len() < before)
    }

    async fn insert_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<(), StoreError> {
        let callers = &mut self.tables.callers;
        if callers.values().any(|known| known.sans.contains(san)) {
            return Err(StoreError::Taken);
        }
        let caller = callers.get_mut(name).ok_or(StoreError::Conflict)?;
        caller.sans.push(san.clone());
        caller.sans.sort();
        Ok(())
    }

    async fn delete_caller_san(
        &mut self,
        name: &CallerName,
        san: &SubjectAltName,
    ) -> Result<bool, StoreError> {
        let Some(caller) = self.tables.callers.get_mut(name) else {
            return Ok(false);
        };
        let before = caller.sans.len();
        caller.sans.retain(|known| known != san);
        Ok(caller.sans.len() < before)
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        Ok(self.tables.callers.remove(name).is_some())
    }
}
