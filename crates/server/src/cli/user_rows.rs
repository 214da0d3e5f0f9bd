//! Users as lists for people, and as JSON for programs.

use std::io::{self, Write};

use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::{User, UserState};
use serde::Serialize;

use super::table;
use crate::attributes;

/// A user, as it is listed.
#[derive(Serialize)]
pub(super) struct Row {
    user_id: String,
    group_id: String,
    state: &'static str,
    emails: Vec<String>,
    phones: Vec<String>,
    username: Option<String>,
    external_id: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    attributes: serde_json::Map<String, serde_json::Value>,
    roles: Vec<String>,
    scopes: Vec<String>,
    suspended_at: Option<String>,
    suspended_until: Option<String>,
    suspension_reason: Option<String>,
    withdrawn_at: Option<String>,
    rejoin_at: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    etag: String,
}

impl From<User> for Row {
    fn from(user: User) -> Self {
        let state = state(user.state());
        let of = |pick: fn(&Value) -> Option<&String>| {
            let values = user.identifiers.iter();
            let values = values.filter_map(|identifier| identifier.value.as_ref());
            values.filter_map(pick).cloned().collect::<Vec<_>>()
        };
        let emails = of(|value| match value {
            Value::Email(text) => Some(text),
            _ => None,
        });
        let phones = of(|value| match value {
            Value::Phone(text) => Some(text),
            _ => None,
        });
        let usernames = of(|value| match value {
            Value::Username(text) => Some(text),
            _ => None,
        });
        let profile = user.profile.unwrap_or_default();
        let attributes = profile.attributes.map(attributes::read);
        let attributes = attributes.and_then(Result::ok).unwrap_or_default();
        let (suspension, withdrawal) = (user.suspension, user.withdrawal);
        let suspension = suspension.as_ref();
        Self {
            user_id: user.user_id,
            group_id: user.group_id,
            state,
            emails,
            phones,
            username: usernames.into_iter().next(),
            external_id: some(user.external_id),
            name: some(profile.name),
            locale: some(profile.locale),
            time_zone: some(profile.time_zone),
            attributes: attributes.object().clone(),
            roles: user.roles,
            scopes: user.scopes,
            suspended_at: suspension.and_then(|one| instant(one.start_time)),
            suspended_until: suspension.and_then(|one| instant(one.end_time)),
            suspension_reason: suspension.map(|one| one.reason.clone()),
            withdrawn_at: withdrawal.and_then(|one| instant(one.withdraw_time)),
            rejoin_at: withdrawal.and_then(|one| instant(one.rejoin_time)),
            created_at: instant(user.create_time),
            updated_at: instant(user.update_time),
            etag: user.etag,
        }
    }
}

impl Row {
    /// What it signs in with.
    fn identifiers(&self) -> String {
        let all = self.emails.iter().chain(&self.phones).chain(&self.username);
        joined(&all.cloned().collect::<Vec<_>>())
    }
}

/// Lists users.
pub(super) fn write_list(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let cells = rows.iter().map(|row| {
        [
            row.user_id.clone(),
            row.group_id.clone(),
            row.state.to_owned(),
            row.identifiers(),
            row.name.clone().unwrap_or_else(|| "-".into()),
            row.created_at.clone().unwrap_or_default(),
        ]
    });
    let header = ["USER", "GROUP", "STATE", "IDENTIFIERS", "NAME", "CREATED"];
    table::write(out, header, &cells.collect::<Vec<_>>())
}

/// Shows one user, without what it has not.
pub(super) fn write_one(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let attributes = match row.attributes.is_empty() {
        true => None,
        false => serde_json::to_string(&row.attributes).ok(),
    };
    let lines = [
        ("USER", Some(row.user_id.clone())),
        ("GROUP", Some(row.group_id.clone())),
        ("STATE", Some(row.state.to_owned())),
        ("SUSPENDED", row.suspended_at.clone()),
        ("UNTIL", row.suspended_until.clone()),
        ("REASON", row.suspension_reason.clone().and_then(some)),
        ("WITHDRAWN", row.withdrawn_at.clone()),
        ("MAY REJOIN", row.rejoin_at.clone()),
        ("IDENTIFIERS", some(row.identifiers())),
        ("EXTERNAL ID", row.external_id.clone()),
        ("NAME", row.name.clone()),
        ("LOCALE", row.locale.clone()),
        ("TIME ZONE", row.time_zone.clone()),
        ("ATTRIBUTES", attributes),
        ("ROLES", some(joined(&row.roles))),
        ("SCOPES", some(joined(&row.scopes))),
        ("CREATED", row.created_at.clone()),
        ("CHANGED", row.updated_at.clone()),
        ("ETAG", Some(row.etag.clone())),
    ];
    let there = lines.into_iter();
    let there = there.filter_map(|(name, value)| Some((name, value.filter(|text| text != "-")?)));
    for (name, value) in there {
        writeln!(out, "{name:12}  {value}")?;
    }
    Ok(())
}

/// Writes one user as a JSON object on one line.
pub(super) fn write_json(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    writeln!(out)
}

fn state(state: UserState) -> &'static str {
    match state {
        UserState::Unspecified => "unknown",
        UserState::Pending => "pending",
        UserState::Active => "active",
        UserState::Suspended => "suspended",
        UserState::Withdrawn => "withdrawn",
        UserState::Erased => "erased",
    }
}

/// An instant in RFC 3339.
pub(super) fn instant(at: Option<prost_types::Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn joined(words: &[String]) -> String {
    match words.is_empty() {
        true => "-".into(),
        false => words.join(","),
    }
}

/// The text, if there is one.
pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
