//! `countersign caller add-san` and `remove-san`.

use std::io::Write;

use countersign_domain::model::{CallerName, SubjectAltName};
use countersign_domain::use_cases::{AddCallerSan, CallerSanError, RemoveCallerSan};

use super::callers::{clock, hint_at_certificates, keeper, no_caller};
use super::failure::{Failure, Outcome};
use super::open;
use crate::config::Config;

/// Gives a caller a further name in certificates.
pub(super) async fn add(
    config: &Config,
    name: CallerName,
    san: SubjectAltName,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let add = AddCallerSan {
        name: name.clone(),
        san: san.clone(),
    };
    let clock = clock(&database).await?;
    let added = add.execute(keeper(&database, &clock)).await;
    added.map_err(|error| explained(error, &name, &san))?;
    writeln!(out, "added {} to {}", san.as_str(), name.as_str())?;
    hint_at_certificates(config, &name, hints)?;
    Ok(Outcome::Done)
}

/// Takes a name in certificates from a caller.
pub(super) async fn remove(
    config: &Config,
    name: CallerName,
    san: SubjectAltName,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let database = open::database(config).await?;
    let remove = RemoveCallerSan {
        name: name.clone(),
        san: san.clone(),
    };
    let clock = clock(&database).await?;
    let removed = remove.execute(keeper(&database, &clock)).await;
    removed.map_err(|error| explained(error, &name, &san))?;
    writeln!(out, "removed {} from {}", san.as_str(), name.as_str())?;
    Ok(Outcome::Done)
}

/// Why the names of a caller are not changed, and what to do.
fn explained(error: CallerSanError, name: &CallerName, san: &SubjectAltName) -> Failure {
    let (name, san) = (name.as_str(), san.as_str());
    match error {
        CallerSanError::NoSuchCaller => no_caller(name),
        CallerSanError::Taken(owner) => {
            let owner = owner.as_str();
            let remove = format!("countersign caller remove-san {owner} {san}");
            if owner == name {
                format!("{name} has the name {san} already").into()
            } else {
                format!("{san} is the name of {owner}; take it from there first: {remove}").into()
            }
        }
        CallerSanError::NoSuchSan(sans) if sans.is_empty() => {
            format!("{name} has no such name; it has none").into()
        }
        CallerSanError::NoSuchSan(sans) => {
            let sans: Vec<_> = sans.iter().map(SubjectAltName::as_str).collect();
            format!("{name} has no such name; it has {}", sans.join(" and ")).into()
        }
        CallerSanError::OnlySan => format!(
            "{name} proves itself by {san} alone; add another name or a key first: countersign \
             caller add-san {name} <san>, countersign caller add-key {name}; or remove the caller: \
             countersign caller remove {name}"
        )
        .into(),
        CallerSanError::Store(error) => error.into(),
    }
}
