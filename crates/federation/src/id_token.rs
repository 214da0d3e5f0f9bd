//! What an ID token has to say (OpenID Connect Core 1.0, 3.1.3.7), beside being signed.

use aws_lc_rs::digest::{SHA256, digest};

use crate::failure::Failure;
use crate::json::Members;
use crate::jws::Jws;

/// How far clocks may differ, in seconds.
pub(crate) const LEEWAY: i64 = 60;
/// How far ahead a token may have been issued, in seconds.
pub(crate) const LONGEST_AHEAD: i64 = 300;
/// How long a token may be good still, in seconds: as long as it is kept that it was used.
pub(crate) const LONGEST_LIFE: i64 = 24 * 3600;
/// The most bytes of a subject (Core, 2).
pub(crate) const LONGEST_SUBJECT: usize = 255;

/// What a token has to fit.
pub(crate) struct Expected<'a> {
    /// `iss`: one of these.
    pub(crate) issuers: &'a [String],
    /// For whom it is.
    pub(crate) audience: Audience<'a>,
    /// Its nonce.
    pub(crate) nonce: Nonce<'a>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// For whom a token is.
pub(crate) enum Audience<'a> {
    /// For this client, in a sign-in that it has begun; and for those apps beside it.
    Client { id: &'a str, apps: &'a [String] },
    /// For one of these apps, in a sign-in that the app has begun by itself.
    App { apps: &'a [String], client: &'a str },
}

/// The nonce that a token has to have.
pub(crate) enum Nonce<'a> {
    /// This one.
    Exactly(&'a str),
    /// This one, or its SHA-256 in hexadecimal; none if there is none.
    OfApp(Option<&'a str>),
}

/// Checks the header and the claims of a token, and tells its subject.
///
/// # Errors
/// Rejected, with the first thing that is wrong.
pub(crate) fn check(token: &Jws, expected: &Expected<'_>) -> Result<String, Failure> {
    let of_token = |failure: Failure| failure.during("the ID token");
    check_all(token, expected).map_err(of_token)
}

fn check_all(token: &Jws, expected: &Expected<'_>) -> Result<String, Failure> {
    let claims = token.claims();
    if !token.has_no_type() && !token.has_type("jwt") {
        return Err(Failure::rejected("it is of another type"));
    }
    // Security event and logout tokens (RFC 8417, 2.2; Back-Channel Logout 1.0, 2.4).
    if claims.has("events") {
        return Err(Failure::rejected("it tells of events"));
    }
    if !expected.issuers.contains(&claims.required("iss")?) {
        return Err(Failure::rejected("it is of another issuer"));
    }
    check_audience(claims, &expected.audience)?;
    check_times(claims, expected.now)?;
    check_nonce(claims.text("nonce")?.as_deref(), &expected.nonce)?;
    subject(claims)
}

fn check_audience(claims: &Members, expected: &Audience<'_>) -> Result<(), Failure> {
    let audiences = audiences(claims)?;
    let party = claims.text("azp")?;
    let stranger = || Failure::rejected("it is for another client");
    let is_among = |ids: &[String], id: &String| ids.contains(id);
    match *expected {
        Audience::Client { id, apps } => {
            if !audiences.iter().any(|audience| audience == id) {
                return Err(stranger());
            }
            let is_known = |audience: &String| audience == id || is_among(apps, audience);
            if !audiences.iter().all(is_known) {
                return Err(Failure::rejected("it is for strangers, too"));
            }
            match party {
                Some(party) if party != id => Err(Failure::rejected("its azp is another client")),
                None if audiences.len() > 1 => Err(Failure::rejected("it has no azp")),
                Some(_) | None => Ok(()),
            }
        }
        Audience::App { apps, client } => {
            let [audience] = audiences.as_slice() else {
                return Err(Failure::rejected("it is for more than one client"));
            };
            if !is_among(apps, audience) {
                return Err(stranger());
            }
            let is_known = |party: &String| party == client || is_among(apps, party);
            match party.as_ref().is_none_or(is_known) {
                true => Ok(()),
                false => Err(Failure::rejected("its azp is another client")),
            }
        }
    }
}

/// `aud`: a text or a list of texts.
pub(crate) fn audiences(claims: &Members) -> Result<Vec<String>, Failure> {
    let audiences = match claims.text("aud") {
        Ok(Some(one)) => vec![one],
        Ok(None) => Vec::new(),
        Err(_) => claims.texts("aud")?.unwrap_or_default(),
    };
    match audiences.is_empty() {
        true => Err(Failure::rejected("it has no aud")),
        false => Ok(audiences),
    }
}

fn check_times(claims: &Members, now: i64) -> Result<(), Failure> {
    let expires = claims.seconds("exp")?;
    let expires = expires.ok_or_else(|| Failure::rejected("it has no exp"))?;
    if expires.saturating_add(LEEWAY) <= now {
        return Err(Failure::rejected("it has expired"));
    }
    if expires > now.saturating_add(LONGEST_LIFE) {
        return Err(Failure::rejected("it is good for too long"));
    }
    check_issued(claims, now)?;
    match claims.seconds("nbf")? {
        Some(start) if start > now.saturating_add(LEEWAY) => {
            Err(Failure::rejected("it is not good yet"))
        }
        Some(_) | None => Ok(()),
    }
}

/// `iat` has to be there, and not far ahead.
pub(crate) fn check_issued(claims: &Members, now: i64) -> Result<i64, Failure> {
    let issued = claims.seconds("iat")?;
    let issued = issued.ok_or_else(|| Failure::rejected("it has no iat"))?;
    match issued > now.saturating_add(LONGEST_AHEAD) {
        true => Err(Failure::rejected("it was issued in the future")),
        false => Ok(issued),
    }
}

fn check_nonce(nonce: Option<&str>, expected: &Nonce<'_>) -> Result<(), Failure> {
    let (expected, may_be_hashed) = match *expected {
        Nonce::Exactly(expected) => (Some(expected), false),
        Nonce::OfApp(expected) => (expected, true),
    };
    let is_good = match (nonce, expected) {
        (None, None) => true,
        (Some(nonce), Some(expected)) if !expected.is_empty() => {
            nonce == expected || (may_be_hashed && nonce == sha256(expected))
        }
        (Some(_), None | Some(_)) | (None, Some(_)) => false,
    };
    match (is_good, nonce) {
        (true, _) => Ok(()),
        (false, None) => Err(Failure::rejected("it has no nonce")),
        (false, Some(_)) => Err(Failure::rejected("its nonce is another one")),
    }
}

/// `sub`, 1 to 255 bytes.
pub(crate) fn subject(claims: &Members) -> Result<String, Failure> {
    checked_subject(claims.required("sub")?)
}

/// A subject that can be one.
pub(crate) fn checked_subject(subject: String) -> Result<String, Failure> {
    let is_good = (1..=LONGEST_SUBJECT).contains(&subject.len());
    match is_good && !subject.chars().any(char::is_control) {
        true => Ok(subject),
        false => Err(Failure::rejected("its sub is not 1 to 255 bytes of text")),
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
