//! The compact form of a token (RFC 7515 section 3.1) and its header.

use serde::Deserialize;

use crate::json::{Object, Text, is_json};
use crate::{Algorithm, Rejection, base64url};

/// A token taken apart: its three segments, decoded.
pub(crate) struct Compact<'a> {
    /// What the signature is over: the first two segments as they were sent.
    pub(crate) signing_input: &'a [u8],
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The header of a token. Nothing else may be in it: what a verifier does not
/// understand it must not pass over (`crit`, `b64`), and keys are never taken
/// from a token (`jwk`, `jku`, `x5c`, `x5u`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header<'a> {
    #[serde(borrow)]
    alg: Option<Text<'a>>,
    #[serde(borrow)]
    typ: Option<Text<'a>>,
    #[serde(borrow)]
    kid: Option<Text<'a>>,
}

impl<'a> Compact<'a> {
    /// # Errors
    ///
    /// `Malformed` unless the token is three segments, none empty, each in the
    /// canonical spelling of base64url.
    pub(crate) fn split(token: &'a str) -> Result<Self, Rejection> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Rejection::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Rejection::Malformed)?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(Rejection::Malformed);
        }
        let decode = |segment| base64url::decode(segment).ok_or(Rejection::Malformed);
        Ok(Self {
            signing_input: signing_input.as_bytes(),
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

impl<'a> Header<'a> {
    /// # Errors
    ///
    /// `Malformed` for what is not JSON, `UnsupportedHeader` for what is JSON
    /// but not an object of distinct strings under the three names.
    pub(crate) fn read(header: &'a [u8]) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(header).map_err(|_| Rejection::Malformed)?;
        match serde_json::from_str(text) {
            Ok(Object(header)) => Ok(header),
            Err(_) if is_json(text) => Err(Rejection::UnsupportedHeader),
            Err(_) => Err(Rejection::Malformed),
        }
    }

    /// Whether `typ` says access token (RFC 9068 section 2.1); a media type, so
    /// in any case.
    pub(crate) fn is_access_token(&self) -> bool {
        self.typ.as_ref().is_some_and(|Text(typ)| {
            typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt")
        })
    }

    /// Whether `typ` is this one, in any case; none, if there is to be none.
    pub(crate) fn has_type(&self, own: Option<&str>) -> bool {
        match (&self.typ, own) {
            (Some(Text(typ)), Some(own)) => typ.eq_ignore_ascii_case(own),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The id of the key that the token says it is signed with.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_ref().map(|Text(kid)| kid.as_ref())
    }

    /// Whether the token says it is signed with `algorithm`.
    pub(crate) fn has_algorithm(&self, algorithm: Algorithm) -> bool {
        self.alg
            .as_ref()
            .is_some_and(|Text(alg)| alg == algorithm.as_str())
    }
}

/// The first segment of every token that a key signs.
pub(crate) fn header_segment(algorithm: Algorithm, kid: &str) -> String {
    // A kid is base64url: nothing in it needs escaping.
    base64url::encode(format!(
        r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{kid}"}}"#
    ))
}

/// The first segment of every token of a profile.
pub(crate) fn profile_header_segment(
    algorithm: Algorithm,
    typ: Option<&str>,
    kid: Option<&str>,
) -> String {
    let mut header = serde_json::Map::new();
    header.insert("alg".into(), algorithm.as_str().into());
    for (name, value) in [("typ", typ), ("kid", kid)] {
        if let Some(value) = value {
            header.insert(name.into(), value.into());
        }
    }
    base64url::encode(serde_json::Value::Object(header).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_header_is_read_back() {
        let segment = header_segment(Algorithm::Es256, "a-b_c");
        let decoded = base64url::decode(&segment).expect("base64url");
        assert_eq!(decoded, br#"{"alg":"ES256","typ":"at+jwt","kid":"a-b_c"}"#);
        let header = Header::read(&decoded).expect("our own header");
        assert!(header.is_access_token());
        assert!(header.has_algorithm(Algorithm::Es256));
        assert!(!header.has_algorithm(Algorithm::EdDsa));
        assert_eq!(header.kid(), Some("a-b_c"));
    }

    #[test]
    fn what_is_not_json_is_malformed_and_what_is_json_but_else_is_unsupported() {
        let read = |text: &str| Header::read(text.as_bytes()).err();
        for text in [
            "",
            "{",
            "x",
            r#"{"alg":"a",}"#,
            r#"{"x":"#,
            "{}{}",
            r#"{"alg":"a"} b"#,
        ] {
            assert_eq!(read(text), Some(Rejection::Malformed), "{text}");
        }
        assert_eq!(
            Header::read(b"{\"alg\":\"\xff\"}").err(),
            Some(Rejection::Malformed)
        );
        for text in [
            "[]",
            "null",
            "1",
            r#"["EdDSA","at+jwt","k"]"#,
            r#"{"x":1}"#,
            r#"{"kid":1}"#,
        ] {
            assert_eq!(read(text), Some(Rejection::UnsupportedHeader), "{text}");
        }
        assert_eq!(
            read(r#"{"kid":"a","kid":"a"}"#),
            Some(Rejection::UnsupportedHeader)
        );
        assert_eq!(read("{}"), None);
    }
}
