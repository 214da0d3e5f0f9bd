//! The headers that tell an application who is asking, as answers to Envoy have them, too.

use countersign_client::Claims;
use http::{HeaderMap, HeaderName, HeaderValue};

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const GROUP: HeaderName = HeaderName::from_static("x-auth-group");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");
const SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");

/// In the order in which their values are written.
const NAMES: [HeaderName; 6] = [USER, GROUP, SESSION, CLIENT, SCOPES, ROLES];

/// What ends a value where they are written. None has it.
const END: u8 = b'\n';

/// Room for those, and for what every answer has.
const ROOM: usize = 16;

/// Says whose a token is that says this: the values of the headers, one after the other. As one text, what is read on
/// each request lies close together.
#[must_use]
pub fn identity_text(claims: &Claims) -> Box<[u8]> {
    let session = match claims.is_service_account {
        // Its `sid` is that of a secret or key.
        true => "",
        false => &claims.session_id,
    };
    let mut said = Vec::new();
    for text in [
        &claims.user_id,
        &claims.group_id,
        session,
        &claims.client_id,
    ] {
        write(&mut said, [text], b' ');
    }
    for (texts, separator) in [(&claims.scopes, b' '), (&claims.roles, b',')] {
        write(&mut said, texts.iter().map(String::as_str), separator);
    }
    said.into()
}

/// The headers of a text of [`identity_text`], with room for more; those of nobody, if it is empty. Each is always there,
/// if need be empty, so that it takes the place of what a stranger sent.
#[must_use]
pub fn identity_headers(text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(ROOM);
    let mut values = text.split(|&byte| byte == END);
    for name in NAMES {
        let value = match values.next() {
            None | Some([]) => HeaderValue::from_static(""),
            Some(value) => HeaderValue::from_bytes(value).expect("visible ASCII and spaces"),
        };
        headers.insert(name, value);
    }
    headers
}

/// Writes a value, and its end: texts with a separator between them. Whatever else than visible ASCII is in one, the
/// separator or a percent sign, is percent-encoded (RFC 3986, section 2.1): a token of an old server may say anything,
/// and a role may have a comma. So nothing that a token says is two values, or another header.
fn write<'a>(said: &mut Vec<u8>, texts: impl IntoIterator<Item = &'a str>, separator: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'%' && byte != separator;
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
    said.push(END);
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
            let mut said = Vec::new();
            write(&mut said, texts.iter().copied(), separator);
            assert_eq!(said, [written.as_bytes(), b"\n"].concat(), "{texts:?}");
        }
    }

    #[test]
    fn nobody_is_said_in_as_many_headers() {
        let headers = identity_headers(b"");
        assert_eq!(headers.len(), 6);
        assert!(headers.values().all(HeaderValue::is_empty));
    }

    #[test]
    fn each_claim_is_said_in_its_own_header() {
        let told = countersign_client::proto::Claims {
            subject: "mina\nx-auth-roles: admin".into(),
            group_id: "default".into(),
            session_id: "evening".into(),
            client_id: "shop".into(),
            roles: vec!["editor".into(), "a,b".into()],
            expire_time: Some(prost_types::Timestamp::default()),
            issue_time: Some(prost_types::Timestamp::default()),
            authentication_time: Some(prost_types::Timestamp::default()),
            ..Default::default()
        };
        let said = |is_service_account| {
            let told = countersign_client::proto::Claims {
                is_service_account,
                ..told.clone()
            };
            let claims = Claims::try_from(told).expect("claims");
            let headers = identity_headers(&identity_text(&claims));
            NAMES.map(|name| headers[name].to_str().expect("ASCII").to_owned())
        };
        let user = "mina%0Ax-auth-roles:%20admin";
        let roles = "editor,a%2Cb";
        assert_eq!(said(false), [user, "default", "evening", "shop", "", roles]);
        assert_eq!(said(true), [user, "default", "", "shop", "", roles]);
    }
}
