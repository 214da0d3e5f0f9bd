//! A provider's keys (RFC 7517), and the checking of signatures with them.

use countersign_token::{Jwk, VerifyingKey};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::json::Members;
use crate::jws::Jws;

/// The most keys of a set.
const MOST_KEYS: usize = 64;

/// An algorithm of signatures. There is neither `none` nor one with a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

/// The keys of a provider that can be used.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    kid: Option<String>,
    algorithms: Vec<SignatureAlgorithm>,
    decoding_key: DecodingKey,
}

/// Whether a signature is good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// There is no such key, perhaps not yet.
    UnknownKey,
}

impl SignatureAlgorithm {
    const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The algorithm of this registered name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn registered(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

impl KeySet {
    /// Reads a key set. Keys that cannot be used are passed over: of other types or uses, weak, or
    /// with a private half.
    ///
    /// # Errors
    /// Rejected if it is none, or nothing of it can be used.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        let of_set = |failure: Failure| failure.during("the key set");
        let set = Members::read(body).map_err(of_set)?;
        let keys: Option<Vec<&RawValue>> = set.get("keys").map_err(of_set)?;
        let keys = keys.unwrap_or_default();
        let keys: Vec<_> = keys
            .into_iter()
            .take(MOST_KEYS)
            .filter_map(|key| Key::read(key.get().as_bytes()))
            .collect();
        match keys.is_empty() {
            true => Err(Failure::rejected("the key set has no key that can be used")),
            false => Ok(Self(keys)),
        }
    }

    /// Checks the signature of a token with the one key that it names, or with the only one.
    ///
    /// # Errors
    /// Rejected if the algorithm is not one of these or not the key's, if it is not clear which key
    /// is meant, or if the signature is not good.
    pub(crate) fn verify(
        &self,
        token: &Jws,
        allowed: &[SignatureAlgorithm],
    ) -> Result<Verdict, Failure> {
        let algorithm = SignatureAlgorithm::named(&token.algorithm)
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or_else(|| Failure::rejected("the token's algorithm is not allowed"))?;
        let is_named = |key: &&Key| token.kid.is_none() || key.kid == token.kid;
        let named: Vec<_> = self.0.iter().filter(is_named).collect();
        if named.is_empty() {
            return Ok(Verdict::UnknownKey);
        }
        if token.kid.is_none() && named.len() > 1 {
            return Err(Failure::rejected(
                "the token does not say which key it is signed with",
            ));
        }
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        let fitting: Vec<_> = named.into_iter().filter(fits).collect();
        let key = match fitting.as_slice() {
            [key] => key,
            [] => return Err(Failure::rejected("the token's algorithm is not its key's")),
            _ => {
                return Err(Failure::rejected(
                    "several keys have the id that the token names",
                ));
            }
        };
        let verifier =
            (DEFAULT_PROVIDER.verifier_factory)(&algorithm.registered(), &key.decoding_key);
        let is_good = verifier.is_ok_and(|verifier| {
            verifier
                .verify(&token.signing_input, &token.signature)
                .is_ok()
        });
        match is_good {
            true => Ok(Verdict::Good),
            false => Err(Failure::rejected("the token's signature is not good")),
        }
    }
}

impl Key {
    /// A key that is safe to check signatures with, as those of our own tokens are.
    fn read(bytes: &[u8]) -> Option<Self> {
        let members = Members::read(bytes).ok()?;
        let own = members.text_or_nothing("alg");
        let of_type: &[SignatureAlgorithm] = match members.text_or_nothing("kty")?.as_str() {
            "RSA" => &[SignatureAlgorithm::Rs256, SignatureAlgorithm::Ps256],
            "EC" => &[SignatureAlgorithm::Es256],
            "OKP" => &[SignatureAlgorithm::EdDsa],
            _ => return None,
        };
        let is_own = |algorithm: &&SignatureAlgorithm| {
            own.as_deref().is_none_or(|own| own == algorithm.name())
        };
        // The name and the algorithm are judged here, all else by what judges our own keys.
        let rest = members
            .raw()
            .filter(|(name, _)| !matches!(*name, "kid" | "alg"));
        let rest: std::collections::BTreeMap<_, _> = rest.collect();
        let jwk = Jwk::from_foreign(&serde_json::to_string(&rest).ok()?).ok()?;
        VerifyingKey::from_jwk(&jwk).ok()?;
        let number = |name| members.text_or_nothing(name);
        let decoding_key = match of_type {
            [SignatureAlgorithm::Es256] => {
                DecodingKey::from_ec_components(&number("x")?, &number("y")?)
            }
            [SignatureAlgorithm::EdDsa] => DecodingKey::from_ed_components(&number("x")?),
            _ => DecodingKey::from_rsa_components(&number("n")?, &number("e")?),
        };
        Some(Self {
            kid: members.text("kid").ok()?,
            algorithms: of_type.iter().filter(is_own).copied().collect(),
            decoding_key: decoding_key.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

    fn set(keys: &str) -> Result<KeySet, Failure> {
        KeySet::read(format!(r#"{{"keys":[{keys}],"x":1e999}}"#).as_bytes())
    }

    #[test]
    fn keys_that_cannot_be_used_are_passed_over() {
        let one = set(&format!(
            r#"{{{POINT},"kid":"a","alg":"ES256","use":"sig"}},{{"kty":"oct","k":"AAAA"}},{{}}"#
        ));
        assert_eq!(one.ok().unwrap().0.len(), 1);
        for key in [
            r#"{"kty":"oct","k":"AAAA"}"#.to_owned(),
            format!(r#"{{{POINT},"use":"enc"}}"#),
            format!(r#"{{{POINT},"d":"AAAA"}}"#),
            format!(r#"{{{POINT},"kid":"a","kid":"b"}}"#),
            format!(r#"{{{POINT},"kid":1}}"#),
            POINT.replace("x_FE", "x_FF").replacen("\"kty", "{\"kty", 1) + "}",
            r#"{"kty":"RSA","n":"wQ","e":"AQAB"}"#.to_owned(),
            String::new(),
        ] {
            assert!(set(&key).is_err(), "{key}");
        }
        for body in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            "<html>",
            r#"{"keys":[],"keys":[]}"#,
        ] {
            assert!(KeySet::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
