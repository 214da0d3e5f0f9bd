//! Copying a SQLite database while it is in use.

use std::path::Path;

use sea_orm::{DbBackend, Statement};
use tokio::fs::{self, File, OpenOptions};

use super::error::store_error;
use super::handle::Database;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Servers have tools of their own.
    #[error("only SQLite is backed up this way; for this database use {0}")]
    OtherDatabase(&'static str),
    /// The file cannot be made. It must not exist yet.
    #[error("{0} cannot be created: {1}")]
    File(String, std::io::Error),
    /// The copy failed, and what there was of it is removed.
    #[error("the backup failed: {0}")]
    Copy(String),
}

impl Database {
    /// Copies a SQLite database to a new file that its owner alone can read, as
    /// it is at one moment. Readers and writers go on meanwhile. The file is on
    /// the disk when this returns.
    ///
    /// # Errors
    /// If the database is another than SQLite, the file exists, or the copy
    /// fails.
    pub async fn backup(&self, path: &Path) -> Result<(), BackupError> {
        match self.pools.dialect().backend {
            DbBackend::Postgres => return Err(BackupError::OtherDatabase("pg_dump")),
            DbBackend::MySql => {
                return Err(BackupError::OtherDatabase("mariadb-dump or mysqldump"));
            }
            _ => {}
        }
        let Some(name) = path.to_str() else {
            return Err(BackupError::Copy("the path must be UTF-8".into()));
        };
        // SQLite takes an empty file for a new one, and keeps its mode.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).await;
        let file = file.map_err(|error| BackupError::File(name.into(), error))?;
        let copied = self.copy_into(name, &file).await;
        if copied.is_err() {
            fs::remove_file(path).await.ok();
        }
        copied?;
        sync_directory(path)
            .await
            .map_err(|error| not_on_disk(&error))
    }

    async fn copy_into(&self, path: &str, file: &File) -> Result<(), BackupError> {
        let failed = |error| BackupError::Copy(store_error(error).to_string());
        let mut connection = self.pools.reader.get().await.map_err(failed)?;
        // It writes nothing of its own, but is not allowed to a reader.
        let allow = connection.run("PRAGMA query_only = off").await;
        allow.map_err(failed)?;
        let vacuum =
            Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.into()]);
        let copied = connection.execute_unlimited(&vacuum).await;
        connection.discard();
        copied.map_err(failed)?;
        file.sync_all().await.map_err(|error| not_on_disk(&error))
    }
}

fn not_on_disk(error: &std::io::Error) -> BackupError {
    BackupError::Copy(error.to_string())
}

/// A new file is found after a loss of power once its directory is written.
async fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(directory).await?.sync_all().await?;
    }
    Ok(())
}
