//! Signed tokens as providers send them (RFC 7515, compact form): taken apart strictly, with nothing
//! in the header believed but which key and which algorithm to check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::failure::Failure;
use crate::json::Members;

/// The most bytes of a token.
const LARGEST_TOKEN: usize = 16 * 1024;

/// A token whose signature has not been checked.
pub(crate) struct Jws {
    /// `alg`.
    pub(crate) algorithm: String,
    /// `kid`.
    pub(crate) kid: Option<String>,
    typ: Option<String>,
    claims: Members,
    pub(crate) signing_input: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart. `jwk`, `jku`, `x5u` and `x5c` are passed over: keys are never taken from
    /// a token.
    ///
    /// # Errors
    /// Rejected unless it is three segments of canonical base64url, with two strict JSON objects and
    /// no `crit`.
    pub(crate) fn read(token: &str) -> Result<Self, Failure> {
        let malformed = || Failure::rejected("the token is malformed");
        if token.len() > LARGEST_TOKEN {
            return Err(Failure::rejected("the token is too large"));
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or_else(malformed)?;
        let decode = |segment: &str| URL_SAFE_NO_PAD.decode(segment).map_err(|_| malformed());
        let read = |segment, what| {
            Members::read(&decode(segment)?).map_err(|failure| failure.during(what))
        };
        let header = read(header, "the token's header")?;
        let of_header = |failure: Failure| failure.during("the token's header");
        if header.has("crit") || header.has("b64") {
            return Err(Failure::rejected("the token's header has extensions"));
        }
        Ok(Self {
            algorithm: header.required("alg").map_err(of_header)?,
            kid: header.text("kid").map_err(of_header)?,
            typ: header.text("typ").map_err(of_header)?,
            claims: read(payload, "the token's claims")?,
            signing_input: signing_input.as_bytes().to_vec(),
            signature: decode(signature)?,
        })
    }

    /// Whether `typ` is this media type, with or without `application/`.
    pub(crate) fn has_type(&self, expected: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").unwrap_or(&typ) == expected
        })
    }

    /// Whether there is no `typ`.
    pub(crate) fn has_no_type(&self) -> bool {
        self.typ.is_none()
    }

    /// What the token says.
    pub(crate) fn claims(&self) -> &Members {
        &self.claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{}.c2ln", encode(header.as_bytes()), encode(payload))
    }

    #[test]
    fn what_is_not_canonical_or_not_distinct_is_refused() {
        let good = token(
            r#"{"alg":"RS256","kid":"a","jwk":{},"typ":"Application/JWT"}"#,
            b"{}",
        );
        let read = Jws::read(&good).ok().unwrap();
        assert_eq!(
            (read.algorithm.as_str(), read.kid.as_deref()),
            ("RS256", Some("a"))
        );
        assert!(read.has_type("jwt") && !read.has_no_type());
        for bad in [
            String::new(),
            "a.b".into(),
            format!("{good}="),
            good.replace("c2ln", "c2lo="),
            format!("{good}.c2ln"),
            token(r#"{"kid":"a"}"#, b"{}"),
            token(r#"{"alg":1}"#, b"{}"),
            token(r#"{"alg":"RS256","alg":"none"}"#, b"{}"),
            token(r#"{"alg":"RS256","crit":["b64"]}"#, b"{}"),
            token(r#"{"alg":"RS256"}"#, b"{\"sub\":\"a\",\"sub\":\"b\"}"),
            token(r#"{"alg":"RS256"}"#, b"{\"sub\":\"\xff\"}"),
            token(r#"{"alg":"RS256"}"#, b"[]"),
            token(&format!(r#"{{"alg":"{}"}}"#, "a".repeat(20_000)), b"{}"),
        ] {
            assert!(Jws::read(&bad).is_err(), "{bad}");
        }
    }
}
