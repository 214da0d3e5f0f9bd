//! Second factors and recovery codes.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::insert;
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{Factor, FactorId, UserId};
use crate::ports::{FactorChanges, Factors, StoreError};

impl MemoryStore {
    /// From now on a factor cannot be read.
    pub fn damage_factor(&self, id: FactorId) {
        let mut tables = self
            .tables
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        tables.damaged_factors.insert(id);
    }
}

#[async_trait]
impl Factors for MemoryStore {
    async fn factors(&self, user: UserId) -> Result<Vec<Result<Factor, StoreError>>, StoreError> {
        self.read(|tables| {
            let of_user = tables
                .factors
                .values()
                .filter(|factor| factor.user_id == user);
            let mut of_user: Vec<_> = of_user.collect();
            of_user.sort_by_key(|factor| (factor.created_at, factor.id));
            of_user
                .into_iter()
                .map(|factor| match tables.damaged_factors.contains(&factor.id) {
                    true => Err(StoreError::Corrupt("a factor cannot be read".into())),
                    false => Ok(factor.clone()),
                })
                .collect()
        })
    }

    async fn has_factors(&self, user: UserId) -> Result<bool, StoreError> {
        self.read(|tables| tables.factors.values().any(|factor| factor.user_id == user))
    }

    async fn take_totp_step(&self, factor: FactorId, step: i64) -> Result<bool, StoreError> {
        self.write(|tables| match tables.factors.get_mut(&factor) {
            Some(factor) if factor.last_step < step => {
                factor.last_step = step;
                true
            }
            _ => false,
        })
        .await
    }

    async fn recovery_codes_left(&self, user: UserId) -> Result<u32, StoreError> {
        self.read(|tables| {
            let of_user = tables.recovery_codes.iter().filter(|(of, _)| *of == user);
            u32::try_from(of_user.count()).unwrap_or(u32::MAX)
        })
    }

    async fn take_recovery_code(
        &self,
        user: UserId,
        digest: &[u8; 32],
    ) -> Result<bool, StoreError> {
        self.write(|tables| tables.recovery_codes.remove(&(user, *digest)))
            .await
    }
}

#[async_trait]
impl FactorChanges for MemoryUnitOfWork {
    async fn insert_factor(&mut self, factor: &Factor) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&factor.user_id) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.tables.factors, factor.id, factor.clone())
    }

    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError> {
        let factors = &mut self.tables.factors;
        let is_theirs = factors
            .get(&id)
            .is_some_and(|factor| factor.user_id == user);
        if is_theirs {
            factors.remove(&id);
        }
        Ok(is_theirs)
    }

    async fn count_factors(&mut self, user: UserId) -> Result<u32, StoreError> {
        let factors = self.tables.factors.values();
        let count = factors.filter(|factor| factor.user_id == user).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    async fn put_recovery_codes(
        &mut self,
        user: UserId,
        digests: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&user) {
            return Err(StoreError::Conflict);
        }
        let codes = &mut self.tables.recovery_codes;
        codes.retain(|(of, _)| *of != user);
        codes.extend(digests.iter().map(|digest| (user, *digest)));
        Ok(())
    }
}
