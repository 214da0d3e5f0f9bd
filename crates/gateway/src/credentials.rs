//! By what a request shows whose it is: `Authorization: Bearer …`, or else the cookie of a sign-in.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::cookies;

/// What the API keys of callers begin with.
const API_KEY: &str = "csk_";

/// The access token of a person.
pub(crate) fn access_token(headers: &HeaderMap) -> Option<&str> {
    if headers.contains_key(AUTHORIZATION) {
        return bearer(headers).filter(|shown| !shown.starts_with(API_KEY));
    }
    cookies::read(headers, cookies::ACCESS)
}

/// The API key of a caller, such as an operator's tool.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).filter(|shown| shown.starts_with(API_KEY))
}

/// What the one `Authorization: Bearer …` header shows (RFC 6750, section 2.1). Of two, nobody could tell which one
/// was meant.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, shown) = only.to_str().ok()?.split_once(' ')?;
    let shown = shown.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !shown.is_empty()).then_some(shown)
}
