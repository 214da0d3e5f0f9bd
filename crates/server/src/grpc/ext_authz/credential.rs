//! What a request shows: the access token in its headers, which must be one alone.

use std::str;

/// The cookie in which a browser keeps its access token.
pub(super) const ACCESS_COOKIE: &str = "__Host-access";

/// What a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    /// No credential of any kind.
    Nothing,
    /// An access token, or what stands in its place.
    Token(&'a str),
    /// An `authorization` of another scheme: a credential, of which nothing is known.
    AnotherScheme,
    /// Several tokens, or none where one is announced.
    Unreadable,
}

/// What was seen of the headers of a request until now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credentials<'a> {
    authorization: Shown<'a>,
    cookie: Shown<'a>,
}

impl<'a> Credentials<'a> {
    pub(super) fn none() -> Self {
        Self {
            authorization: Shown::Nothing,
            cookie: Shown::Nothing,
        }
    }

    /// Notes an `authorization` header.
    pub(super) fn see_authorization(&mut self, value: &'a [u8]) {
        self.authorization = match self.authorization {
            Shown::Nothing => bearer(value),
            _ => Shown::Unreadable,
        };
    }

    /// Notes a `cookie` header. There may be several, each with other cookies.
    pub(super) fn see_cookies(&mut self, value: &'a [u8]) {
        for pair in value.split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let Some(token) = pair
                .strip_prefix(ACCESS_COOKIE.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="))
            else {
                continue;
            };
            self.cookie = match (self.cookie, str::from_utf8(token)) {
                // A cookie that was emptied is none.
                (seen, Ok("")) => seen,
                (Shown::Nothing, Ok(token)) => Shown::Token(token),
                _ => Shown::Unreadable,
            };
        }
    }

    /// What the request shows. Who sends an `authorization` is judged by that alone: a
    /// cookie does not make up for a bad one.
    pub(super) fn shown(self) -> Shown<'a> {
        match self.authorization {
            Shown::Nothing => self.cookie,
            shown => shown,
        }
    }
}

/// The token of `Bearer` (RFC 6750, section 2.1). Whether it is one, the validator says:
/// of two that a proxy has joined with a comma it says no.
fn bearer(value: &[u8]) -> Shown<'_> {
    let Ok(value) = str::from_utf8(value) else {
        return Shown::Unreadable;
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        // `Basic …,Bearer …` is two of them, and an empty header is none.
        return match value.is_empty() || value.contains(',') {
            true => Shown::Unreadable,
            false => Shown::AnotherScheme,
        };
    }
    match token.trim_matches(' ') {
        "" => Shown::Unreadable,
        token => Shown::Token(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(authorizations: &[&'a str], cookies: &[&'a str]) -> Shown<'a> {
        let mut credentials = Credentials::none();
        for authorization in authorizations {
            credentials.see_authorization(authorization.as_bytes());
        }
        for cookie in cookies {
            credentials.see_cookies(cookie.as_bytes());
        }
        credentials.shown()
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "] {
            assert_eq!(shown(&[value], &[]), Shown::Token("a.b.c"), "{value}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic dTpw,Bearer a.b.c", ","] {
            assert_eq!(shown(&[value], &[]), Shown::Unreadable, "{value}");
        }
        for value in ["Basic dTpw", "Bearera.b.c", "a.b.c", "Digest x=y"] {
            assert_eq!(shown(&[value], &[]), Shown::AnotherScheme, "{value}");
        }
        // The validator refuses this one: no token has a comma.
        let joined = "Bearer a.b.c,Bearer d.e.f";
        let token = Shown::Token("a.b.c,Bearer d.e.f");
        assert_eq!(shown(&[joined], &[]), token);
        let mut credentials = Credentials::none();
        credentials.see_authorization(b"Bearer \xff");
        assert_eq!(credentials.shown(), Shown::Unreadable);
    }

    #[test]
    fn of_two_headers_none_counts() {
        let token = "Bearer a.b.c";
        for second in [token, "Bearer d.e.f", "Basic dTpw", ""] {
            assert_eq!(shown(&[token, second], &[]), Shown::Unreadable, "{second}");
            assert_eq!(shown(&[second, token], &[]), Shown::Unreadable, "{second}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others_by_its_whole_name() {
        for cookies in [
            &["__Host-access=a.b.c"][..],
            &["theme=dark; __Host-access=a.b.c;lang=ko"],
            &["theme=dark", "__Host-access=a.b.c", "x=__Host-access=d"],
            &["__Host-access=; __Host-access=a.b.c"],
        ] {
            assert_eq!(shown(&[], cookies), Shown::Token("a.b.c"), "{cookies:?}");
        }
        for cookies in [
            &["__Host-access="][..],
            &["__host-access=a.b.c"],
            &["x__Host-access=a.b.c"],
            &["__Host-access2=a.b.c"],
            &["__Host-access"],
            &["a=1,__Host-access=a.b.c"],
            &[],
        ] {
            assert_eq!(shown(&[], cookies), Shown::Nothing, "{cookies:?}");
        }
        let twice = "__Host-access=a.b.c; __Host-access=a.b.c";
        assert_eq!(shown(&[], &[twice]), Shown::Unreadable);
    }

    #[test]
    fn a_cookie_makes_up_for_no_bad_authorization() {
        let cookie = ["__Host-access=a.b.c"];
        assert_eq!(shown(&["Basic dTpw"], &cookie), Shown::AnotherScheme);
        assert_eq!(shown(&["Bearer "], &cookie), Shown::Unreadable);
        assert_eq!(shown(&["Bearer d.e.f"], &cookie), Shown::Token("d.e.f"));
    }
}
