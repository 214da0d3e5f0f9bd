//! Adding a program that may call the service.

use crate::error::Error;
use crate::model::{ApiKey, Caller, CallerName, Role};
use crate::ports::{Clock, Random, Store, StoreError};

/// An operator adds a caller.
#[derive(Debug)]
pub struct CreateCaller {
    /// Its name.
    pub name: CallerName,
    /// What it may do.
    pub roles: Vec<Role>,
}

impl CreateCaller {
    /// Adds the caller and returns its key, of which only a hash is kept.
    ///
    /// # Errors
    /// A name that is taken.
    pub async fn execute(
        self,
        store: &dyn Store,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<ApiKey, Error> {
        let key = ApiKey::generate(random);
        let caller = Caller {
            name: self.name,
            roles: self.roles,
            key_hash: ApiKey::hash_of(key.expose()),
            created_at: clock.now(),
        };
        let mut uow = store.begin().await?;
        let taken = |error| match error {
            StoreError::Taken => Error::invalid("name", "must not be the name of another caller"),
            other => other.into(),
        };
        uow.insert_caller(&caller).await.map_err(taken)?;
        uow.commit().await.map_err(taken)?;
        Ok(key)
    }
}
