//! The tokens of an answer as OAuth writes them (RFC 6749, section 5.1), and how an identifier is told.

use countersign_client::proto::identifier::Value as Kind;
use countersign_client::proto::{Identifier, Tokens};
use countersign_client::{Clock, SystemClock};
use serde::Serialize;

use crate::problem::Problem;

/// What a sign-in or a refresh yields.
#[derive(Debug, Serialize)]
pub(crate) struct TokenPair {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    /// How long the access token is good, in seconds.
    expires_in: u64,
    user_id: String,
    session_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    device_token: String,
}

impl TokenPair {
    /// Of an answer's tokens.
    pub(crate) fn new(tokens: Option<Tokens>, device_token: String) -> Result<Self, Problem> {
        let tokens = tokens.ok_or_else(|| Problem::incomplete("tokens"))?;
        let expires = tokens.access_token_expire_time;
        let expires = expires.and_then(|time| std::time::SystemTime::try_from(time).ok());
        let expires = expires.ok_or_else(|| Problem::incomplete("access_token_expire_time"))?;
        let left = expires.duration_since(SystemClock.now());
        Ok(Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            token_type: "Bearer",
            expires_in: left.unwrap_or_default().as_secs(),
            user_id: tokens.user_id,
            session_id: tokens.session_id,
            device_token,
        })
    }
}

/// What a person types to say who it is: an address has an `@`, a phone number is of digits and what stands between
/// them, and everything else is a user name.
pub(crate) fn identifier(text: &str) -> Identifier {
    let text = text.trim();
    // A user name starts with a letter.
    let is_phone = text.starts_with(|c: char| matches!(c, '+' | '(') || c.is_ascii_digit());
    let value = if text.contains('@') {
        Kind::Email(text.to_owned())
    } else if is_phone {
        Kind::Phone(text.to_owned())
    } else {
        Kind::Username(text.to_owned())
    };
    Identifier { value: Some(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_tells_its_kind() {
        let email = |text: &str| Kind::Email(text.to_owned());
        let phone = |text: &str| Kind::Phone(text.to_owned());
        let username = |text: &str| Kind::Username(text.to_owned());
        for (typed, expected) in [
            (" mina@example.com ", email("mina@example.com")),
            ("+82 10-1234-5678", phone("+82 10-1234-5678")),
            ("010-1234-5678", phone("010-1234-5678")),
            ("(02) 123-4567", phone("(02) 123-4567")),
            ("mina", username("mina")),
            ("민아", username("민아")),
            ("", username("")),
        ] {
            assert_eq!(identifier(typed).value, Some(expected));
        }
    }
}
