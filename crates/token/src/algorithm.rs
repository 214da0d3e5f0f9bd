//! The signature algorithms, under their registered names: a key has exactly
//! one, and a token never chooses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A JWS signature algorithm (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519: small and quick on both sides.
    #[default]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// HMAC with SHA-256, for verifiers that know nothing else. Whoever can
    /// verify can also sign, so such keys are never published.
    #[serde(rename = "HS256")]
    Hs256,
}

/// The error of parsing an [`Algorithm`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {0:?}: choose EdDSA, ES256, RS256 or HS256")]
pub struct UnknownAlgorithm(pub String);

impl Algorithm {
    /// Every algorithm, the preferred one first.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Rs256, Self::Hs256];

    /// The registered name, as in the `alg` header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads the registered name, in its registered case (RFC 7515 section 4.1.1).
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_text_and_as_json() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            let json = serde_json::to_string(&algorithm).expect("a string");
            assert_eq!(json, format!("\"{algorithm}\""));
            assert_eq!(
                serde_json::from_str::<Algorithm>(&json).expect("the same string"),
                algorithm
            );
        }
    }

    #[test]
    fn the_default_is_eddsa() {
        assert_eq!(Algorithm::default(), Algorithm::EdDsa);
    }

    #[test]
    fn an_unknown_name_is_refused_and_the_choices_are_named() {
        for name in ["", "none", "eddsa", "Es256", "RS512", "HS256 "] {
            let error = name.parse::<Algorithm>().expect_err(name);
            assert!(
                error
                    .to_string()
                    .ends_with("choose EdDSA, ES256, RS256 or HS256"),
                "{error}"
            );
        }
    }
}
