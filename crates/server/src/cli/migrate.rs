//! `countersign migrate`.

use std::io::Write;

use super::failure::{Failure, Outcome};
use super::open;
use crate::config::Config;

/// Brings the tables up to date, or tells whether they are.
pub(super) async fn execute(
    config: &Config,
    check: bool,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::to_migrate(config, check).await?;
    let pending = database.pending_migrations().await?;
    if pending.is_empty() {
        writeln!(out, "the tables are up to date")?;
        return Ok(Outcome::Done);
    }
    if !check {
        database.migrate().await?;
    }
    let what = if check { "to do" } else { "done" };
    for migration in pending {
        writeln!(out, "{what}: {migration}")?;
    }
    Ok(if check {
        Outcome::Lacking
    } else {
        Outcome::Done
    })
}
