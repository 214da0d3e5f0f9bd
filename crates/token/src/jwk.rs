//! Public keys as JSON Web Keys (RFC 7517), read with suspicion.

use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::json::Object;
use crate::public_key::PublicKey;
use crate::{Algorithm, KeyError, KeyFault, base64url};

/// A public signature key in JWK form, whose `kid` is its RFC 7638 thumbprint.
///
/// `FromStr` reads one and refuses what does not fit together; whether its
/// numbers make a good key shows in [`VerifyingKey::from_jwk`](crate::VerifyingKey::from_jwk).
/// `Serialize` and `Display` write `kty`, the numbers, `use`, `alg` and `kid`.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: String,
    pub(crate) key: PublicKey,
}

/// A JWK as it is written. Members that mean nothing here are passed over.
#[derive(Deserialize)]
struct Members {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl Jwk {
    pub(crate) fn new(key: PublicKey) -> Self {
        Self {
            kid: key.thumbprint(),
            key,
        }
    }

    /// The id of the key: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// Reads a key that somebody else has made: what it calls itself by `kid` does not
    /// count, its id is the thumbprint.
    ///
    /// # Errors
    /// As `FromStr`, but for the `kid`.
    pub fn from_foreign(text: &str) -> Result<Self, KeyError> {
        let Object(mut members) =
            serde_json::from_str::<Object<Members>>(text).map_err(|error| at(&error))?;
        members.kid = members.public_key().ok().map(|key| key.thumbprint());
        Self::from_members(&members)
    }

    fn from_members(members: &Members) -> Result<Self, KeyError> {
        let kid = members.kid.clone().unwrap_or_default();
        let refused = |fault| KeyError::Public {
            kid: kid.clone(),
            fault,
        };
        members.check_purpose().map_err(refused)?;
        let jwk = Self::new(members.public_key().map_err(refused)?);
        if members
            .alg
            .as_deref()
            .is_some_and(|alg| alg != jwk.algorithm().as_str())
        {
            return Err(refused(KeyFault::WrongAlgorithm));
        }
        if jwk.kid != kid {
            return Err(refused(KeyFault::WrongKid));
        }
        Ok(jwk)
    }
}

impl Members {
    fn check_purpose(&self) -> Result<(), KeyFault> {
        let private = [
            &self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth, &self.k,
        ];
        if private.into_iter().any(Option::is_some) {
            return Err(KeyFault::PrivateMaterial);
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyFault::WrongUse);
        }
        if let Some(operations) = &self.key_ops
            && !operations.iter().any(|operation| operation == "verify")
        {
            return Err(KeyFault::WrongOperations);
        }
        Ok(())
    }

    fn public_key(&self) -> Result<PublicKey, KeyFault> {
        match (self.kty.as_deref(), self.crv.as_deref()) {
            (Some("OKP"), Some("Ed25519")) => Ok(PublicKey::Ed25519(coordinate(self.x.as_ref())?)),
            (Some("EC"), Some("P-256")) => Ok(PublicKey::P256 {
                x: coordinate(self.x.as_ref())?,
                y: coordinate(self.y.as_ref())?,
            }),
            (Some("RSA"), None) => Ok(PublicKey::Rsa {
                n: number(self.n.as_ref())?,
                e: number(self.e.as_ref())?,
            }),
            _ => Err(KeyFault::UnsupportedType),
        }
    }
}

fn number(text: Option<&String>) -> Result<Vec<u8>, KeyFault> {
    text.and_then(|text| base64url::decode(text))
        .ok_or(KeyFault::InvalidEncoding)
}

fn coordinate(text: Option<&String>) -> Result<[u8; 32], KeyFault> {
    number(text)?
        .try_into()
        .map_err(|_| KeyFault::InvalidEncoding)
}

/// Reads the keys of a JWK set (RFC 7517 section 5), each by itself.
pub(crate) fn read_set(text: &str) -> Result<Vec<Result<Jwk, KeyError>>, KeyError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Object<Members>>,
    }
    let Object(set) = serde_json::from_str::<Object<Set>>(text).map_err(|error| at(&error))?;
    let read = set.keys.iter();
    Ok(read
        .map(|Object(members)| Jwk::from_members(members))
        .collect())
}

/// Where the mistake is; what stands there may be a secret.
fn at(error: &serde_json::Error) -> KeyError {
    KeyError::Json {
        line: error.line(),
        column: error.column(),
    }
}

impl FromStr for Jwk {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Object(members) = serde_json::from_str(text).map_err(|error| at(&error))?;
        Self::from_members(&members)
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        match &self.key {
            PublicKey::Ed25519(x) => {
                members.serialize_entry("kty", "OKP")?;
                members.serialize_entry("crv", "Ed25519")?;
                members.serialize_entry("x", &base64url::encode(x))?;
            }
            PublicKey::P256 { x, y } => {
                members.serialize_entry("kty", "EC")?;
                members.serialize_entry("crv", "P-256")?;
                members.serialize_entry("x", &base64url::encode(x))?;
                members.serialize_entry("y", &base64url::encode(y))?;
            }
            PublicKey::Rsa { n, e } => {
                members.serialize_entry("kty", "RSA")?;
                members.serialize_entry("n", &base64url::encode(n))?;
                members.serialize_entry("e", &base64url::encode(e))?;
            }
        }
        members.serialize_entry("use", "sig")?;
        members.serialize_entry("alg", &self.algorithm())?;
        members.serialize_entry("kid", &self.kid)?;
        members.end()
    }
}

impl fmt::Display for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn okp(more: &str) -> Result<Jwk, KeyError> {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"{KID}"{more}}}"#).parse()
    }

    fn fault(result: Result<Jwk, KeyError>) -> KeyFault {
        match result {
            Err(KeyError::Public { fault, .. }) => fault,
            other => panic!("expected a fault, got {other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let jwk = okp("").expect("the key of RFC 8037");
        assert_eq!(
            jwk.to_string(),
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","use":"sig","alg":"EdDSA","kid":"{KID}"}}"#
            )
        );
        assert_eq!(jwk.to_string().parse(), Ok(jwk));
    }

    #[test]
    fn purposes_that_fit_and_unknown_members_are_accepted() {
        for more in [
            r#","use":"sig","alg":"EdDSA""#,
            r#","key_ops":["verify"]"#,
            r#","x5t":"abc","x5c":["abc"],"exp":1"#,
        ] {
            assert!(okp(more).is_ok(), "{more}");
        }
    }

    #[test]
    fn a_key_for_another_purpose_is_refused() {
        assert_eq!(fault(okp(r#","use":"enc""#)), KeyFault::WrongUse);
        assert_eq!(fault(okp(r#","use":"SIG""#)), KeyFault::WrongUse);
        assert_eq!(
            fault(okp(r#","key_ops":["sign"]"#)),
            KeyFault::WrongOperations
        );
        assert_eq!(fault(okp(r#","key_ops":[]"#)), KeyFault::WrongOperations);
        for alg in ["ES256", "RS256", "HS256", "none", "eddsa", ""] {
            assert_eq!(
                fault(okp(&format!(r#","alg":"{alg}""#))),
                KeyFault::WrongAlgorithm
            );
        }
    }

    #[test]
    fn private_members_are_refused_and_never_repeated_in_the_error() {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [r#""hush""#, r#"["hush"]"#] {
                let error = okp(&format!(r#","{member}":{value}"#)).expect_err(member);
                assert!(!format!("{error} {error:?}").contains("hush"));
                assert_eq!(fault(Err(error)), KeyFault::PrivateMaterial);
            }
        }
        let symmetric = r#"{"kty":"oct","k":"hushhushhushhushhushhushhushhushhushhushhus"}"#;
        assert_eq!(fault(symmetric.parse()), KeyFault::PrivateMaterial);
    }

    #[test]
    fn a_kid_other_than_the_thumbprint_is_refused() {
        let without = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}"#);
        assert_eq!(fault(without.parse()), KeyFault::WrongKid);
        let other = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"1"}}"#);
        assert_eq!(fault(other.parse()), KeyFault::WrongKid);
    }

    #[test]
    fn a_foreign_key_may_have_any_kid_or_none_and_nothing_private() {
        let foreign = |more: &str| {
            let text = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{more}}}"#);
            Jwk::from_foreign(&text)
        };
        for more in ["", r#","kid":"2026-11""#, r#","kid":"","alg":"EdDSA""#] {
            assert_eq!(foreign(more).expect("a key").kid(), KID, "{more}");
        }
        assert_eq!(fault(foreign(r#","d":"AA""#)), KeyFault::PrivateMaterial);
        assert_eq!(fault(foreign(r#","use":"enc""#)), KeyFault::WrongUse);
        assert_eq!(
            fault(foreign(r#","alg":"ES256""#)),
            KeyFault::WrongAlgorithm
        );
        assert_eq!(
            fault(Jwk::from_foreign(r#"{"kty":"oct","k":"AA"}"#)),
            KeyFault::PrivateMaterial
        );
    }

    #[test]
    fn types_and_curves_that_do_not_belong_together_are_refused() {
        for members in [
            r#""kty":"OKP","crv":"P-256""#,
            r#""kty":"OKP","crv":"X25519""#,
            r#""kty":"OKP""#,
            r#""kty":"EC","crv":"Ed25519""#,
            r#""kty":"EC","crv":"P-384""#,
            r#""kty":"EC","crv":"secp256k1""#,
            r#""kty":"RSA","crv":"P-256""#,
            r#""kty":"oct""#,
            r#""crv":"Ed25519""#,
        ] {
            let text = format!(r#"{{{members},"x":"{X}","y":"{X}","n":"{X}","e":"AQAB"}}"#);
            assert_eq!(fault(text.parse()), KeyFault::UnsupportedType, "{members}");
        }
    }

    #[test]
    fn coordinates_that_are_missing_misspelled_or_of_another_length_are_refused() {
        let noncanonical = format!("{}p", &X[..42]);
        let padded = format!("{X}=");
        for x in [
            "",
            "AA",
            &X[..42],
            &noncanonical,
            &padded,
            &format!("{X}AAAA"),
        ] {
            let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{KID}"}}"#);
            assert_eq!(fault(okp.parse()), KeyFault::InvalidEncoding, "{x}");
            let ec = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{x}","kid":"{KID}"}}"#);
            assert_eq!(fault(ec.parse()), KeyFault::InvalidEncoding, "{x}");
        }
        let no_y = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#);
        assert_eq!(fault(no_y.parse()), KeyFault::InvalidEncoding);
        let no_n = r#"{"kty":"RSA","e":"AQAB"}"#;
        assert_eq!(fault(no_n.parse()), KeyFault::InvalidEncoding);
    }

    #[test]
    fn repeated_members_arrays_and_other_types_are_not_a_jwk() {
        let repeated = format!(r#","kid":"{KID}""#);
        for result in [
            okp(&repeated),
            okp(r#","use":1"#),
            okp(r#","key_ops":"verify""#),
            okp(r#","x5t":1,"x5t":1"#),
            r#"["OKP","Ed25519"]"#.parse(),
            "".parse(),
        ] {
            assert!(matches!(result, Err(KeyError::Json { .. })), "{result:?}");
        }
    }
}
