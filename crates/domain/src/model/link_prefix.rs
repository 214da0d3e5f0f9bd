//! Where the link of a verification leads: the URL of a page that asks for a
//! click and then gives the token, which stands behind `#`, to CheckCode.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

const RULE: &str = "must be an https:// URL of at most 512 bytes, without user name and \
                    fragment, its host in lower case; http:// is for localhost alone";

/// The URL that a token is added to: ASCII, with a host that browsers read as it
/// is written, and without a fragment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinkPrefix(String);

impl LinkPrefix {
    /// The longest that there is.
    pub const MAX_BYTES: usize = 512;

    /// Reads a URL (RFC 3986) and changes nothing in it.
    ///
    /// # Errors
    /// What it must look like.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_good = text.len() <= Self::MAX_BYTES && is_url(text);
        if is_good {
            Ok(Self(text.into()))
        } else {
            Err(RULE)
        }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_url(text: &str) -> bool {
    let (is_secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    is_authority(authority, is_secure) && is_path(path)
}

/// A host and perhaps a port, and no user name.
fn is_authority(text: &str, is_secure: bool) -> bool {
    let (host, port) = match text.rfind(':') {
        Some(at) if !text.ends_with(']') => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    };
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    (is_here || (is_secure && is_host(host))) && port.is_none_or(is_port)
}

/// A name of DNS in lower case (internationalised ones in their ASCII form), or
/// an IPv4 address in four numbers.
fn is_host(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_good)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Browsers read a last label that begins with a digit as a number, in several
    // notations.
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_name = !last.starts_with(|c: char| c.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(is_label)
        && (is_name || text.parse::<Ipv4Addr>().is_ok())
}

fn is_port(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_number && text.parse::<u16>().is_ok()
}

/// A path and a query, of the characters that RFC 3986 allows in them.
fn is_path(text: &str) -> bool {
    let is_good =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    let is_escape = |at: usize| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.bytes().all(is_good) && text.match_indices('%').all(|(at, _)| is_escape(at))
}

impl TryFrom<String> for LinkPrefix {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<LinkPrefix> for String {
    fn from(prefix: LinkPrefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for LinkPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_tls_or_of_this_machine_is_taken_as_it_is() {
        for text in [
            "https://example.com",
            "https://example.com/",
            "https://id.example.com:8443/sign-in?lang=ko&to=%2Fcart",
            "https://xn--3e0b707e.example/%EA%B0%80",
            "https://192.0.2.1/x",
            "https://localhost/x",
            "http://localhost:3000/confirm",
            "http://127.0.0.1:3000/confirm",
            "http://[::1]:3000/confirm",
            "http://[::1]/confirm",
        ] {
            let prefix = LinkPrefix::parse(text).unwrap_or_else(|rule| panic!("{text}: {rule}"));
            assert_eq!(prefix.as_str(), text);
        }
    }

    #[test]
    fn what_is_not_safe_or_not_one_spelling_is_refused() {
        let long = format!("https://example.com/{}", "a".repeat(493));
        let long_label = format!("https://{}.example/", "a".repeat(64));
        for text in [
            "",
            "example.com",
            "//example.com/",
            "HTTPS://example.com/",
            "https:/example.com/",
            "https:///x",
            "https://",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://localhost@example.com/",
            "http://127.0.0.2/",
            "ftp://example.com/",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https://example.com:password@other.example/",
            "https://example.com#",
            "https://example.com/#/confirm",
            "https://Example.com/",
            "https://ex\u{e4}mple.com/",
            "https://example.com./",
            "https://.example.com/",
            "https://example..com/",
            "https://-example.com/",
            "https://exam_ple.com/",
            "https://example.com:/",
            "https://example.com:0/",
            "https://example.com:065/",
            "https://example.com:65536/",
            "https://example.com:+80/",
            "https://1/",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://127.0.0.0x1/",
            "https://192.0.2.256/",
            "https://[2001:db8::1]/",
            "https://[::1",
            "https://::1/",
            "https://example.com\\@other.example/",
            "https://example.com/\\x",
            "https://example.com/a b",
            "https://example.com/\n",
            " https://example.com/",
            "https://example.com/%",
            "https://example.com/%2",
            "https://example.com/%zz",
            "https://example.com/<x>",
            "https://example.com/\"x\"",
            "https://example.com/{code}",
            "https://example.com/\u{ac00}",
            &long,
            &long_label,
        ] {
            assert_eq!(LinkPrefix::parse(text), Err(RULE), "{text}");
        }
        assert!(LinkPrefix::parse(&long[..512]).is_ok());
    }
}
