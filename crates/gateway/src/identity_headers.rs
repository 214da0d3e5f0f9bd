//! The headers that tell an application who is asking, as answers to Envoy have them, too.

use countersign_client::Claims;
use http::{HeaderMap, HeaderName, HeaderValue};

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const GROUP: HeaderName = HeaderName::from_static("x-auth-group");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");
const SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");

/// Room for those, and for what every answer has.
const ROOM: usize = 16;

/// Says who it is. Each header is always there, if need be empty, so that it takes the place of what a stranger sent.
pub(crate) fn identity_headers(claims: Option<&Claims>) -> HeaderMap {
    const NOTHING: HeaderValue = HeaderValue::from_static("");
    let text = |of: fn(&Claims) -> &str| match claims.map(of) {
        None | Some("") => NOTHING,
        Some(text) => header([text], b' '),
    };
    let list = |of: fn(&Claims) -> &[String], separator| match claims.map(of) {
        None | Some([]) => NOTHING,
        Some(texts) => header(texts.iter().map(String::as_str), separator),
    };
    let mut headers = HeaderMap::with_capacity(ROOM);
    headers.insert(USER, text(|claims| &claims.user_id));
    headers.insert(GROUP, text(|claims| &claims.group_id));
    headers.insert(
        SESSION,
        text(|claims| match claims.is_service_account {
            // Its `sid` is that of a secret or key.
            true => "",
            false => &claims.session_id,
        }),
    );
    headers.insert(CLIENT, text(|claims| &claims.client_id));
    headers.insert(SCOPES, list(|claims| &claims.scopes, b' '));
    headers.insert(ROLES, list(|claims| &claims.roles, b','));
    headers
}

/// Texts with a separator between them. Whatever else than visible ASCII is in one, the separator or a percent sign, is
/// percent-encoded (RFC 3986, section 2.1): a token of an old server may say anything, and a role may have a comma. So
/// nothing that a token says is two values, or another header.
fn header<'a>(texts: impl IntoIterator<Item = &'a str>, separator: u8) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'%' && byte != separator;
    let mut said = Vec::new();
    for (number, text) in texts.into_iter().enumerate() {
        if number > 0 {
            said.push(separator);
        }
        if text.bytes().all(is_plain) {
            said.extend_from_slice(text.as_bytes());
            continue;
        }
        for byte in text.bytes() {
            match is_plain(byte) {
                true => said.push(byte),
                false => {
                    let [high, low] = [byte >> 4, byte & 15].map(usize::from);
                    said.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
                }
            }
        }
    }
    HeaderValue::try_from(said).expect("visible ASCII and spaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_token_says_is_two_values_or_another_header() {
        for (texts, separator, written) in [
            (&["editor", "admin"][..], b',', "editor,admin"),
            (&["editor,admin"], b',', "editor%2Cadmin"),
            (&["editor%2Cadmin"], b',', "editor%252Cadmin"),
            (&["a b", "c,d"], b' ', "a%20b c,d"),
            (
                &["mina\r\nx-auth-roles: admin"],
                b' ',
                "mina%0D%0Ax-auth-roles:%20admin",
            ),
            (&["미나"], b' ', "%EB%AF%B8%EB%82%98"),
            (&["\u{7f}\0"], b' ', "%7F%00"),
            (&[""], b',', ""),
        ] {
            let said = header(texts.iter().copied(), separator);
            assert_eq!(said, written, "{texts:?}");
        }
    }

    #[test]
    fn nobody_is_said_in_as_many_headers() {
        let headers = identity_headers(None);
        assert_eq!(headers.len(), 6);
        assert!(headers.values().all(HeaderValue::is_empty));
    }
}
