//! Second factors and recovery codes.

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Tables, insert};
use super::unit_of_work::MemoryUnitOfWork;
use crate::model::{CredentialDigest, Factor, FactorId, FactorKind, Timestamp, UserId};
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

    async fn factor_kinds(&self, user: UserId) -> Result<Vec<Option<FactorKind>>, StoreError> {
        self.read(|tables| kinds(tables, user))
    }

    async fn factor_by_credential(
        &self,
        credential: &CredentialDigest,
    ) -> Result<Option<Factor>, StoreError> {
        let found = self.read(|tables| {
            let id = tables.factor_credentials.get(credential);
            let factor = id.and_then(|id| tables.factors.get(id));
            factor.map(|factor| (factor.clone(), tables.damaged_factors.contains(&factor.id)))
        })?;
        match found {
            Some((_, true)) => Err(StoreError::Corrupt("a factor cannot be read".into())),
            Some((factor, false)) => Ok(Some(factor)),
            None => Ok(None),
        }
    }

    async fn move_factor_forward(&self, factor: FactorId, to: i64) -> Result<bool, StoreError> {
        self.write(|tables| move_forward(tables, factor, to)).await
    }

    async fn recovery_codes_left(&self, user: UserId) -> Result<u32, StoreError> {
        self.read(|tables| {
            let of_user = tables.recovery_codes.iter().filter(|(of, _)| *of == user);
            u32::try_from(of_user.count()).unwrap_or(u32::MAX)
        })
    }
}

fn move_forward(tables: &mut Tables, factor: FactorId, to: i64) -> bool {
    match tables.factors.get_mut(&factor) {
        Some(factor) if factor.last_step < to => {
            factor.last_step = to;
            true
        }
        _ => false,
    }
}

#[async_trait]
impl FactorChanges for MemoryUnitOfWork {
    async fn insert_factor(
        &mut self,
        factor: &Factor,
        credential: Option<&CredentialDigest>,
    ) -> Result<(), StoreError> {
        if !self.tables.users.contains_key(&factor.user_id) {
            return Err(StoreError::Conflict);
        }
        insert(&mut self.tables.factors, factor.id, factor.clone())?;
        let Some(credential) = credential else {
            return Ok(());
        };
        let Tables {
            factors,
            factor_credentials,
            ..
        } = &mut self.tables;
        factor_credentials.retain(|_, id| factors.contains_key(id));
        insert(factor_credentials, *credential, factor.id)
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

    async fn delete_factor_by_credential(
        &mut self,
        user: UserId,
        credential: &CredentialDigest,
    ) -> Result<bool, StoreError> {
        match self.tables.factor_credentials.get(credential).copied() {
            Some(id) => self.delete_factor(user, id).await,
            None => Ok(false),
        }
    }

    async fn delete_factors_since(
        &mut self,
        user: UserId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let factors = &mut self.tables.factors;
        factors.retain(|_, factor| factor.user_id != user || factor.created_at < since);
        Ok(())
    }

    async fn move_factor_forward(&mut self, factor: FactorId, to: i64) -> Result<bool, StoreError> {
        Ok(move_forward(&mut self.tables, factor, to))
    }

    async fn take_recovery_code(
        &mut self,
        user: UserId,
        digest: &[u8; 32],
    ) -> Result<bool, StoreError> {
        Ok(self.tables.recovery_codes.remove(&(user, *digest)))
    }

    async fn factor_kinds_of_user(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Option<FactorKind>>, StoreError> {
        Ok(kinds(&self.tables, user))
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

fn kinds(tables: &Tables, user: UserId) -> Vec<Option<FactorKind>> {
    let of_user = tables.factors.values();
    let of_user = of_user.filter(|factor| factor.user_id == user);
    of_user
        .map(|factor| {
            let is_damaged = tables.damaged_factors.contains(&factor.id);
            (!is_damaged).then_some(factor.kind)
        })
        .collect()
}
