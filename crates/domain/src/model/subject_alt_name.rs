//! A name in a client certificate, by which a caller is recognised.

/// A subject alternative name (RFC 5280, section 4.2.1.6): a URI such as a SPIFFE
/// id, or a name of DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectAltName(String);

impl SubjectAltName {
    /// How many bytes it has at the most.
    pub const MAX_BYTES: usize = 512;

    /// Reads a name. Those of DNS are kept in lower case; a URI is compared as it
    /// is written.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if (1..=Self::MAX_BYTES).contains(&text.len()) {
            if is_uri(text) {
                return Ok(Self(text.into()));
            }
            if is_host(text) {
                return Ok(Self(text.to_ascii_lowercase()));
            }
        }
        Err(
            "must be a URI such as spiffe://example.com/shop, or a name of DNS such as \
             shop.example.com, of at most 512 bytes, as it stands in the certificate",
        )
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A scheme, a colon, and more (RFC 3986, section 3).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_graphic())
}

/// Labels of letters, digits, hyphens and underscores. No wildcard: it would be
/// everybody's.
fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.split('.')
        .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_kept_as_they_are_and_hosts_in_lower_case() {
        for (text, kept) in [
            (
                "spiffe://example.com/ns/shop/sa/Web",
                "spiffe://example.com/ns/shop/sa/Web",
            ),
            ("urn:service:shop", "urn:service:shop"),
            ("Shop.Example.COM", "shop.example.com"),
            ("shop", "shop"),
        ] {
            let name = SubjectAltName::parse(text).expect(text);
            assert_eq!(name.as_str(), kept);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let long = format!("spiffe://{}", "a".repeat(SubjectAltName::MAX_BYTES));
        for text in [
            "",
            "*.example.com",
            "shop.",
            ".shop",
            "a b",
            "spiffe:",
            ":x",
            "1a:b",
            "spiffe://example.com/a b",
            "상점.kr",
            &long,
        ] {
            assert!(SubjectAltName::parse(text).is_err(), "{text}");
        }
    }
}
