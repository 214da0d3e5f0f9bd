//! The headers that tell an application who is asking, and those that it might take
//! for one of them.

use std::slice;

use countersign_domain::validation::{TokenHolder, VerifiedToken};

/// Their names, all of which an answer either sets or removes.
pub(super) const NAMES: [&str; 6] = [
    "x-auth-user",
    "x-auth-group",
    "x-auth-session",
    "x-auth-scopes",
    "x-auth-roles",
    "x-auth-client",
];

/// What a header says: texts with a separator between them. Whatever else than visible
/// ASCII is in one, the separator or a percent sign, is percent-encoded (RFC 3986, section
/// 2.1): a token of an old server may say anything, and a role may have a comma. So
/// nothing that a token says is two values, or another header.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeaderText<'a> {
    texts: &'a [String],
    separator: u8,
}

/// What the headers say of a token, in the order of [`NAMES`]. What is empty is not set.
pub(super) fn of(token: &VerifiedToken) -> [HeaderText<'_>; NAMES.len()] {
    let claims = &token.claims;
    let one = |text| HeaderText {
        texts: slice::from_ref(text),
        separator: b' ',
    };
    let session = match token.holder {
        TokenHolder::Session(_) => slice::from_ref(&claims.sid),
        // The `sid` of a service account is that of a secret or key.
        TokenHolder::Old(_) | TokenHolder::ServiceAccount(_) => &[],
    };
    [
        one(&claims.sub),
        one(&claims.grp),
        HeaderText {
            texts: session,
            separator: b' ',
        },
        HeaderText {
            texts: &claims.scope,
            separator: b' ',
        },
        HeaderText {
            texts: &claims.roles,
            separator: b',',
        },
        one(&claims.client_id),
    ]
}

#[cfg(test)]
impl<'a> HeaderText<'a> {
    /// These texts, with commas between them.
    pub(super) fn of_list(texts: &'a [String]) -> Self {
        let separator = b',';
        Self { texts, separator }
    }
}

impl HeaderText<'_> {
    /// How long it is, in bytes.
    pub(super) fn len(self) -> usize {
        let separators = self.texts.len().saturating_sub(1);
        let bytes = self.texts.iter().flat_map(|text| text.bytes());
        let encoded = bytes.map(|byte| match self.is_plain(byte) {
            true => 1,
            false => 3,
        });
        encoded.sum::<usize>() + separators
    }

    /// Writes as many bytes.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        for (number, text) in self.texts.iter().enumerate() {
            if number > 0 {
                out.push(self.separator);
            }
            if text.bytes().all(|byte| self.is_plain(byte)) {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            for byte in text.bytes() {
                match self.is_plain(byte) {
                    true => out.push(byte),
                    false => {
                        let [high, low] = [byte >> 4, byte & 15].map(usize::from);
                        out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
                    }
                }
            }
        }
    }

    fn is_plain(self, byte: u8) -> bool {
        matches!(byte, 0x21..=0x7e) && byte != b'%' && byte != self.separator
    }
}

/// Whether an application might take a header of this name for one of ours, though the
/// proxy does not: CGI and its children (WSGI, PHP, Rack) make `HTTP_X_AUTH_USER` of
/// `x_auth_user` and `x.auth.user`, too.
pub(super) fn is_look_alike(name: &[u8]) -> bool {
    let is_one = |ours: &&str| {
        let ours = ours.as_bytes();
        let is_same = |(theirs, ours): (&u8, &u8)| match ours {
            b'-' => !theirs.is_ascii_alphanumeric(),
            ours => theirs.eq_ignore_ascii_case(ours),
        };
        ours.len() == name.len() && name.iter().zip(ours).all(is_same)
    };
    // Few headers begin so.
    matches!(name.first(), Some(b'x' | b'X'))
        && NAMES.iter().any(is_one)
        && !NAMES.iter().any(|ours| ours.as_bytes() == name)
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
            (&[" \t\0\x7f"], b' ', "%20%09%00%7F"),
            (&[""], b' ', ""),
            (&[], b',', ""),
        ] {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            let header = HeaderText {
                texts: &texts,
                separator,
            };
            let mut out = Vec::new();
            header.write(&mut out);
            assert_eq!(String::from_utf8_lossy(&out), written);
            assert_eq!(header.len(), out.len(), "{written}");
        }
    }

    #[test]
    fn look_alikes_are_known_and_nothing_else() {
        for name in NAMES {
            let others = [
                name.replace('-', "_"),
                name.replace('-', "."),
                name.replacen('-', "_", 1),
                name.to_uppercase(),
                name.replacen('x', "X", 1),
            ];
            for other in others {
                assert!(is_look_alike(other.as_bytes()), "{other}");
            }
            // The proxy puts or removes these itself.
            assert!(!is_look_alike(name.as_bytes()), "{name}");
        }
        for other in [
            "x-auth-token",
            "x_auth",
            "xxauthxuser",
            "y_auth_user",
            "x-auth-users",
            "",
        ] {
            assert!(!is_look_alike(other.as_bytes()), "{other}");
        }
    }
}
