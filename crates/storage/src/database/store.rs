//! The store as a whole: opening and closing it, its tables, and what belongs to
//! no single one.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::model::Timestamp;
use countersign_domain::ports::{Retention, Store, StoreError, UnitOfWork};
use sea_orm::{ConnectionTrait as _, Statement};

use super::cleaning;
use super::connection::{PoolReading, Pools};
use super::damaged_rows::DamagedRows;
use super::error::{store_error, unavailable};
use super::group_commit::{MessageBatches, RotationBatches, SessionBatches};
use super::handle::Database;
use super::migrations;
use super::settings::{ConnectError, DatabaseSettings};
use super::tables::heartbeat;
use super::tables::outbox::count_unreadable;
use super::unit_of_work::SqlUnitOfWork;

/// How much longer than for a connection and a statement the answer from a batch
/// is waited for.
const GRACE: Duration = Duration::from_millis(500);
/// For how long after a failure a ping of SQLite writes for good.
const WARY_FOR: Duration = Duration::from_secs(60);

impl Database {
    /// Opens the database of the settings. Its work goes on in the runtime in
    /// which it was opened.
    ///
    /// # Errors
    /// If the URL cannot be read, or the database does not answer.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, ConnectError> {
        let pools = Pools::open(settings).await?;
        count_unreadable(0);
        let session_reads = SessionBatches {
            pool: pools.reader.clone(),
            pinned: pools.pinned_reader.clone(),
        };
        let rotations = RotationBatches {
            pool: pools.writer.clone(),
            pinned: pools.pinned_rotator.clone(),
            patience: pools.patience,
        };
        let messages = MessageBatches {
            pool: pools.writer.clone(),
            pinned: pools.pinned_outbox.clone(),
        };
        let patience = settings.acquire_timeout + pools.patience + GRACE;
        Ok(Self {
            pools,
            session_reads: session_reads.start(patience),
            rotations: rotations.start(patience),
            messages: messages.start(patience),
            damaged: DamagedRows::new(),
        })
    }

    /// Brings the tables up to date. Of several servers that start at once, one
    /// does it and the others wait.
    ///
    /// # Errors
    /// If the database fails, or its tables are too new for this release.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrations::migrate(&self.pools.writer).await
    }

    /// The migrations that have not been run yet.
    ///
    /// # Errors
    /// If the database fails, or its tables are too new for this release.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        migrations::pending(&self.pools.reader).await
    }

    /// Reads each pool of connections: one for all that is read and written, or
    /// one for each. The connections that PostgreSQL's batches have for themselves
    /// are in none.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolReading> {
        self.pools.readings()
    }

    /// Closes all connections, after the calls in progress.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    /// Whether SQLite takes writes: whether the file can be locked and, after a
    /// failure, whether a change gets to the disk. Otherwise nothing is written,
    /// so that an idle service leaves the disk alone.
    async fn ping_file(&self) -> Result<(), StoreError> {
        if self.pools.lost.within(WARY_FOR) {
            return heartbeat::beat(&self.writer()).await;
        }
        let unit = SqlUnitOfWork::begin(&self.pools.writer, self.pools.patience).await?;
        drop(unit);
        Ok(())
    }
}

#[async_trait]
impl Store for Database {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let unit = SqlUnitOfWork::begin(&self.pools.writer, self.pools.patience).await?;
        Ok(Box::new(unit))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let db = self.reader();
        let dialect = db.dialect();
        let sql = format!("SELECT {}", dialect.now_millis);
        let select = Statement::from_string(dialect.backend, sql);
        let row = db.statement("now").query_one_raw(select).await;
        let row = row.map_err(store_error)?;
        let row = row.ok_or_else(|| unavailable("it did not tell its time"))?;
        let millis = row.try_get_by_index(0).map_err(store_error)?;
        Ok(Timestamp::from_millis(millis))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.pools.dialect().is_remote {
            heartbeat::beat(&self.writer()).await
        } else {
            self.ping_file().await
        }
    }

    async fn delete_expired(&self, retention: Retention, limit: u32) -> Result<u64, StoreError> {
        cleaning::delete_expired(&self.writer(), retention, limit).await
    }
}
