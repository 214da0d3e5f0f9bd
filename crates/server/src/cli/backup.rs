//! `countersign backup`.

use std::io::Write;
use std::path::Path;

use super::failure::{Failure, Outcome};
use super::open;
use crate::config::Config;

/// Copies the SQLite database to a new file.
pub(super) async fn execute(
    config: &Config,
    file: &Path,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    database.backup(file).await?;
    writeln!(out, "copied the database to {}", file.display())?;
    Ok(Outcome::Done)
}
