//! `countersign caller`.

use std::io::Write;
use std::sync::Arc;

use countersign_domain::Error;
use countersign_domain::application::DatabaseClock;
use countersign_domain::model::{CallerName, Role};
use countersign_domain::ports::{Callers as _, Store as _};
use countersign_domain::use_cases::CreateCaller;
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::{open, table};
use crate::config::Config;
use crate::system::{SystemClock, SystemRandom};

/// Adds a caller. Its key alone goes to `out`, what to do with it to `hints`.
pub(super) async fn add(
    config: &Config,
    name: CallerName,
    mut roles: Vec<Role>,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    roles.sort_by_key(|role| role.as_str());
    roles.dedup();
    let database = open::database(config).await?;
    let new = CreateCaller {
        name: name.clone(),
        roles,
    };
    let clock = DatabaseClock::start(Arc::new(SystemClock::new()), &database).await?;
    let key = match new.execute(&database, &clock, &SystemRandom).await {
        Ok(key) => key,
        Err(Error::Invalid(_)) => {
            return Err(format!(
                "there is a caller {name} already; choose another name, or remove that one: \
                 countersign caller remove {name}",
                name = name.as_str()
            )
            .into());
        }
        Err(error) => return Err(error.into()),
    };
    writeln!(out, "{}", key.expose())?;
    writeln!(
        hints,
        "This key is shown this once. {} sends it with each call, as the metadata\n  \
         authorization: Bearer <key>",
        name.as_str()
    )?;
    Ok(Outcome::Done)
}

/// A caller as it is listed.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    roles: Vec<&'static str>,
    created: String,
}

/// Lists the callers.
pub(super) async fn list(
    config: &Config,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let mut callers = database.callers().await?;
    callers.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = callers.iter().map(|caller| Row {
        name: caller.name.as_str(),
        roles: caller.roles.iter().map(|role| role.as_str()).collect(),
        created: table::instant(caller.created_at),
    });
    if json {
        table::write_json(out, &rows.collect::<Vec<_>>())?;
    } else {
        let cells = rows.map(|row| [row.name.to_owned(), row.roles.join(","), row.created]);
        let cells: Vec<_> = cells.collect();
        table::write(out, ["NAME", "ROLES", "CREATED"], &cells)?;
    }
    Ok(Outcome::Done)
}

/// Removes a caller.
pub(super) async fn remove(
    config: &Config,
    name: &CallerName,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let mut uow = database.begin().await?;
    if !uow.delete_caller(name).await? {
        let name = name.as_str();
        return Err(format!("there is no caller {name}; see: countersign caller list").into());
    }
    uow.commit().await?;
    writeln!(out, "removed {}", name.as_str())?;
    Ok(Outcome::Done)
}
