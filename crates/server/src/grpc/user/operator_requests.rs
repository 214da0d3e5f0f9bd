//! What operators ask of UserService, each made the command that it asks for.

use countersign_domain::model::{
    Identifier, IdentifierKind, IdentifierPrefix, PageSize, Region, StateFilter, SuspensionReason,
    UserQuery, UserRole,
};
use countersign_domain::use_cases::{
    CreateUser, DeleteUser, GetUser, ListUsers, ReinstateUser, SuspendUser, UpdateUser,
    WithdrawUser,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use super::user_fields::{self, Mask};
use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const USER_ID: &str = "user_id";
/// How many addresses a user is created with at the most.
const MAX_ADDRESSES: usize = 10;
/// What an update may name.
const PATHS: [&str; 8] = [
    "external_id",
    "profile",
    "profile.name",
    "profile.locale",
    "profile.time_zone",
    "profile.attributes",
    "roles",
    "scopes",
];

impl TryFrom<Asked<'_, v1::CreateUserRequest>> for CreateUser {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CreateUserRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let identifiers = identifiers(&mut fields, message.identifiers, app.settings.region);
        let known: Vec<_> = identifiers.iter().map(Identifier::as_str).collect();
        let password = match message.password {
            text if text.is_empty() => Some(None),
            text => convert::new_password(&mut fields, "password", text, &known, app).map(Some),
        };
        let external_id = user_fields::external_id(&mut fields, &message.external_id);
        let profile = message.profile.unwrap_or_default();
        let profile = user_fields::profile(&mut fields, "profile.", profile);
        let roles = user_fields::roles(&mut fields, &message.roles);
        let scopes = user_fields::scopes(&mut fields, &message.scopes);
        fields.finish(|| {
            Some(Self {
                group: group?,
                identifiers,
                password: password?,
                external_id,
                profile,
                roles,
                scopes,
            })
        })
    }
}

fn identifiers(
    fields: &mut Fields,
    messages: Vec<v1::Identifier>,
    region: Region,
) -> Vec<Identifier> {
    let mut identifiers = Vec::new();
    for (index, message) in messages.into_iter().take(MAX_ADDRESSES + 2).enumerate() {
        let field = format!("identifiers[{index}]");
        identifiers.extend(convert::identifier(fields, &field, Some(message), region));
    }
    let is_name = |identifier: &&Identifier| identifier.address().is_none();
    let names = identifiers.iter().filter(is_name).count();
    if names > 1 || identifiers.len() - names > MAX_ADDRESSES {
        let rule = "must have at most 10 e-mail addresses and phone numbers and one username";
        fields.refuse("identifiers", rule);
    }
    identifiers
}

impl TryFrom<Asked<'_, v1::GetUserRequest>> for GetUser {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetUserRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let id = fields.take(USER_ID, asked.message.user_id.parse());
        fields.finish(|| Some(Self { id: id? }))
    }
}

impl TryFrom<Asked<'_, v1::ListUsersRequest>> for ListUsers {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListUsersRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let size = fields.take("page_size", PageSize::parse(message.page_size));
        let group = match message.group_id.as_str() {
            "" => None,
            text => convert::group(&mut fields, "group_id", text),
        };
        let state = state(&mut fields, message.state);
        let role = user_fields::optional(&mut fields, "role", &message.role, UserRole::parse);
        let prefix = message.identifier_prefix;
        let prefix = prefix.and_then(|message| prefix_of(&mut fields, message));
        let order = v1::UserOrder::try_from(message.order);
        let order = fields.take("order", order.map_err(|_| "must be a known order"));
        if prefix.is_some() {
            if message.group_id.is_empty() {
                fields.refuse("group_id", "must be set with identifier_prefix");
            }
            if role.is_some() {
                fields.refuse("role", "must be empty with identifier_prefix");
            }
            if order != Some(v1::UserOrder::Unspecified) {
                fields.refuse("order", "must be unspecified with identifier_prefix");
            }
        }
        let from = user_fields::instant(&mut fields, "created_from", message.created_from);
        let before = user_fields::instant(&mut fields, "created_before", message.created_before);
        let query = UserQuery {
            group,
            state,
            role,
            prefix,
            created_from: from,
            created_before: before,
            oldest_first: order == Some(v1::UserOrder::OldestFirst),
        };
        let after = fields.take("page_token", query.parse_page_token(&message.page_token));
        fields.finish(|| {
            Some(Self {
                query,
                size: size?,
                after: after?,
            })
        })
    }
}

fn state(fields: &mut Fields, value: i32) -> Option<StateFilter> {
    match v1::UserState::try_from(value) {
        Ok(v1::UserState::Unspecified) => None,
        Ok(v1::UserState::Pending) => Some(StateFilter::Pending),
        Ok(v1::UserState::Active) => Some(StateFilter::Active),
        Ok(v1::UserState::Suspended) => Some(StateFilter::Suspended),
        Ok(v1::UserState::Withdrawn) => Some(StateFilter::Withdrawn),
        Ok(v1::UserState::Erased) => Some(StateFilter::Erased),
        Err(_) => {
            fields.refuse("state", "must be a known state");
            None
        }
    }
}

fn prefix_of(fields: &mut Fields, message: v1::IdentifierPrefix) -> Option<IdentifierPrefix> {
    use v1::identifier_prefix::Value;
    let (field, kind, text) = match message.value {
        Some(Value::Email(text)) => ("identifier_prefix.email", IdentifierKind::Email, text),
        Some(Value::Phone(text)) => ("identifier_prefix.phone", IdentifierKind::Phone, text),
        Some(Value::Username(text)) => {
            ("identifier_prefix.username", IdentifierKind::Username, text)
        }
        None => {
            let rule = "must have an email, a phone or a username";
            fields.refuse("identifier_prefix", rule);
            return None;
        }
    };
    fields.take(field, IdentifierPrefix::parse(kind, &text))
}

impl TryFrom<Asked<'_, v1::UpdateUserRequest>> for UpdateUser {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UpdateUserRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(USER_ID, message.user_id.parse());
        let mask = Mask::read(&mut fields, message.update_mask, &PATHS);
        let external_id = user_fields::external_id(&mut fields, &message.external_id);
        let profile = message.profile.unwrap_or_default();
        let profile = user_fields::profile(&mut fields, "profile.", profile);
        let roles = user_fields::roles(&mut fields, &message.roles);
        let scopes = user_fields::scopes(&mut fields, &message.scopes);
        fields.finish(|| {
            Some(Self {
                id: id?,
                etag: user_fields::etag(message.etag),
                external_id: mask.of("external_id", external_id),
                name: mask.of("profile.name", profile.name),
                locale: mask.of("profile.locale", profile.locale),
                time_zone: mask.of("profile.time_zone", profile.time_zone),
                attributes: mask.of("profile.attributes", profile.attributes),
                roles: mask.of("roles", roles),
                scopes: mask.of("scopes", scopes),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::SuspendUserRequest>> for SuspendUser {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::SuspendUserRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(USER_ID, message.user_id.parse());
        let reason = fields.take("reason", SuspensionReason::parse(&message.reason));
        let until = user_fields::instant(&mut fields, "end_time", message.end_time);
        fields.finish(|| {
            Some(Self {
                id: id?,
                etag: user_fields::etag(message.etag),
                reason: reason?,
                until,
            })
        })
    }
}

/// The commands that name a user and the version that was read.
macro_rules! of_a_version {
    ($($request:ident => $command:ident),+ $(,)?) => {$(
        impl TryFrom<Asked<'_, v1::$request>> for $command {
            type Error = Error;

            fn try_from(asked: Asked<'_, v1::$request>) -> Result<Self, Error> {
                let message = asked.message;
                let mut fields = Fields::new();
                let id = fields.take(USER_ID, message.user_id.parse());
                fields.finish(|| {
                    Some(Self {
                        id: id?,
                        etag: user_fields::etag(message.etag),
                    })
                })
            }
        }
    )+};
}

of_a_version! {
    ReinstateUserRequest => ReinstateUser,
    WithdrawUserRequest => WithdrawUser,
    DeleteUserRequest => DeleteUser,
}
