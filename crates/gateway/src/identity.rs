//! Who is asking, as applications are told: in headers of the answers to nginx, Caddy and Traefik, which are made here,
//! and of those to Envoy, which are the server's.

use countersign_client::Claims;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The names of the headers, in the order of their values.
pub const IDENTITY_HEADERS: [&str; 6] = [
    "x-auth-user",
    "x-auth-group",
    "x-auth-session",
    "x-auth-client",
    "x-auth-scopes",
    "x-auth-roles",
];

/// The same, checked while this is compiled.
const NAMES: [HeaderName; 6] = [
    HeaderName::from_static(IDENTITY_HEADERS[0]),
    HeaderName::from_static(IDENTITY_HEADERS[1]),
    HeaderName::from_static(IDENTITY_HEADERS[2]),
    HeaderName::from_static(IDENTITY_HEADERS[3]),
    HeaderName::from_static(IDENTITY_HEADERS[4]),
    HeaderName::from_static(IDENTITY_HEADERS[5]),
];

/// What ends a value in a text. None has it.
const END: u8 = b'\n';

/// The holder of a token.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// Who it is.
    pub user_id: &'a str,
    /// In which group.
    pub group_id: &'a str,
    /// The session, if there is one: service accounts and tokens of an old server have none.
    pub session_id: Option<&'a str>,
    /// The caller that the token was issued to.
    pub client_id: &'a str,
    /// The scopes of the token.
    pub scopes: &'a [String],
    /// The roles of the user.
    pub roles: &'a [String],
}

impl<'a> From<&'a Claims> for Holder<'a> {
    fn from(claims: &'a Claims) -> Self {
        Self {
            user_id: &claims.user_id,
            group_id: &claims.group_id,
            // The `sid` of a service account is that of a secret or key.
            session_id: Some(&*claims.session_id).filter(|_| !claims.is_service_account),
            client_id: &claims.client_id,
            scopes: &claims.scopes,
            roles: &claims.roles,
        }
    }
}

impl Holder<'_> {
    /// The values of all headers as one text, so that what is read on each request lies close together.
    #[must_use]
    pub fn to_text(&self) -> Box<[u8]> {
        let session_id = self.session_id.unwrap_or_default();
        let mut text = Vec::new();
        for one in [self.user_id, self.group_id, session_id, self.client_id] {
            write(&mut text, [one], b' ');
        }
        for (list, separator) in [(self.scopes, b' '), (self.roles, b',')] {
            write(&mut text, list.iter().map(String::as_str), separator);
        }
        text.into()
    }
}

/// The values of the headers in a text of [`Holder::to_text`], in the order of [`IDENTITY_HEADERS`].
#[must_use]
pub fn identity_values(text: &[u8]) -> [&[u8]; IDENTITY_HEADERS.len()] {
    let mut values = text.split(|&byte| byte == END);
    [(); IDENTITY_HEADERS.len()].map(|()| values.next().unwrap_or_default())
}

/// Adds the headers of nobody. Each is always there, if need be empty, so that it takes the place of what a stranger
/// sent.
pub(crate) fn add_nobody(headers: &mut HeaderMap) {
    for name in NAMES {
        headers.insert(name, HeaderValue::from_static(""));
    }
}

/// The headers of an answer about nobody, as those of one about somebody: the holder in a text of [`Holder::to_text`].
#[must_use]
pub fn with_identity(anonymous: &HeaderMap, text: &[u8]) -> HeaderMap {
    let mut headers = anonymous.clone();
    for (name, value) in NAMES.iter().zip(identity_values(text)) {
        if !value.is_empty() {
            let value = HeaderValue::from_bytes(value).expect("visible ASCII and spaces");
            match headers.get_mut(name) {
                Some(said) => *said = value,
                None => drop(headers.insert(name, value)),
            }
        }
    }
    headers
}

/// Writes a value, and its end: texts with a separator between them. Whatever else than visible ASCII is in one, the
/// separator or a percent sign, is percent-encoded (RFC 3986, section 2.1): a token of an old server may say anything,
/// and a role may have a comma. So nothing that a token says is two values, or another header.
fn write<'a>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = &'a str>, separator: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'%' && byte != separator;
    for (number, text) in texts.into_iter().enumerate() {
        if number > 0 {
            out.push(separator);
        }
        for byte in text.bytes() {
            match is_plain(byte) {
                true => out.push(byte),
                false => {
                    let [high, low] = [byte >> 4, byte & 15].map(usize::from);
                    out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
                }
            }
        }
    }
    out.push(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> HeaderMap {
        let mut headers = HeaderMap::new();
        add_nobody(&mut headers);
        headers
    }

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
            (&[" \t\0\u{7f}"], b' ', "%20%09%00%7F"),
            (&[""], b',', ""),
            (&[], b',', ""),
        ] {
            let mut said = Vec::new();
            write(&mut said, texts.iter().copied(), separator);
            assert_eq!(said, [written.as_bytes(), b"\n"].concat(), "{texts:?}");
        }
    }

    #[test]
    fn nobody_is_said_in_as_many_headers() {
        let headers = nobody();
        assert_eq!(headers.len(), 6);
        assert!(headers.values().all(HeaderValue::is_empty));
        assert_eq!(with_identity(&headers, b""), headers);
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
            let headers = with_identity(&nobody(), &Holder::from(&claims).to_text());
            IDENTITY_HEADERS.map(|name| headers[name].to_str().expect("ASCII").to_owned())
        };
        let user = "mina%0Ax-auth-roles:%20admin";
        let roles = "editor,a%2Cb";
        assert_eq!(said(false), [user, "default", "evening", "shop", "", roles]);
        assert_eq!(said(true), [user, "default", "", "shop", "", roles]);
    }
}
