//! Opens the database for a command that works beside the servers.

use countersign_storage::database::Database;

use super::failure::Failure;
use crate::config::Config;
use crate::data_dir::DataDir;

/// The database as it is.
pub(super) async fn database(config: &Config) -> Result<Database, Failure> {
    if config.database.url.is_none() {
        DataDir::open_beside(&config.data_dir)?;
    }
    Ok(Database::connect(&config.database_settings()).await?)
}

/// The database with its tables up to date, if need be and the configuration
/// allows it.
pub(super) async fn migrated_database(config: &Config) -> Result<Database, Failure> {
    let database = database(config).await?;
    let pending = database.pending_migrations().await?;
    if !pending.is_empty() && !config.database.migrate {
        return Err(format!(
            "the tables of the database are not up to date ({} to do); run: countersign migrate",
            pending.join(", ")
        )
        .into());
    }
    if !pending.is_empty() {
        database.migrate().await?;
    }
    Ok(database)
}
