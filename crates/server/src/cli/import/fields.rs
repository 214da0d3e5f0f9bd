//! The fields of a file: what they are called, and the user that is made of them. What
//! must be right of a value the server says; here it is only read.

use countersign_domain::model::{Attributes, Timestamp};
use countersign_legacy::{read_time, read_truth};
use countersign_proto::v1;
use countersign_proto::v1::identifier::Value as IdentifierValue;
use serde_json::{Map, Value};

use super::record::Wrong;
use crate::attributes;
use crate::grpc::convert::timestamp;

/// What users of files are given that say nothing of it themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) group: String,
    pub(super) hash_format: String,
}

macro_rules! fields {
    ($($field:ident: $name:literal $(| $other:literal)?),+ $(,)?) => {
        /// A field of a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field { $($field),+ }

        impl Field {
            /// All names.
            pub(super) const NAMES: &[&str] = &[$($name),+];

            /// The field of a name.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $other)? => Some(Self::$field),)+
                    _ => None,
                }
            }

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$field => $name),+ }
            }
        }
    };
}

fields! {
    ExternalId: "external_id",
    Group: "group" | "group_id",
    Emails: "emails" | "email",
    EmailVerified: "email_verified",
    Phones: "phones" | "phone",
    PhoneVerified: "phone_verified",
    Username: "username",
    PasswordHash: "password_hash",
    HashFormat: "hash_format",
    Name: "name",
    Locale: "locale",
    TimeZone: "time_zone",
    Attributes: "attributes",
    Roles: "roles",
    Scopes: "scopes",
    State: "state",
    SuspensionReason: "suspension_reason",
    SuspendedAt: "suspended_at",
    SuspendedUntil: "suspended_until",
    WithdrawnAt: "withdrawn_at",
    CreatedAt: "created_at",
}

/// What stands in a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text, which may be several words with commas between them.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// A truth value.
    Truth(bool),
    /// An object.
    Object(Map<String, Value>),
}

/// The fields of a user, each once. A field that is empty is not there.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(Field, Cell)>);

impl Fields {
    /// Adds a field; tells whether it is the first of its name.
    pub(super) fn add(&mut self, field: Field, cell: Cell) -> bool {
        let is_new = self.0.iter().all(|(known, _)| *known != field);
        self.0.push((field, cell));
        is_new
    }

    /// The user that is made of them. `has_column` tells of a field that is empty
    /// whether it could have been there.
    pub(super) fn user(
        mut self,
        defaults: &Defaults,
        has_column: impl Fn(Field) -> bool,
    ) -> Result<v1::ImportedUser, Wrong> {
        let mut identifiers = Vec::new();
        let is_verified = self.truth(Field::EmailVerified, &has_column)?;
        for text in self.texts(Field::Emails)? {
            identifiers.push(identifier(IdentifierValue::Email(text), is_verified));
        }
        let is_verified = self.truth(Field::PhoneVerified, &has_column)?;
        for text in self.texts(Field::Phones)? {
            identifiers.push(identifier(IdentifierValue::Phone(text), is_verified));
        }
        if let Some(text) = self.text(Field::Username)? {
            identifiers.push(identifier(IdentifierValue::Username(text), false));
        }
        let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
        let withdraw_time = self.time(Field::WithdrawnAt)?;
        let state = self.state(withdraw_time.is_some())?;
        let suspension = self.suspension(state)?;
        Ok(v1::ImportedUser {
            external_id: or(self.text(Field::ExternalId)?, ""),
            group_id: or(self.text(Field::Group)?, &defaults.group),
            identifiers,
            password_hash: or(self.text(Field::PasswordHash)?, ""),
            hash_format: or(self.text(Field::HashFormat)?, &defaults.hash_format),
            profile: Some(v1::Profile {
                name: or(self.text(Field::Name)?, ""),
                locale: or(self.text(Field::Locale)?, ""),
                time_zone: or(self.text(Field::TimeZone)?, ""),
                attributes: self.attributes()?,
            }),
            roles: self.texts(Field::Roles)?,
            scopes: self.texts(Field::Scopes)?,
            state: state.into(),
            suspension,
            withdraw_time,
            create_time: self.time(Field::CreatedAt)?,
        })
    }

    fn take(&mut self, field: Field) -> Option<Cell> {
        let index = self.0.iter().position(|(known, _)| *known == field)?;
        Some(self.0.swap_remove(index).1)
    }

    fn text(&mut self, field: Field) -> Result<Option<String>, Wrong> {
        match self.take(field) {
            None => Ok(None),
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Wrong::new(field.name(), "must be a text")),
        }
    }

    fn texts(&mut self, field: Field) -> Result<Vec<String>, Wrong> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Cell::Texts(texts)) => Ok(texts),
            Some(Cell::Text(text)) => {
                let texts = text.split(',').map(str::trim);
                let texts = texts.filter(|text| !text.is_empty());
                Ok(texts.map(str::to_owned).collect())
            }
            Some(_) => Err(Wrong::new(
                field.name(),
                "must be a text or an array of texts",
            )),
        }
    }

    /// Where there is no column, all are verified; where it is empty, this one is not.
    fn truth(&mut self, field: Field, has_column: impl Fn(Field) -> bool) -> Result<bool, Wrong> {
        match self.take(field) {
            None => Ok(!has_column(field)),
            Some(Cell::Truth(value)) => Ok(value),
            Some(Cell::Text(text)) => {
                read_truth(&text).map_err(|rule| Wrong::new(field.name(), rule))
            }
            Some(_) => Err(Wrong::new(field.name(), "must be true or false")),
        }
    }

    fn time(&mut self, field: Field) -> Result<Option<prost_types::Timestamp>, Wrong> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let time: Option<Timestamp> =
            read_time(&text).map_err(|rule| Wrong::new(field.name(), rule))?;
        Ok(time.and_then(timestamp))
    }

    /// The state. Who has left at a time has left.
    fn state(&mut self, has_left: bool) -> Result<v1::UserState, Wrong> {
        let text = self.text(Field::State)?;
        let state = match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None if has_left => v1::UserState::Withdrawn,
            None | Some("active") => v1::UserState::Active,
            Some("pending") => v1::UserState::Pending,
            Some("suspended") => v1::UserState::Suspended,
            Some("withdrawn") => v1::UserState::Withdrawn,
            Some(_) => {
                let rule = "must be active, pending, suspended or withdrawn";
                return Err(Wrong::new(Field::State.name(), rule));
            }
        };
        match has_left && state != v1::UserState::Withdrawn {
            true => Err(Wrong::new(
                Field::WithdrawnAt.name(),
                "must be empty unless the state is withdrawn",
            )),
            false => Ok(state),
        }
    }

    /// Why and how long a suspended user is.
    fn suspension(&mut self, state: v1::UserState) -> Result<Option<v1::Suspension>, Wrong> {
        let reason = self.text(Field::SuspensionReason)?;
        let start_time = self.time(Field::SuspendedAt)?;
        let end_time = self.time(Field::SuspendedUntil)?;
        if state == v1::UserState::Suspended {
            return Ok(Some(v1::Suspension {
                reason: reason.unwrap_or_default(),
                start_time,
                end_time,
            }));
        }
        let given = [
            (Field::SuspensionReason, reason.is_some()),
            (Field::SuspendedAt, start_time.is_some()),
            (Field::SuspendedUntil, end_time.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((field, _)) => Err(Wrong::new(
                field.name(),
                "must be empty unless the state is suspended",
            )),
            None => Ok(None),
        }
    }

    fn attributes(&mut self) -> Result<Option<prost_types::Struct>, Wrong> {
        let read = match self.take(Field::Attributes) {
            None => return Ok(None),
            Some(Cell::Text(json)) => Attributes::parse(&json),
            Some(Cell::Object(object)) => Attributes::new(object),
            Some(_) => Err("must be a JSON object"),
        };
        let read = read.map_err(|rule| Wrong::new(Field::Attributes.name(), rule))?;
        Ok(attributes::written(&read))
    }
}

fn identifier(value: IdentifierValue, verified: bool) -> v1::ImportedIdentifier {
    v1::ImportedIdentifier {
        identifier: Some(v1::Identifier { value: Some(value) }),
        verified,
    }
}

/// What a file calls a field of the message.
pub(super) fn name_in_file(user: &v1::ImportedUser, path: &str) -> String {
    if let Some(rest) = path.strip_prefix("identifiers[") {
        let place = rest.split(']').next().and_then(|place| place.parse().ok());
        let identifier =
            place.and_then(|place: usize| user.identifiers.get(place)?.identifier.clone());
        return match identifier.and_then(|identifier| identifier.value) {
            Some(IdentifierValue::Email(_)) => Field::Emails.name().into(),
            Some(IdentifierValue::Phone(_)) => Field::Phones.name().into(),
            Some(IdentifierValue::Username(_)) => Field::Username.name().into(),
            None => path.into(),
        };
    }
    match path {
        "group_id" => Field::Group.name().into(),
        "suspension.reason" => Field::SuspensionReason.name().into(),
        "suspension.start_time" => Field::SuspendedAt.name().into(),
        "suspension.end_time" => Field::SuspendedUntil.name().into(),
        "withdraw_time" => Field::WithdrawnAt.name().into(),
        "create_time" => Field::CreatedAt.name().into(),
        other => other.strip_prefix("profile.").unwrap_or(other).into(),
    }
}
