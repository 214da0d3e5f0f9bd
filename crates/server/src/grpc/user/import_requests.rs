//! The users of an import: each read by itself, so that one that is wrong spoils no
//! other.

use std::thread;

use countersign_domain::model::{
    Email, ExternalId, GroupId, HashFormat, Identifier, ImportedHash, ImportedIdentifier,
    ImportedState, ImportedUser, Phone, SuspensionReason, Timestamp, Username,
};
use countersign_domain::ports::Clock as _;
use countersign_domain::use_cases::ImportUsers;
use countersign_domain::{Application, Error, Fields};
use countersign_proto::v1;

use super::user_fields;
use crate::grpc::rpc_runner::Asked;

/// How many addresses a user has at the most.
const MAX_ADDRESSES: usize = 10;
/// How long a hash is at the most, in bytes.
const LONGEST_HASH: usize = 1_024;

impl TryFrom<Asked<'_, v1::ImportUsersRequest>> for ImportUsers {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ImportUsersRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        if !(1..=Self::MOST).contains(&message.users.len()) {
            return Err(Error::invalid("users", "must have 1 to 500 items"));
        }
        let users = message.users.into_iter();
        Ok(Self {
            // Calls that take microseconds do not wait for all of a batch.
            users: users
                .map(|user| {
                    thread::yield_now();
                    read(user, app)
                })
                .collect(),
            is_dry_run: message.validate_only,
        })
    }
}

fn read(message: v1::ImportedUser, app: &Application) -> Result<ImportedUser, Error> {
    let mut fields = Fields::new();
    let now = app.clock.now();
    let external_id = fields.take("external_id", ExternalId::parse(&message.external_id));
    let group = fields.take("group_id", GroupId::parse(&message.group_id));
    let identifiers = identifiers(&mut fields, message.identifiers, app);
    let password = password(
        &mut fields,
        &message.hash_format,
        &message.password_hash,
        app,
    );
    let profile = message.profile.unwrap_or_default();
    let profile = user_fields::profile(&mut fields, "profile.", profile);
    let roles = user_fields::roles(&mut fields, &message.roles);
    let scopes = user_fields::scopes(&mut fields, &message.scopes);
    let since = past(&mut fields, "withdraw_time", message.withdraw_time, now);
    let state = match v1::UserState::try_from(message.state) {
        Ok(v1::UserState::Pending) => Some(ImportedState::Pending),
        Ok(v1::UserState::Active | v1::UserState::Unspecified) => Some(ImportedState::Active),
        Ok(v1::UserState::Suspended) => suspended(&mut fields, message.suspension, now),
        Ok(v1::UserState::Withdrawn) => Some(ImportedState::Withdrawn { since }),
        Ok(v1::UserState::Erased) | Err(_) => {
            fields.refuse("state", "must be pending, active, suspended or withdrawn");
            None
        }
    };
    if state == Some(ImportedState::Active) && identifiers.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse(
            "identifiers",
            "must have a verified address or a user name, unless the state is another than \
             active",
        );
    }
    let created_at = past(&mut fields, "create_time", message.create_time, now);
    fields.finish(|| {
        Some(ImportedUser {
            external_id: external_id?,
            group: group?,
            identifiers: identifiers?,
            password,
            profile,
            roles,
            scopes,
            state: state?,
            created_at,
        })
    })
}

/// Those that can be the user's: an address that was not verified is checked and left
/// out. None, if one of them is wrong.
fn identifiers(
    fields: &mut Fields,
    messages: Vec<v1::ImportedIdentifier>,
    app: &Application,
) -> Option<Vec<ImportedIdentifier>> {
    let (mut identifiers, mut names, mut addresses) = (Vec::new(), 0, 0);
    let mut are_good = true;
    for (place, message) in messages.into_iter().take(MAX_ADDRESSES + 2).enumerate() {
        let Some(identifier) = identifier(fields, place, message.identifier, app) else {
            are_good = false;
            continue;
        };
        let is_name = matches!(identifier, Identifier::Username(_));
        match is_name {
            true => names += 1,
            false => addresses += 1,
        }
        let is_new = |one: &ImportedIdentifier| one.identifier != identifier;
        if (is_name || message.verified) && identifiers.iter().all(is_new) {
            identifiers.push(ImportedIdentifier { place, identifier });
        }
    }
    if names > 1 || addresses > MAX_ADDRESSES {
        let rule = "must have at most 10 e-mail addresses and phone numbers and one username";
        fields.refuse("identifiers", rule);
    }
    are_good.then_some(identifiers)
}

/// An identifier as a table has it: a phone number may lack its plus.
fn identifier(
    fields: &mut Fields,
    place: usize,
    message: Option<v1::Identifier>,
    app: &Application,
) -> Option<Identifier> {
    use v1::identifier::Value;
    let field = |kind: &str| format!("identifiers[{place}]{kind}");
    match message.and_then(|message| message.value) {
        Some(Value::Email(text)) => fields
            .take(&field(".email"), Email::parse(&text))
            .map(Identifier::Email),
        Some(Value::Phone(text)) => {
            let phone = Phone::read_from_table(&text, app.settings.region);
            fields.take(&field(".phone"), phone).map(Identifier::Phone)
        }
        Some(Value::Username(text)) => fields
            .take(&field(".username"), Username::parse(&text))
            .map(Identifier::Username),
        None => {
            fields.refuse(&field(""), "must have an email, a phone or a username");
            None
        }
    }
}

/// The hash. Nothing where there is none, or one that no password has.
fn password(
    fields: &mut Fields,
    format: &str,
    hash: &str,
    app: &Application,
) -> Option<ImportedHash> {
    let format = match format {
        "" => Some(HashFormat::Auto),
        text => fields.take("hash_format", text.parse()),
    };
    let hash = hash.trim();
    if hash.is_empty() || hash.starts_with('!') {
        return None;
    }
    if hash.len() > LONGEST_HASH || hash.chars().any(char::is_control) {
        fields.refuse("password_hash", "must be a hash of at most 1,024 bytes");
        return None;
    }
    fields.take("password_hash", app.hasher.import(format?, hash))
}

fn suspended(
    fields: &mut Fields,
    message: Option<v1::Suspension>,
    now: Timestamp,
) -> Option<ImportedState> {
    let message = message.unwrap_or_default();
    let reason = SuspensionReason::parse(&message.reason);
    let reason = fields.take("suspension.reason", reason);
    let since = past(fields, "suspension.start_time", message.start_time, now);
    let until = user_fields::instant(fields, "suspension.end_time", message.end_time);
    Some(ImportedState::Suspended {
        reason: reason?,
        since,
        until,
    })
}

/// An instant that is over, by the clock of the database.
fn past(
    fields: &mut Fields,
    field: &str,
    message: Option<prost_types::Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let instant = user_fields::instant(fields, field, message)?;
    let rule = "must not be later than now";
    fields.take(field, (instant <= now).then_some(instant).ok_or(rule))
}
