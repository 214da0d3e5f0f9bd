//! The claims of an access token (RFC 9068), their form on the wire, and the
//! rules that both the signer and the verifier hold them to.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Rejection;
use crate::json::Object;

/// 9999-12-31T23:59:59Z, the last second that calendars can write.
pub(crate) const MAX_TIME: i64 = 253_402_300_799;

/// The claims of an access token. Times are seconds since the Unix epoch.
///
/// Deserializing checks the form of the claims only; what a token says is known
/// after [`Verifier::verify`](crate::Verifier::verify).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer: the URL of the service that signed.
    pub iss: String,
    /// Subject: the id of the user.
    pub sub: String,
    /// Audience: the services that the token is meant for, at least one. A
    /// single one is written as a plain string.
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    /// Expiry: the first second at which the token is no longer good.
    pub exp: i64,
    /// When the token was issued.
    pub iat: i64,
    /// Not before.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub nbf: Option<i64>,
    /// The id of this token.
    pub jti: String,
    /// The client that asked for the token.
    pub client_id: String,
    /// The session that the token belongs to.
    pub sid: String,
    /// The group of the user.
    pub grp: String,
    /// What the token may be used for: scope tokens of RFC 6749 section 3.3,
    /// written as one string with a space between them.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "scope")]
    pub scope: Vec<String>,
    /// The roles of the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// How the user proved who they are (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How well the user proved it: [`authentication`](Self::authentication).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub acr: Option<String>,
    /// When the user proved it last.
    pub auth_time: i64,
}

/// From when until when a token is good, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second: the later one of `iat` and `nbf`.
    pub(crate) starts: i64,
    /// The first second no more: `exp`.
    pub(crate) ends: i64,
}

impl Validity {
    /// The same, but no longer than until this second.
    #[must_use]
    pub fn ending_by(self, end: i64) -> Self {
        Self {
            ends: self.ends.min(end),
            ..self
        }
    }
}

impl AccessClaims {
    /// From when until when the token is good.
    #[must_use]
    pub fn validity(&self) -> Validity {
        Validity {
            starts: self.nbf.map_or(self.iat, |nbf| nbf.max(self.iat)),
            ends: self.exp,
        }
    }

    /// Whether the token carries every one of the `required` scopes.
    #[must_use]
    pub fn has_scopes<S: AsRef<str>>(&self, required: &[S]) -> bool {
        required
            .iter()
            .all(|scope| self.scope.iter().any(|have| have == scope.as_ref()))
    }

    /// Whether the token is meant for `audience`, compared byte for byte.
    #[must_use]
    pub fn accepts_audience(&self, audience: &str) -> bool {
        self.aud.iter().any(|have| have == audience)
    }

    /// Reads and checks the payload of a token.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Rejection> {
        // Members that are passed over are never checked to be UTF-8 otherwise.
        let text = std::str::from_utf8(payload).map_err(|_| Rejection::InvalidClaims)?;
        let Object(claims) =
            serde_json::from_str::<Object<Self>>(text).map_err(|_| Rejection::InvalidClaims)?;
        claims.check().map_err(|_| Rejection::InvalidClaims)?;
        Ok(claims)
    }

    /// Holds the claims to what their types cannot say; names the first that fails.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let texts = [
            ("iss", &self.iss),
            ("sub", &self.sub),
            ("jti", &self.jti),
            ("client_id", &self.client_id),
            ("sid", &self.sid),
            ("grp", &self.grp),
        ];
        if let Some((claim, _)) = texts.into_iter().find(|(_, text)| text.is_empty()) {
            return Err(claim);
        }
        if self.aud.is_empty() {
            return Err("aud");
        }
        let lists = [
            ("aud", &self.aud),
            ("roles", &self.roles),
            ("amr", &self.amr),
        ];
        let has_empty = |list: &[String]| list.iter().any(String::is_empty);
        if let Some((claim, _)) = lists.into_iter().find(|(_, list)| has_empty(list)) {
            return Err(claim);
        }
        if self.acr.as_ref().is_some_and(String::is_empty) {
            return Err("acr");
        }
        if !self.scope.iter().all(|scope| is_scope_token(scope)) {
            return Err("scope");
        }
        let times = [
            ("exp", Some(self.exp)),
            ("iat", Some(self.iat)),
            ("nbf", self.nbf),
            ("auth_time", Some(self.auth_time)),
        ];
        let out_of_range = |time: i64| !(0..=MAX_TIME).contains(&time);
        if let Some((claim, _)) = times
            .into_iter()
            .find(|(_, time)| time.is_some_and(out_of_range))
        {
            return Err(claim);
        }
        if self.exp <= self.iat {
            return Err("exp");
        }
        Ok(())
    }
}

/// RFC 6749 section 3.3: printable ASCII without space, quote and backslash.
pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// A claim that may be left out but, where it stands, is not `null`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// `aud`: a string, or an array of strings.
pub(crate) mod audience {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        audience: &[String],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match audience {
            [one] => serializer.serialize_str(one),
            many => serializer.collect_seq(many),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }

    struct AudienceVisitor;

    impl<'de> Visitor<'de> for AudienceVisitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_str<E: Error>(self, one: &str) -> Result<Self::Value, E> {
            Ok(vec![one.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut audience = Vec::new();
            while let Some(item) = items.next_element()? {
                audience.push(item);
            }
            Ok(audience)
        }
    }
}

/// `scope`: one string, a single space between two scopes.
mod scope {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        scope: &[String],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&scope.join(" "))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        let text = crate::json::Text::deserialize(deserializer)?;
        Ok(text.0.split(' ').map(str::to_owned).collect())
    }
}

#[cfg(test)]
pub(crate) mod tests;
