//! `countersign caller`.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::Error;
use countersign_domain::application::{CallerKeeper, DatabaseClock};
use countersign_domain::model::{
    ApiKey, Caller, CallerKey, CallerName, KeyHash, KeyId, Origin, Role, SubjectAltName,
};
use countersign_domain::ports::{AllCallers, Callers as _};
use countersign_domain::use_cases::{
    AddCallerKey, CallerKeyError, CreateCaller, NewCredential, RemoveCaller, RemoveCallerKey,
};
use countersign_storage::Database;
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::{open, table};
use crate::config::Config;
use crate::rfc3339::rfc3339;
use crate::system::{SystemClock, SystemRandom};

/// Adds a caller. Its key alone, if it has one, goes to `out`, what to do with it
/// to `hints`.
pub(super) async fn add(
    config: &Config,
    name: CallerName,
    mut roles: Vec<Role>,
    credential: NewCredential,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    roles.sort_by_key(|role| role.as_str());
    roles.dedup();
    let database = open::database(config).await?;
    let new = CreateCaller {
        name: name.clone(),
        roles,
        credential,
    };
    let clock = clock(&database).await?;
    match new.execute(keeper(&database, &clock)).await {
        Ok(Some(key)) => print_key(&key, &name, out, hints),
        Ok(None) => {
            writeln!(out, "added {}", name.as_str())?;
            hint_at_certificates(config, &name, hints)?;
            Ok(Outcome::Done)
        }
        Err(Error::Invalid(wrong)) if wrong.iter().any(|wrong| wrong.field == "san") => {
            Err(format!("the name in the certificate {}", wrong[0].rule).into())
        }
        Err(Error::Invalid(_)) if is_unreadable(&database, &name).await? => Err(format!(
            "there is a caller {name} already, which cannot be read; choose another name, or remove \
             that one: countersign caller remove {name}",
            name = name.as_str()
        )
        .into()),
        Err(Error::Invalid(_)) => Err(format!(
            "there is a caller {name} already; choose another name, or remove that one: \
                 countersign caller remove {name}; for another key of it: \
                 countersign caller add-key {name}",
            name = name.as_str()
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

async fn is_unreadable(database: &Database, name: &CallerName) -> Result<bool, Failure> {
    let all = database.callers().await?;
    Ok(all.unreadable.iter().any(|known| known == name.as_str()))
}

/// Says where a caller is recognised by its certificate, unless it is here.
pub(super) fn hint_at_certificates(
    config: &Config,
    name: &CallerName,
    hints: &mut dyn Write,
) -> io::Result<()> {
    if config.server.tls_client_ca.is_some() {
        return Ok(());
    }
    writeln!(
        hints,
        "{} is recognised by its client certificate where server.tls_client_ca is set, which it is \
         not in this configuration",
        name.as_str()
    )
}

/// Gives a caller a second key. The key alone goes to `out`.
pub(super) async fn add_key(
    config: &Config,
    name: CallerName,
    expires_in: Option<Duration>,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let clock = clock(&database).await?;
    let add = AddCallerKey {
        name: name.clone(),
        expires_in,
    };
    let added = add.execute(keeper(&database, &clock)).await;
    let key = added.map_err(|error| explained(error, &name))?;
    print_key(&key, &name, out, hints)
}

/// Removes a key of a caller.
pub(super) async fn remove_key(
    config: &Config,
    name: CallerName,
    id: KeyId,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let clock = clock(&database).await?;
    let remove = RemoveCallerKey {
        name: name.clone(),
        id,
    };
    let removed = remove.execute(keeper(&database, &clock)).await;
    removed.map_err(|error| explained(error, &name))?;
    writeln!(out, "removed the key {id} of {}", name.as_str())?;
    Ok(Outcome::Done)
}

/// The database's clock.
pub(super) async fn clock(database: &Database) -> Result<DatabaseClock, Failure> {
    Ok(DatabaseClock::start(Arc::new(SystemClock::new()), database).await?)
}

/// What changing callers takes, for an operator at the command line.
pub(super) fn keeper<'a>(database: &'a Database, clock: &'a DatabaseClock) -> CallerKeeper<'a> {
    static OPERATOR: Origin = Origin::command_line();
    CallerKeeper {
        store: database,
        clock,
        random: &SystemRandom,
        origin: &OPERATOR,
    }
}

fn print_key(
    key: &ApiKey,
    name: &CallerName,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    if let Err(error) = writeln!(out, "{}", key.expose()).and_then(|()| out.flush()) {
        let (name, id) = (name.as_str(), KeyHash::of(key.expose()).id());
        return Err(format!(
            "the key {id} of {name} could not be written, and is shown nowhere else: {error}; it is \
             good all the same: remove it, or the caller"
        )
        .into());
    }
    writeln!(
        hints,
        "This key is shown this once. {} sends it with each call, as the metadata\n  \
         authorization: Bearer <key>",
        name.as_str()
    )?;
    Ok(Outcome::Done)
}

/// Why the keys of a caller are not changed, and what to do.
fn explained(error: CallerKeyError, name: &CallerName) -> Failure {
    let name = name.as_str();
    match error {
        CallerKeyError::NoSuchCaller => no_caller(name),
        CallerKeyError::Full(keys) => format!(
            "{name} has two keys: {}; remove the one that is not used any more: \
             countersign caller remove-key {name} <key>",
            described(&keys)
        )
        .into(),
        CallerKeyError::NoSuchKey(keys) => {
            format!("{name} has no such key; it has {}", described(&keys)).into()
        }
        CallerKeyError::OnlyKey => format!(
            "it is the only key of {name}; add another one first: countersign caller add-key \
             {name}; or remove the caller: countersign caller remove {name}"
        )
        .into(),
        CallerKeyError::Store(error) => error.into(),
    }
}

pub(super) fn no_caller(name: &str) -> Failure {
    format!("there is no caller {name}; see: countersign caller list").into()
}

fn described(keys: &[CallerKey]) -> String {
    let describe = |key: &CallerKey| {
        let KeyRow {
            id,
            created,
            expires,
            last_used,
        } = KeyRow::from(key);
        let expires = expires.map_or("does not expire".into(), |at| format!("expires {at}"));
        let last_used = last_used.map_or("never used".into(), |at| format!("last used {at}"));
        format!("{id} (created {created}, {expires}, {last_used})")
    };
    let described: Vec<_> = keys.iter().map(describe).collect();
    described.join(" and ")
}

/// A caller as it is listed.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    roles: Vec<&'static str>,
    created: String,
    keys: Vec<KeyRow>,
    sans: Vec<&'a str>,
}

/// A key as it is listed.
#[derive(Serialize)]
struct KeyRow {
    id: String,
    created: String,
    expires: Option<String>,
    last_used: Option<String>,
}

impl From<&CallerKey> for KeyRow {
    fn from(key: &CallerKey) -> Self {
        Self {
            id: key.id().to_string(),
            created: rfc3339(key.created_at),
            expires: key.expires_at.map(rfc3339),
            last_used: key.last_used_at.map(rfc3339),
        }
    }
}

impl<'a> From<&'a Caller> for Row<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self {
            name: caller.name.as_str(),
            roles: caller.roles.iter().map(|role| role.as_str()).collect(),
            created: rfc3339(caller.created_at),
            keys: caller.keys.iter().map(KeyRow::from).collect(),
            sans: caller.sans.iter().map(SubjectAltName::as_str).collect(),
        }
    }
}

impl Row<'_> {
    /// A line for each key, or one if there is none.
    fn cells(self) -> Vec<[String; 7]> {
        let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "-".into());
        let (name, roles, sans) = (self.name, self.roles.join(","), self.sans.join(","));
        let sans = or_none(Some(sans).filter(|sans| !sans.is_empty()));
        let line = |[key, created, expires, last_used]: [String; 4]| {
            let (name, roles) = (name.into(), roles.clone());
            [name, roles, key, created, expires, last_used, sans.clone()]
        };
        if self.keys.is_empty() {
            let none = || or_none(None);
            return vec![line([none(), self.created, none(), none()])];
        }
        let cells = |key: KeyRow| {
            let (expires, last_used) = (or_none(key.expires), or_none(key.last_used));
            line([key.id, key.created, expires, last_used])
        };
        self.keys.into_iter().map(cells).collect()
    }
}

/// Lists the callers. Those that cannot be read are told of in `notes`.
pub(super) async fn list(
    config: &Config,
    json: bool,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let all = database.callers().await?;
    note_unreadable(&all, notes)?;
    let mut callers = all.readable;
    callers.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = callers.iter().map(Row::from);
    if json {
        table::write_json(out, &rows.collect::<Vec<_>>())?;
    } else {
        let header = [
            "NAME",
            "ROLES",
            "KEY",
            "CREATED",
            "EXPIRES",
            "LAST-USED",
            "SANS",
        ];
        let cells: Vec<_> = rows.flat_map(Row::cells).collect();
        table::write(out, header, &cells)?;
    }
    Ok(Outcome::Done)
}

/// Says which callers, or parts of them, are not in the list, and what to do.
fn note_unreadable(all: &AllCallers, notes: &mut dyn Write) -> io::Result<()> {
    for name in &all.unreadable {
        match CallerName::parse(name) {
            Ok(_) => writeln!(
                notes,
                "the caller {name} cannot be read, and is refused; remove it: countersign caller \
                 remove {name}"
            )?,
            Err(_) => writeln!(
                notes,
                "a caller of the name {name:?} cannot be read, and is refused; delete its row of \
                 the table callers"
            )?,
        }
    }
    for name in &all.incomplete {
        writeln!(
            notes,
            "a key of the caller {name:?}, or a name in its certificate, cannot be read, and is \
             refused; remove the caller and add it anew"
        )?;
    }
    Ok(())
}

/// Removes a caller.
pub(super) async fn remove(
    config: &Config,
    name: &CallerName,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let clock = clock(&database).await?;
    let remove = RemoveCaller { name: name.clone() };
    if !remove.execute(keeper(&database, &clock)).await? {
        return Err(no_caller(name.as_str()));
    }
    writeln!(out, "removed {}", name.as_str())?;
    Ok(Outcome::Done)
}
