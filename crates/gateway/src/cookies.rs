//! The cookies of a person who is signed in. Scripts cannot read them, other sites do not send them, and other hosts
//! cannot set them (RFC 6265bis, `__Host-`). The refresh token goes to the one path that needs it, for which
//! `__Secure-` is the strictest prefix.

use std::time::{Duration, SystemTime};

use countersign_client::proto::Tokens;
use countersign_client::{Clock, SystemClock};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use memchr::memchr_iter;
use prost_types::Timestamp;

use crate::problem::Problem;

/// The access token.
pub(crate) const ACCESS: &str = "__Host-access";
/// The refresh token, for [`REFRESH_PATH`] alone.
pub(crate) const REFRESH: &str = "__Secure-refresh";
/// Where the refresh token is sent.
pub(crate) const REFRESH_PATH: &str = "/session";
/// By what the device is known.
pub(crate) const DEVICE: &str = "__Host-device";
/// The language that was chosen.
pub(crate) const LANGUAGE: &str = "__Host-language";
/// A sign-in that waits for a second factor.
pub(crate) const MFA: &str = "__Host-mfa";
/// A sign-in at a provider, while the browser is there.
pub(crate) const FEDERATED: &str = "__Host-federated";
/// An account at a provider that is linked to nobody yet.
pub(crate) const ACCOUNT: &str = "__Host-account";
/// What a form repeats, for browsers that do not say where a request comes from.
pub(crate) const CSRF: &str = "__Host-csrf";

/// The value of a cookie. Of two with one name, nobody could tell which one was meant. What stands in the others, which
/// may be an application's and any bytes, is not looked at.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.flat_map(|line| pairs(line.as_bytes()));
    let mut values = pairs.filter_map(|pair| {
        let pair = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        pair.strip_prefix(b"=")
    });
    let only = values.next().filter(|value| !value.is_empty())?;
    let only = std::str::from_utf8(only).ok()?;
    Some(only).filter(|_| values.next().is_none())
}

/// What stands between semicolons. A token is long: it is not looked at byte by byte.
fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b';', line).chain([line.len()]);
    ends.scan(0, |begin, end| {
        let pair = &line[*begin..end];
        *begin = end + 1;
        Some(pair)
    })
}

/// Adds the cookies of new tokens.
///
/// # Errors
/// If the tokens do not say how long they are good.
pub(crate) fn set_tokens(headers: &mut HeaderMap, tokens: &Tokens) -> Result<(), Problem> {
    let refresh = age(tokens.refresh_token_expire_time)?;
    set_access(
        headers,
        &tokens.access_token,
        tokens.access_token_expire_time,
    )?;
    set(
        headers,
        REFRESH,
        &tokens.refresh_token,
        REFRESH_PATH,
        refresh,
    );
    Ok(())
}

/// Adds the cookie of a new access token alone.
///
/// # Errors
/// If it is not said how long it is good.
pub(crate) fn set_access(
    headers: &mut HeaderMap,
    token: &str,
    expire_time: Option<Timestamp>,
) -> Result<(), Problem> {
    set(headers, ACCESS, token, "/", age(expire_time)?);
    Ok(())
}

fn age(expire_time: Option<Timestamp>) -> Result<Duration, Problem> {
    let end = expire_time.and_then(|time| SystemTime::try_from(time).ok());
    let end = end.ok_or_else(|| Problem::incomplete("expire_time"))?;
    Ok(end.duration_since(SystemClock.now()).unwrap_or_default())
}

/// Adds the cookie by which the device is known from now on, if there is a new one.
pub(crate) fn set_device(headers: &mut HeaderMap, token: &str, expire_time: Option<Timestamp>) {
    let end = expire_time.and_then(|time| SystemTime::try_from(time).ok());
    let age = end.and_then(|end| end.duration_since(SystemClock.now()).ok());
    if let Some(age) = age.filter(|_| !token.is_empty()) {
        set(headers, DEVICE, token, "/", age);
    }
}

/// Adds a cookie that the browser keeps so long.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str, path: &str, age: Duration) {
    let age = age.as_secs();
    let cookie =
        format!("{name}={value}; Path={path}; Max-Age={age}; Secure; HttpOnly; SameSite=Lax");
    let mut cookie = HeaderValue::try_from(cookie).expect("tokens are letters, digits and signs");
    cookie.set_sensitive(true);
    headers.append(SET_COOKIE, cookie);
}

/// Takes the cookies of a sign-in away.
pub(crate) fn clear(headers: &mut HeaderMap) {
    set(headers, ACCESS, "", "/", Duration::ZERO);
    set(headers, REFRESH, "", REFRESH_PATH, Duration::ZERO);
    set(headers, ACCOUNT, "", "/", Duration::ZERO);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_unless_there_are_two() {
        let found = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            read(&headers, ACCESS).map(str::to_owned)
        };
        assert_eq!(
            found(&["a=b; __Host-access=x.y.z; c=d"]).as_deref(),
            Some("x.y.z")
        );
        assert_eq!(found(&["a=b", "__Host-access=x"]).as_deref(), Some("x"));
        for lines in [
            &["__Host-access=x; __Host-access=y"][..],
            &["__Host-access=x", "__Host-access=x"],
            &["__Host-access="],
            &["access=x"],
            &["__host-access=x"],
            &["__Host-access"],
            &["__Host-access2=x"],
            &[],
        ] {
            assert_eq!(found(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn what_stands_in_other_cookies_hides_none() {
        let found = |line: &'static [u8]| {
            let line = HeaderValue::from_bytes(line).unwrap();
            read(&HeaderMap::from_iter([(COOKIE, line)]), ACCESS).map(str::to_owned)
        };
        assert_eq!(
            found("name=미나; __Host-access=x".as_bytes()).as_deref(),
            Some("x")
        );
        assert_eq!(found(b"\xff;__Host-access=x; =").as_deref(), Some("x"));
        assert_eq!(found(b"__Host-access=\xff"), None);
    }
}
