//! The keys that a verifier trusts, by id, and their published form.

use std::collections::HashSet;
use std::sync::Arc;

use crate::{Jwk, KeyError, VerifyingKey, jwk};

/// A set of verifying keys with distinct ids. Cloning copies a pointer.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    // A handful of keys: walking them is quicker than hashing the id.
    keys: Arc<[VerifyingKey]>,
}

impl KeySet {
    /// Puts keys together, in the order given.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKid`] if two of them have the same id.
    pub fn new(keys: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        let mut kids = HashSet::new();
        if let Some(repeated) = keys.iter().find(|key| !kids.insert(key.kid())) {
            return Err(KeyError::DuplicateKid {
                kid: repeated.kid().to_owned(),
            });
        }
        Ok(Self { keys: keys.into() })
    }

    /// Puts together whatever keys are good, in the order given, and names the
    /// rest: of keys that are stored one by one, a damaged one spoils no other.
    /// Of two with the same id the first is taken.
    pub fn from_good(
        keys: impl IntoIterator<Item = Result<VerifyingKey, KeyError>>,
    ) -> (Self, Vec<KeyError>) {
        let (mut good, mut faults) = (Vec::<VerifyingKey>::new(), Vec::new());
        for key in keys {
            match key {
                Ok(key) if good.iter().any(|other| other.kid() == key.kid()) => {
                    let kid = key.kid().to_owned();
                    faults.push(KeyError::DuplicateKid { kid });
                }
                Ok(key) => good.push(key),
                Err(fault) => faults.push(fault),
            }
        }
        (Self { keys: good.into() }, faults)
    }

    /// Reads a JWK set. Keys that cannot be used, such as those of another type
    /// or for another purpose, are left out, as RFC 7517 section 5 asks; they are
    /// returned beside the set, for the log.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is not a JWK set, or if two of its good keys
    /// have the same id.
    pub fn from_jwks(text: &str) -> Result<(Self, Vec<KeyError>), KeyError> {
        let (mut keys, mut faults) = (Vec::new(), Vec::new());
        for jwk in jwk::read_set(text)? {
            match jwk.and_then(|jwk| VerifyingKey::from_jwk(&jwk)) {
                Ok(key) => keys.push(key),
                Err(fault) => faults.push(fault),
            }
        }
        Ok((Self::new(keys)?, faults))
    }

    /// Writes the set as a JWK set, for `/.well-known/jwks.json`. HS256 keys
    /// are left out.
    #[must_use]
    pub fn to_jwks(&self) -> String {
        let keys: Vec<Jwk> = self.keys.iter().filter_map(VerifyingKey::to_jwk).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// The key with this id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.kid() == kid)
    }

    /// The keys, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, VerifyingKey> {
        self.keys.iter()
    }
}

impl<'a> IntoIterator for &'a KeySet {
    type Item = &'a VerifyingKey;
    type IntoIter = std::slice::Iter<'a, VerifyingKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, KeyFault, SigningKey};

    fn one_of_each() -> Vec<VerifyingKey> {
        Algorithm::ALL
            .into_iter()
            .map(|algorithm| {
                SigningKey::generate(algorithm)
                    .expect("a key")
                    .verifying_key()
                    .clone()
            })
            .collect()
    }

    #[test]
    fn a_published_set_is_read_back_without_the_symmetric_key() {
        let keys = one_of_each();
        let set = KeySet::new(keys.clone()).expect("distinct keys");
        let published = set.to_jwks();
        let (read, faults) = KeySet::from_jwks(&published).expect("our own set");
        assert_eq!(faults, []);
        let kids = |set: &KeySet| {
            set.iter()
                .map(|key| key.kid().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(kids(&read), kids(&set)[..3]);
        assert_eq!(read.to_jwks(), published);
        for key in &read {
            assert_eq!(
                set.get(key.kid()).map(VerifyingKey::algorithm),
                Some(key.algorithm())
            );
        }
        assert!(read.get(keys[3].kid()).is_none());
        assert!(!published.contains(keys[3].kid()));
    }

    #[test]
    fn the_same_key_twice_is_refused() {
        let mut keys = one_of_each();
        keys.push(keys[1].clone());
        let kid = keys[1].kid().to_owned();
        assert_eq!(
            KeySet::new(keys).err(),
            Some(KeyError::DuplicateKid { kid: kid.clone() })
        );
        let jwk = one_of_each()[0].to_jwk().expect("public");
        assert_eq!(
            KeySet::from_jwks(&format!(r#"{{"keys":[{jwk},{jwk}]}}"#)).err(),
            Some(KeyError::DuplicateKid {
                kid: jwk.kid().to_owned()
            })
        );
    }

    #[test]
    fn an_empty_set_knows_no_key() {
        let (set, _) = KeySet::from_jwks(r#"{"keys":[]}"#).expect("an empty set");
        assert!(set.get("").is_none());
        assert_eq!(set.to_jwks(), r#"{"keys":[]}"#);
    }

    #[test]
    fn the_good_keys_are_put_together_and_the_others_named() {
        let keys = one_of_each();
        let damaged = KeyError::Secret {
            algorithm: Algorithm::EdDsa,
            fault: KeyFault::InvalidEncoding,
        };
        let (set, faults) = KeySet::from_good([
            Err(damaged.clone()),
            Ok(keys[0].clone()),
            Ok(keys[3].clone()),
            Ok(keys[0].clone()),
            Ok(keys[1].clone()),
        ]);
        let kids: Vec<_> = set.iter().map(VerifyingKey::kid).collect();
        assert_eq!(kids, [0, 3, 1].map(|index| keys[index].kid()));
        let kid = keys[0].kid().to_owned();
        assert_eq!(faults, [damaged, KeyError::DuplicateKid { kid }]);

        let (none, faults) = KeySet::from_good([]);
        assert_eq!((none.iter().count(), faults.len()), (0, 0));
    }

    #[test]
    fn keys_that_cannot_be_used_are_named_and_the_others_read() {
        let keys = one_of_each();
        let [eddsa, es256, rs256] = [0, 1, 2].map(|index| keys[index].to_jwk().expect("public"));
        // One for another purpose, one off the curve, one of a type to come.
        let for_encryption = es256.to_string().replace(":\"sig\"", ":\"enc\"");
        let zero = "A".repeat(43);
        let off_the_curve = format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{zero}","y":"{zero}","kid":"Yf7dxNA4Y2zUqbqNw2eswKWsk1wLRG_DGF3vCttT2XQ"}}"#
        );
        let to_come = r#"{"kty":"AKP","alg":"ML-DSA-65","pub":"AA","kid":"to-come"}"#;
        let text =
            format!(r#"{{"keys":[{for_encryption},{eddsa},{off_the_curve},{to_come},{rs256}]}}"#);
        let (set, faults) = KeySet::from_jwks(&text).expect("a JWK set");
        let kids: Vec<_> = set.iter().map(VerifyingKey::kid).collect();
        assert_eq!(kids, [eddsa.kid(), rs256.kid()]);
        let named: Vec<_> = faults
            .iter()
            .map(|error| match error {
                KeyError::Public { kid, fault } => (kid.as_str(), *fault),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(named[0], (es256.kid(), KeyFault::WrongUse));
        assert_eq!(named[1].1, KeyFault::InvalidPoint);
        assert_eq!(named[2], ("to-come", KeyFault::UnsupportedType));
    }

    #[test]
    fn what_is_not_a_key_set_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"keys":{}}"#,
            r#"{"keys":[1]}"#,
            r#"{"keys":[[]]}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[]} x"#,
        ] {
            let result = KeySet::from_jwks(text);
            assert!(
                matches!(result, Err(KeyError::Json { .. })),
                "{text}: {result:?}"
            );
        }
    }
}
