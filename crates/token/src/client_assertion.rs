//! Client assertions (RFC 7523): JWTs by which a client proves that it holds a private
//! key, checked as strictly as access tokens are.

use std::time::Duration;

use serde::Deserialize;

use crate::claims::{MAX_TIME, audience, present};
use crate::json::Object;
use crate::jws::{Compact, Header};
use crate::{MAX_TOKEN_BYTES, Rejection, VerifyingKey};

/// The values of `typ` that a client assertion may have, if it has one.
const TYPES: [&str; 4] = [
    "JWT",
    "application/JWT",
    "client-authentication+jwt",
    "application/client-authentication+jwt",
];

/// What a client assertion must say.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAssertion<'a> {
    /// `iss` and `sub`: the client.
    pub client: &'a str,
    /// `aud`, which has no other: the issuer for which it is meant.
    pub audience: &'a str,
    /// How long ahead `exp` may lie.
    pub longest: Duration,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// A client assertion that is good, but for whether it was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAssertion {
    /// The id of the key that signed it.
    pub kid: String,
    /// Its own id, which the client uses once.
    pub jti: String,
    /// From which second on it is not good, the leeway not counted.
    pub exp: i64,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(deserialize_with = "audience::deserialize")]
    aud: Vec<String>,
    exp: i64,
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    jti: String,
}

impl ClientAssertion {
    /// The most bytes of a `jti`.
    pub const MAX_JTI_BYTES: usize = 256;

    /// Checks all of an assertion but whether its `jti` was used: size and form,
    /// header, key, algorithm, signature, claims and times. `keys` are the client's
    /// own, and few: an assertion that names no `kid` is tried with each of them that
    /// has its algorithm. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        assertion: &str,
        keys: &[VerifyingKey],
        expected: ExpectedAssertion<'_>,
        now: i64,
    ) -> Result<Self, Rejection> {
        if assertion.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        let compact = Compact::split(assertion)?;
        let header = Header::read(&compact.header)?;
        let is_of_type =
            header.has_type(None) || TYPES.iter().any(|typ| header.has_type(Some(typ)));
        if !is_of_type {
            return Err(Rejection::WrongType);
        }
        let is_named = |key: &&VerifyingKey| header.kid().is_none_or(|kid| kid == key.kid());
        let named: Vec<_> = keys.iter().filter(is_named).collect();
        if named.is_empty() {
            return Err(Rejection::UnknownKey);
        }
        let has_algorithm = |key: &&VerifyingKey| header.has_algorithm(key.algorithm());
        let fitting: Vec<_> = named.into_iter().filter(has_algorithm).collect();
        if fitting.is_empty() {
            return Err(Rejection::WrongAlgorithm);
        }
        let verifies =
            |key: &&VerifyingKey| key.verifies(compact.signing_input, &compact.signature);
        let key = fitting.into_iter().find(verifies);
        let key = key.ok_or(Rejection::BadSignature)?;
        let claims = Claims::read(&compact.payload)?;
        claims.check(expected, now)?;
        Ok(Self {
            kid: key.kid().to_owned(),
            jti: claims.jti,
            exp: claims.exp,
        })
    }
}

impl Claims {
    fn read(payload: &[u8]) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(payload).map_err(|_| Rejection::InvalidClaims)?;
        let Object(claims) =
            serde_json::from_str::<Object<Self>>(text).map_err(|_| Rejection::InvalidClaims)?;
        Ok(claims)
    }

    fn check(&self, expected: ExpectedAssertion<'_>, now: i64) -> Result<(), Rejection> {
        if self.iss != expected.client || self.sub != expected.client {
            return Err(Rejection::WrongIssuer);
        }
        if self.aud != [expected.audience] {
            return Err(Rejection::WrongAudience);
        }
        if self.jti.is_empty() || self.jti.len() > ClientAssertion::MAX_JTI_BYTES {
            return Err(Rejection::InvalidClaims);
        }
        let starts = [self.iat, self.nbf].into_iter().flatten();
        let mut times = starts.clone().chain([self.exp]);
        if !times.all(|time| (0..=MAX_TIME).contains(&time)) {
            return Err(Rejection::InvalidClaims);
        }
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let leeway = seconds(expected.leeway);
        if self.exp <= now.saturating_sub(leeway) {
            return Err(Rejection::Expired);
        }
        let latest = now
            .saturating_add(seconds(expected.longest))
            .saturating_add(leeway);
        if self.exp > latest || starts.clone().any(|start| start >= self.exp) {
            return Err(Rejection::InvalidClaims);
        }
        if starts
            .clone()
            .any(|start| start > now.saturating_add(leeway))
        {
            return Err(Rejection::NotYetValid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
