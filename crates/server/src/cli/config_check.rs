//! `countersign config check`: what a start would find in the configuration and in
//! the files that it names, without a start.

use std::io::Write;

use countersign_transport::check_tls_files;

use super::failure::Failure;
use crate::config::Config;

/// Checks the files that a configuration names, which is itself good. What a start
/// would warn of goes to `hints`.
pub(super) fn execute(
    config: &Config,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<(), Failure> {
    if let Some(files) = config.server.transport().tls {
        let unfit = check_tls_files(&files).map_err(Failure::configuration)?;
        if let Some(unfit) = unfit {
            writeln!(hints, "{unfit}")?;
        }
    }
    writeln!(out, "the configuration is good")?;
    Ok(())
}
