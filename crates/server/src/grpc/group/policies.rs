//! The policies of groups: from the message, within the server's configuration, and
//! back.

use std::time::Duration;

use countersign_domain::Fields;
use countersign_domain::application::TokenSettings;
use countersign_domain::model::{
    AttributeKind, AttributeName, GroupPolicy, MfaPolicy, ProfileAttribute, Scope, SignInWay,
};
use countersign_proto::v1;

use crate::grpc::convert::read_duration;

/// Reads a policy. `at` is where it stands in the request, up to its fields.
pub(super) fn read(
    fields: &mut Fields,
    at: &str,
    message: Option<v1::GroupPolicy>,
    server: &TokenSettings,
) -> GroupPolicy {
    let message = message.unwrap_or_default();
    let named = |field: &str| format!("{at}.{field}");
    let length = message.password_min_length.and_then(|length| {
        let bounds = GroupPolicy::PASSWORD_MIN_LENGTH;
        let length = u32::try_from(length)
            .ok()
            .filter(|length| bounds.contains(length));
        let length = length.ok_or_else(|| {
            format!(
                "must be {} to {}, or not be set",
                bounds.start(),
                bounds.end()
            )
        });
        fields.take(&named("password_min_length"), length)
    });
    let mut ttl =
        |field: &str, message, longest| fields.take(&named(field), read_ttl(message?, longest));
    let access_ttl = ttl(
        "access_token_ttl",
        message.access_token_ttl,
        server.access_ttl,
    );
    let idle_ttl = ttl("idle_ttl", message.idle_ttl, server.idle_ttl);
    let session_ttl = ttl("session_ttl", message.session_ttl, server.session_ttl);
    let mfa = fields.take(&named("mfa_policy"), read_mfa(message.mfa_policy));
    let ways = list(
        fields,
        &named("sign_in_ways"),
        message.sign_in_ways,
        read_way,
    );
    let audiences = list(
        fields,
        &named("audiences"),
        message.audiences,
        |audience| match server.audiences.contains(&audience) {
            true => Ok(audience),
            false => Err(format!("must be one of {}", server.audiences.join(", "))),
        },
    );
    let scopes = list(fields, &named("scopes"), message.scopes, |scope| {
        Scope::parse(&scope)
    });
    let attributes = attributes(
        fields,
        &named("profile_attributes"),
        message.profile_attributes,
    );
    GroupPolicy {
        password_min_length: length,
        mfa: mfa.flatten(),
        access_ttl,
        idle_ttl,
        session_ttl,
        sign_in_ways: ways,
        audiences,
        scopes,
        sign_up: message.sign_up,
        profile_attributes: attributes,
    }
}

/// Attributes, each name once; none if there are none.
fn attributes(
    fields: &mut Fields,
    field: &str,
    messages: Vec<v1::ProfileAttribute>,
) -> Option<Vec<ProfileAttribute>> {
    let names: Vec<_> = messages
        .iter()
        .map(|message| message.name.clone())
        .collect();
    for (index, name) in names.iter().enumerate().take(GroupPolicy::MAX_LIST) {
        if names[..index].contains(name) {
            fields.refuse(&format!("{field}[{index}].name"), "must not stand twice");
        }
    }
    list(fields, field, messages, |message| {
        let name = AttributeName::parse(&message.name);
        let name = name.map_err(|rule| format!("must have a name that fits: it {rule}"))?;
        let kind = read_kind(message.r#type, message.max_length)?;
        Ok::<_, String>(ProfileAttribute {
            name,
            kind,
            writable: message.writable,
        })
    })
}

fn read_kind(kind: i32, longest: i32) -> Result<AttributeKind, String> {
    use v1::profile_attribute::Type;
    const DEFAULT: u32 = 255;
    match (Type::try_from(kind), longest) {
        (Ok(Type::String), 0) => Ok(AttributeKind::Text(DEFAULT)),
        (Ok(Type::String), longest) => {
            let bounds = 1..=AttributeKind::LONGEST_TEXT;
            let longest = u32::try_from(longest).ok().filter(|l| bounds.contains(l));
            longest
                .map(AttributeKind::Text)
                .ok_or_else(|| format!("must have a max_length of 1 to {}, or none", bounds.end()))
        }
        (Ok(Type::Number), 0) => Ok(AttributeKind::Number),
        (Ok(Type::Boolean), 0) => Ok(AttributeKind::Boolean),
        (Ok(Type::Number | Type::Boolean), _) => {
            Err("must have no max_length unless its type is TYPE_STRING".into())
        }
        (Ok(Type::Unspecified) | Err(_), _) => {
            Err("must have a type: TYPE_STRING, TYPE_NUMBER or TYPE_BOOLEAN".into())
        }
    }
}

/// A list in which nothing stands twice; none if it is empty.
fn list<M, T: PartialEq, R: Into<String>>(
    fields: &mut Fields,
    field: &str,
    message: Vec<M>,
    read: impl Fn(M) -> Result<T, R>,
) -> Option<Vec<T>> {
    if message.len() > GroupPolicy::MAX_LIST {
        fields.refuse(
            field,
            format!("must have at most {} items", GroupPolicy::MAX_LIST),
        );
        return None;
    }
    let mut items = Vec::new();
    for (index, item) in message.into_iter().enumerate() {
        let item = fields.take(&format!("{field}[{index}]"), read(item));
        items.extend(item.filter(|item| !items.contains(item)));
    }
    Some(items).filter(|items| !items.is_empty())
}

/// A lifetime: whole seconds, and no longer than the server's.
fn read_ttl(message: prost_types::Duration, longest: Duration) -> Result<Duration, String> {
    let ttl = read_duration(message).filter(|ttl| ttl.subsec_nanos() == 0);
    let bounds = GroupPolicy::SHORTEST_TTL..=longest;
    ttl.filter(|ttl| bounds.contains(ttl)).ok_or_else(|| {
        let (from, to) = (bounds.start().as_secs(), longest.as_secs());
        format!("must be whole seconds, {from} s to the server's {to} s")
    })
}

fn read_mfa(value: i32) -> Result<Option<MfaPolicy>, &'static str> {
    use v1::MfaPolicy as Message;
    match Message::try_from(value) {
        Ok(Message::Unspecified) => Ok(None),
        Ok(Message::Off) => Ok(Some(MfaPolicy::Off)),
        Ok(Message::Optional) => Ok(Some(MfaPolicy::Optional)),
        Ok(Message::Required) => Ok(Some(MfaPolicy::Required)),
        Ok(Message::RequiredForUnknownDevices) => Ok(Some(MfaPolicy::RequiredForUnknownDevices)),
        Err(_) => Err("must be a known policy"),
    }
}

fn read_way(value: i32) -> Result<SignInWay, &'static str> {
    use v1::SignInWay as Message;
    match Message::try_from(value) {
        Ok(Message::Password) => Ok(SignInWay::Password),
        Ok(Message::VerifiedCode) => Ok(SignInWay::VerifiedCode),
        Ok(Message::Passkey) => Ok(SignInWay::Passkey),
        Ok(Message::Federated) => Ok(SignInWay::Federated),
        Ok(Message::Unspecified) | Err(_) => Err("must be a known way"),
    }
}

/// A policy as a message.
pub(super) fn policy(policy: GroupPolicy) -> v1::GroupPolicy {
    let length = policy.password_min_length;
    let ways = policy.sign_in_ways.unwrap_or_default();
    let scopes = policy.scopes.unwrap_or_default();
    let attributes = policy.profile_attributes.unwrap_or_default();
    v1::GroupPolicy {
        password_min_length: length.map(|length| i32::try_from(length).unwrap_or(i32::MAX)),
        mfa_policy: policy.mfa.map_or(v1::MfaPolicy::Unspecified, mfa).into(),
        access_token_ttl: policy.access_ttl.map(duration),
        idle_ttl: policy.idle_ttl.map(duration),
        session_ttl: policy.session_ttl.map(duration),
        sign_in_ways: ways.into_iter().map(|way| self::way(way).into()).collect(),
        audiences: policy.audiences.unwrap_or_default(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        sign_up: policy.sign_up,
        profile_attributes: attributes.iter().map(attribute).collect(),
    }
}

fn attribute(attribute: &ProfileAttribute) -> v1::ProfileAttribute {
    use v1::profile_attribute::Type;
    let (kind, longest) = match attribute.kind {
        AttributeKind::Text(longest) => (Type::String, longest),
        AttributeKind::Number => (Type::Number, 0),
        AttributeKind::Boolean => (Type::Boolean, 0),
    };
    v1::ProfileAttribute {
        name: attribute.name.as_str().to_owned(),
        r#type: kind.into(),
        max_length: i32::try_from(longest).unwrap_or(i32::MAX),
        writable: attribute.writable,
    }
}

fn duration(time: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanos: 0,
    }
}

fn mfa(policy: MfaPolicy) -> v1::MfaPolicy {
    match policy {
        MfaPolicy::Off => v1::MfaPolicy::Off,
        MfaPolicy::Optional => v1::MfaPolicy::Optional,
        MfaPolicy::Required => v1::MfaPolicy::Required,
        MfaPolicy::RequiredForUnknownDevices => v1::MfaPolicy::RequiredForUnknownDevices,
    }
}

fn way(way: SignInWay) -> v1::SignInWay {
    match way {
        SignInWay::Password => v1::SignInWay::Password,
        SignInWay::VerifiedCode => v1::SignInWay::VerifiedCode,
        SignInWay::Passkey => v1::SignInWay::Passkey,
        SignInWay::Federated => v1::SignInWay::Federated,
    }
}
