//! Runs the migrations: of several servers that start at once, one does it and
//! the others wait.

use countersign_domain::ports::StoreError;
use sea_orm::{DbBackend, DbErr, Statement};

use super::list::{MIGRATIONS, known_version};
use super::schema_versions::{self, Model};
use crate::database::connection::{ConnectionPool, Lease};
use crate::database::error::{no_answer, store_error, unavailable};

/// The names of MySQL's locks are the whole server's.
const MYSQL_LOCK: &str = "CONCAT('countersign-', MD5(DATABASE()))";

/// Runs what is pending inside one transaction, which on SQLite and PostgreSQL
/// makes it all or nothing. MySQL commits after each change of a table; there
/// what was begun is begun anew by the next start.
pub(in crate::database) async fn migrate(pool: &ConnectionPool) -> Result<(), StoreError> {
    let mut connection = pool.get().await.map_err(store_error)?;
    let migrated = migrate_on(&mut connection).await;
    if connection.dialect().is_remote {
        // Its time limits are lifted.
        connection.discard();
    }
    migrated
}

/// The names of the migrations that have not been run.
pub(in crate::database) async fn pending(pool: &ConnectionPool) -> Result<Vec<String>, StoreError> {
    let mut connection = pool.get().await.map_err(store_error)?;
    let applied = schema_versions::applied(&mut connection).await;
    let applied = usable(applied.map_err(store_error)?)?;
    let pending = MIGRATIONS
        .iter()
        .filter(|migration| !is_applied(&applied, migration.version));
    Ok(pending.map(|migration| migration.name.to_owned()).collect())
}

async fn migrate_on(connection: &mut Lease) -> Result<(), StoreError> {
    let backend = connection.dialect().backend;
    lift_limits(connection).await.map_err(store_error)?;
    connection.begin().await.map_err(store_error)?;
    lock(connection).await.map_err(store_error)?;
    let applied = schema_versions::applied(connection).await;
    let applied = usable(applied.map_err(store_error)?)?;

    let now_millis = connection.dialect().now_millis;
    let mut statements = Vec::new();
    for migration in MIGRATIONS {
        if !is_applied(&applied, migration.version) {
            statements.extend((migration.steps)(backend));
            statements.push(schema_versions::record(backend, migration, now_millis));
        }
    }
    if applied.is_empty() {
        statements.insert(0, backend.build(&schema_versions::create()));
    }
    for statement in &statements {
        // What has no values need not be prepared, and may be several statements.
        let done = match statement.values {
            Some(_) => connection.execute_unlimited(statement).await,
            None => connection.run_unlimited(&statement.sql).await,
        };
        done.map_err(store_error)?;
    }
    connection.commit().await.map_err(store_error)?;
    unlock(connection).await.map_err(store_error)
}

fn is_applied(applied: &[Model], version: i64) -> bool {
    applied.iter().any(|model| model.version == version)
}

/// What was run, if this release can work with it.
fn usable(applied: Vec<Model>) -> Result<Vec<Model>, StoreError> {
    match schema_versions::refusal(&applied, known_version()) {
        Some(refusal) => Err(unavailable(&refusal)),
        None => Ok(applied),
    }
}

async fn lift_limits(connection: &mut Lease) -> Result<(), DbErr> {
    let sql = match connection.dialect().backend {
        DbBackend::Postgres => {
            "SET statement_timeout = 0; SET lock_timeout = 0; \
             SET idle_in_transaction_session_timeout = 0"
        }
        DbBackend::MySql => {
            "SET SESSION innodb_lock_wait_timeout = 600 \
             /*M!100300 , max_statement_time = 0, idle_transaction_timeout = 0 */"
        }
        _ => return Ok(()),
    };
    connection.run(sql).await.map(drop)
}

/// Waits until no other server migrates. SQLite's BEGIN IMMEDIATE has waited
/// already; PostgreSQL's lock ends with the transaction.
async fn lock(connection: &mut Lease) -> Result<(), DbErr> {
    let backend = connection.dialect().backend;
    match backend {
        DbBackend::Postgres => {
            let lock = "SELECT pg_advisory_xact_lock(7162270349581634)";
            connection.run_unlimited(lock).await?;
        }
        DbBackend::MySql => {
            let lock = format!("SELECT CAST(GET_LOCK({MYSQL_LOCK}, 600) AS SIGNED)");
            let lock = Statement::from_string(backend, lock);
            let rows = connection.rows_unlimited(&lock).await?;
            let got: Option<i64> = match rows.first() {
                Some(row) => row.try_get_by_index(0)?,
                None => None,
            };
            if got != Some(1) {
                return Err(no_answer(
                    "another server is migrating the database and does not finish",
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

async fn unlock(connection: &mut Lease) -> Result<(), DbErr> {
    if connection.dialect().backend == DbBackend::MySql {
        let unlock = format!("DO RELEASE_LOCK({MYSQL_LOCK})");
        connection.run(&unlock).await?;
    }
    Ok(())
}
