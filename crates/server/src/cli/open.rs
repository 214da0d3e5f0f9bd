//! Opens the database for a command that works beside the servers. Only
//! `migrate` makes or changes one.

use std::io::Write;

use countersign_storage::database::{ConnectError, Database, DatabaseSettings};

use super::failure::Failure;
use crate::config::Config;
use crate::data_dir::DataDir;

/// What to do about a database that is not there, or not ready.
const REMEDY: &str = "run countersign migrate, or start the server once, with the same \
                      configuration; --data-dir or --config names another";

/// Says which database a command works on.
pub(super) fn announce(config: &Config, notes: &mut dyn Write) {
    // A command does not fail because nobody reads this.
    let _ = writeln!(notes, "database: {}", name(config));
}

/// The database as it is. It must be there, with its tables up to date.
pub(super) async fn database(config: &Config) -> Result<Database, Failure> {
    let database = existing(config).await?;
    let pending = database.pending_migrations().await?;
    if pending.is_empty() {
        return Ok(database);
    }
    Err(format!(
        "the tables of the database {} are absent or not up to date (to do: {}); {REMEDY}",
        name(config),
        pending.join(", ")
    )
    .into())
}

/// The database for bringing its tables up to date. It is made if it is not
/// there, unless nothing may be changed.
pub(super) async fn to_migrate(config: &Config, check: bool) -> Result<Database, Failure> {
    if check {
        return existing(config).await;
    }
    if config.database.url.is_none() {
        DataDir::create(&config.data_dir)?;
    }
    Ok(Database::connect(&config.database_settings()).await?)
}

async fn existing(config: &Config) -> Result<Database, Failure> {
    let settings = DatabaseSettings {
        must_exist: true,
        ..config.database_settings()
    };
    match Database::connect(&settings).await {
        Ok(database) => Ok(database),
        Err(ConnectError::Missing(_)) => {
            Err(format!("there is no database {}; {REMEDY}", name(config)).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The file of the database, or its URL without the password.
fn name(config: &Config) -> String {
    match config.database_settings().file() {
        Some(file) => std::path::absolute(&file)
            .unwrap_or(file)
            .display()
            .to_string(),
        None => config.database_url().masked(),
    }
}
