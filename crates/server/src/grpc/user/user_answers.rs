//! Users and profiles as messages.

use countersign_domain::model::{Identifier, Profile, Scope, User, UserRole, UserState};
use countersign_domain::ports::ListedUser;
use countersign_domain::use_cases::ListedUsers;
use countersign_proto::v1;

use crate::attributes;
use crate::grpc::convert::timestamp;

pub(super) fn page(listed: ListedUsers) -> v1::ListUsersResponse {
    v1::ListUsersResponse {
        users: listed.users.iter().map(user).collect(),
        next_page_token: listed.next_page_token,
    }
}

pub(super) fn user(listed: &ListedUser) -> v1::User {
    let ListedUser { user, identifiers } = listed;
    let (state, suspension, withdrawal) = state(&user.state);
    let external_id = user.external_id.as_ref().map(|id| id.as_str().to_owned());
    v1::User {
        user_id: user.id.to_string(),
        group_id: user.group.as_str().to_owned(),
        state: state.into(),
        suspension,
        withdrawal,
        identifiers: identifiers.iter().map(identifier).collect(),
        external_id: external_id.unwrap_or_default(),
        profile: Some(profile(&user.profile)),
        roles: user.roles.iter().map(UserRole::to_string).collect(),
        scopes: user.scopes.iter().map(Scope::to_string).collect(),
        create_time: timestamp(user.created_at),
        update_time: timestamp(user.updated_at),
        etag: user.etag(),
    }
}

fn state(
    state: &UserState,
) -> (
    v1::UserState,
    Option<v1::Suspension>,
    Option<v1::Withdrawal>,
) {
    match state {
        UserState::Pending => (v1::UserState::Pending, None, None),
        UserState::Active => (v1::UserState::Active, None, None),
        UserState::Suspended(suspension) => {
            let suspension = v1::Suspension {
                reason: suspension.reason.as_str().to_owned(),
                start_time: timestamp(suspension.since),
                end_time: suspension.until.and_then(timestamp),
            };
            (v1::UserState::Suspended, Some(suspension), None)
        }
        UserState::Withdrawn(withdrawal) => {
            let state = match withdrawal.erased {
                true => v1::UserState::Erased,
                false => v1::UserState::Withdrawn,
            };
            let withdrawal = v1::Withdrawal {
                withdraw_time: timestamp(withdrawal.at),
                rejoin_time: timestamp(withdrawal.rejoin_at),
            };
            (state, None, Some(withdrawal))
        }
    }
}

fn identifier(identifier: &Identifier) -> v1::Identifier {
    use v1::identifier::Value;
    let text = identifier.as_str().to_owned();
    let value = match identifier {
        Identifier::Email(_) => Value::Email(text),
        Identifier::Phone(_) => Value::Phone(text),
        Identifier::Username(_) => Value::Username(text),
    };
    v1::Identifier { value: Some(value) }
}

pub(super) fn profile(profile: &Profile) -> v1::Profile {
    let name = profile.name.as_ref().map(|name| name.as_str().to_owned());
    let locale = profile.locale.as_ref().map(|tag| tag.as_str().to_owned());
    let zone = profile.time_zone.as_ref();
    let zone = zone.map(|zone| zone.as_str().to_owned());
    v1::Profile {
        name: name.unwrap_or_default(),
        locale: locale.unwrap_or_default(),
        time_zone: zone.unwrap_or_default(),
        attributes: attributes::written(&profile.attributes),
    }
}

pub(super) fn own_profile(user: &User) -> (Option<v1::Profile>, String) {
    (Some(profile(&user.profile)), user.etag())
}
