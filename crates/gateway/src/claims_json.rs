//! The claims of a token as JSON says them: the names of RFC 9068, times in seconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_client::Claims;
use serde_json::{Map, Value, json};

/// The claims, without those that are empty.
pub(crate) fn claims_json(claims: &Claims) -> Map<String, Value> {
    let audience = match claims.audience.as_slice() {
        [only] => json!(only),
        several => json!(several),
    };
    let all = [
        ("iss", json!(claims.issuer)),
        ("sub", json!(claims.user_id)),
        ("aud", audience),
        ("exp", json!(seconds(claims.expire_time))),
        ("iat", json!(seconds(claims.issue_time))),
        ("jti", json!(claims.token_id)),
        ("client_id", json!(claims.client_id)),
        ("sid", json!(claims.session_id)),
        ("grp", json!(claims.group_id)),
        ("scope", json!(claims.scopes.join(" "))),
        ("roles", json!(claims.roles)),
        ("amr", json!(claims.authentication_methods)),
        ("acr", json!(claims.acr)),
        ("auth_time", json!(seconds(claims.authentication_time))),
        ("external_id", json!(claims.external_id)),
    ];
    let said = all.into_iter().filter(|(_, value)| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    });
    said.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
