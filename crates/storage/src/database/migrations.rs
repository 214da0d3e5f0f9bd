//! The tables, and bringing them up to date. To change them, add a migration
//! at the end of the list and never touch one that was released.

mod m0001_create_tables;

use countersign_domain::ports::StoreError;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::error::{store_error, unavailable};

/// The list of migrations.
struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_create_tables::Migration)]
    }
}

/// Runs what is pending inside one transaction, which on SQLite and PostgreSQL
/// makes it all or nothing. MySQL commits after each change of a table; there
/// the transaction only keeps the connection that holds the lock.
pub(super) async fn migrate(pool: &DatabaseConnection) -> Result<(), StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let run = async {
        let transaction = pool.begin_with_options(options).await?;
        lock(&transaction).await?;
        let migrated = Migrator::up(&transaction, None).await;
        unlock(&transaction).await?;
        migrated?;
        transaction.commit().await
    };
    run.await.map_err(|error| failed(&error))
}

/// The names of the migrations that have not been run.
pub(super) async fn pending(pool: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let pending = Migrator::get_pending_migrations_read_only(pool)
        .await
        .map_err(|error| failed(&error))?;
    Ok(pending
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// Waits until no other server migrates. SQLite's BEGIN IMMEDIATE has waited
/// already; PostgreSQL's lock ends with the transaction.
async fn lock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    match transaction.get_database_backend() {
        DbBackend::Postgres => {
            transaction
                .execute_unprepared(
                    "SET LOCAL statement_timeout = 0; \
                     SELECT pg_advisory_xact_lock(7162270349581634)",
                )
                .await?;
        }
        DbBackend::MySql => {
            // The names of MySQL's locks are the whole server's.
            let get = "SELECT GET_LOCK(CONCAT('countersign-', MD5(DATABASE())), 600)";
            let get = Statement::from_string(DbBackend::MySql, get);
            let got: Option<i64> = match transaction.query_one_raw(get).await? {
                Some(row) => row.try_get_by_index(0)?,
                None => None,
            };
            if got != Some(1) {
                let reason = "another server is migrating the database and does not finish";
                return Err(DbErr::Migration(reason.into()));
            }
        }
        _ => {}
    }
    Ok(())
}

async fn unlock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::MySql {
        transaction
            .execute_unprepared("DO RELEASE_LOCK(CONCAT('countersign-', MD5(DATABASE())))")
            .await?;
    }
    Ok(())
}

/// The texts of migrations are our own and hold no value of a row.
fn failed(error: &DbErr) -> StoreError {
    match error {
        DbErr::Migration(reason) | DbErr::Custom(reason) => unavailable(reason),
        error => store_error(error),
    }
}
