//! A unit of work: one transaction, not older than its readers allow for.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::ports::{LONGEST_UNIT_OF_WORK, StoreError, UnitOfWork};
use tokio::sync::Mutex;

use super::connection::{ConnectionPool, Db, Lease};
use super::dialect::Dialect;
use super::error::{store_error, unavailable};
use super::monotonic;

/// A transaction that is rolled back when it is dropped.
pub(super) struct SqlUnitOfWork {
    connection: Mutex<Lease>,
    dialect: &'static Dialect,
    /// On the monotonic clock, before any row was stamped.
    begun_at: Duration,
    /// How long a commit may take.
    patience: Duration,
    /// How old it may become.
    longest: Duration,
}

impl SqlUnitOfWork {
    /// Begins a transaction.
    pub(super) async fn begin(
        pool: &ConnectionPool,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let mut connection = pool.get().await.map_err(store_error)?;
        let begun_at = monotonic::now();
        connection.begin().await.map_err(store_error)?;
        Ok(Self {
            connection: Mutex::new(connection),
            dialect: pool.dialect(),
            begun_at,
            patience,
            longest: LONGEST_UNIT_OF_WORK,
        })
    }

    /// Where its statements run.
    pub(super) fn db(&self) -> Db<'_> {
        Db::transaction(&self.connection, self.dialect)
    }
}

#[async_trait]
impl UnitOfWork for SqlUnitOfWork {
    /// A process may be stopped at any point: the age is looked at before the
    /// commit, so that it can be readable in time, and after it, so that what
    /// was late is not answered as made.
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let too_old = || unavailable("the unit of work took too long");
        if monotonic::since(self.begun_at) + self.patience > self.longest {
            return Err(too_old());
        }
        let committed = self.connection.lock().await.commit().await;
        committed.map_err(store_error)?;
        if monotonic::since(self.begun_at) > self.longest {
            return Err(too_old());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::model::{GroupId, Timestamp, User, UserId};
    use countersign_domain::ports::{UserChanges as _, Users as _};

    use super::*;
    use crate::database::{Database, DatabaseSettings};

    async fn open() -> Database {
        let settings = DatabaseSettings::new("sqlite::memory:");
        let store = Database::connect(&settings).await.expect("a database");
        store.migrate().await.expect("migrated");
        store
    }

    async fn unit(store: &Database, user: &User) -> SqlUnitOfWork {
        let begun = SqlUnitOfWork::begin(&store.pools.writer, Duration::from_secs(1)).await;
        let mut unit = begun.expect("a unit of work");
        unit.insert_user(user).await.expect("a new user");
        unit
    }

    fn user() -> User {
        let now = Timestamp::from_seconds(1_790_000_000);
        User::active(UserId::from_bytes([7; 16]), GroupId::fallback(), now)
    }

    #[tokio::test]
    async fn a_unit_of_work_that_is_too_old_is_rolled_back() {
        let store = open().await;
        let user = user();
        let mut unit = unit(&store, &user).await;
        // A second less than a commit may take.
        unit.longest = Duration::from_millis(500);
        let committed = Box::new(unit).commit().await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))));
        assert_eq!(store.user(user.id).await.expect("readable"), None);
    }

    #[tokio::test]
    async fn a_unit_of_work_of_which_a_statement_failed_is_not_committed() {
        let store = open().await;
        let user = user();
        let mut unit = unit(&store, &user).await;
        let again = unit.insert_user(&user).await;
        assert!(matches!(again, Err(StoreError::Taken)));
        let committed = Box::new(unit).commit().await;
        assert!(matches!(committed, Err(StoreError::Unavailable(_))));
        assert_eq!(store.user(user.id).await.expect("readable"), None);
    }
}
