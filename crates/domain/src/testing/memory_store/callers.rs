//! The programs that may call.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::insert;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Caller, CallerName};
use crate::ports::{CallerChanges, Callers, StoreError};

#[async_trait]
impl Callers for MemoryStore {
    async fn callers(&self) -> Result<Vec<Caller>, StoreError> {
        self.read(|tables| tables.callers.values().cloned().collect())
    }
}

#[async_trait]
impl CallerChanges for MemoryUnitOfWork {
    async fn insert_caller(&mut self, caller: &Caller) -> Result<(), StoreError> {
        let callers = &mut self.tables.callers;
        insert(callers, caller.name.clone(), caller.clone())
    }

    async fn delete_caller(&mut self, name: &CallerName) -> Result<bool, StoreError> {
        Ok(self.tables.callers.remove(name).is_some())
    }
}
