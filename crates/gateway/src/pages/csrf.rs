//! The token that forms repeat from a cookie: what a browser that does not say where a request comes from has to show.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// The token of this browser: from its cookie, or a new one.
#[derive(Debug, Clone)]
pub(super) struct CsrfToken {
    pub(super) value: String,
    pub(super) is_new: bool,
}

impl CsrfToken {
    /// That of the cookie, if it has one that was made here.
    pub(super) fn of(cookie: Option<&str>) -> Self {
        let is_token = |value: &&str| {
            value.len() == 22
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        match cookie.filter(is_token) {
            Some(value) => Self {
                value: value.to_owned(),
                is_new: false,
            },
            None => Self::new(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the gateway has no ports, and nothing that it does depends on this number"
    )]
    fn new() -> Self {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).expect("the system has randomness");
        Self {
            value: BASE64_URL_SAFE_NO_PAD.encode(bytes),
            is_new: true,
        }
    }
}
