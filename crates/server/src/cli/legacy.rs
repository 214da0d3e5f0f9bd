//! `countersign legacy check`: whether the users of the existing database can be read
//! as `[legacy]` says, and who of them cannot. It writes nothing anywhere.

mod report;

use std::io::Write;
use std::sync::Arc;

use countersign_domain::ports::{Clock, ExistingUsers as _, ExistingUsersError};
use countersign_legacy::SqlUsers;

use self::report::Report;
use super::arguments::LegacyCheck;
use super::failure::{Failure, Outcome};
use crate::config::Config;
use crate::system::SystemClock;

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// A lookup that takes longer reads the whole table, most probably.
const SLOW_LOOKUP_MS: f64 = 50.0;

/// Reads all users, or one of them.
pub(super) async fn check(
    config: &Config,
    arguments: &LegacyCheck,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let settings = config.legacy.settings(config.identifiers.default_region.0);
    let settings = settings.ok_or_else(|| {
        Failure::configuration(
            "legacy.url names no database: set it, legacy.table and the columns, as \
             deploy/countersign.toml shows",
        )
    })?;
    let users = SqlUsers::new(&settings, Arc::clone(&clock)).map_err(Failure::configuration)?;
    let mut report = Report::new(users.place(), &settings.table);
    if let Some(id) = &arguments.id {
        let row = users
            .by_external_id(id)
            .await
            .map_err(|error| failure(&error))?;
        let row = row.ok_or_else(|| format!("no row of {} has the id {id}", settings.table))?;
        report.add(&row);
    } else {
        let mut after = None;
        loop {
            let page = users
                .page(after.as_deref(), PAGE)
                .await
                .map_err(|error| failure(&error))?;
            for row in &page.rows {
                report.add(row);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if let Some(identifier) = report.somebody().cloned() {
        let began = clock.monotonic();
        let looked_up = users.holder(&identifier).await;
        report.lookup_took(clock.monotonic().saturating_sub(began));
        looked_up.map_err(|error| failure(&error))?;
    }
    if arguments.json {
        serde_json::to_writer(&mut *out, &report.to_json())?;
        writeln!(out)?;
    } else {
        report.write(out)?;
    }
    if report.lookup_ms() > SLOW_LOOKUP_MS {
        writeln!(
            hints,
            "a lookup reads the whole table: an index on LOWER(column) of e-mail addresses and \
             user names, and one on phone numbers, would spare that"
        )?;
    }
    Ok(match report.is_clean() {
        true => Outcome::Done,
        false => Outcome::Lacking,
    })
}

fn failure(error: &ExistingUsersError) -> Failure {
    match error {
        ExistingUsersError::Unavailable(_) => {
            Failure::unavailable(format!("cannot read the existing database: {error}"))
        }
        ExistingUsersError::Mapping(_) => Failure::configuration(format!(
            "[legacy] does not fit the existing database: {error}"
        )),
    }
}
