//! Reading what browsers write with `PublicKeyCredential.toJSON`.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How long an answer is at the most, in bytes.
const MOST: usize = 16 * 1024;

/// Bytes in base64url without padding (RFC 4648, 5).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Base64Url(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes());
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("no base64url without padding"))
    }
}

/// What is read from a JSON object, each of whose names is there once. A struct
/// alone would be read from an array, too, and its unknown names be anything.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, each name once")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let once = Once {
            map,
            names: HashSet::new(),
        };
        T::deserialize(MapAccessDeserializer::new(once)).map(Object)
    }
}

/// The members of an object, of which no two have one name.
struct Once<A> {
    map: A,
    names: HashSet<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Once<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.map.next_key::<String>()? else {
            return Ok(None);
        };
        let key = seed.deserialize(name.as_str().into_deserializer())?;
        if self.names.insert(name) {
            Ok(Some(key))
        } else {
            Err(serde::de::Error::custom("a name is there twice"))
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A PublicKeyCredentialJSON. What else browsers may write is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credential<Response> {
    id: Base64Url,
    raw_id: Base64Url,
    #[serde(rename = "type")]
    kind: String,
    response: Object<Response>,
}

impl<Response> Credential<Response> {
    /// Its id, and what the authenticator has answered.
    pub(super) fn into_parts(self) -> (Vec<u8>, Response) {
        (self.raw_id.0, self.response.0)
    }
}

/// Reads a credential with its response.
pub(super) fn read<Response: DeserializeOwned>(
    text: &str,
) -> Result<Credential<Response>, &'static str> {
    if text.len() > MOST {
        return Err("must have at most 16 KiB");
    }
    let credential: Object<Credential<Response>> = serde_json::from_str(text)
        .map_err(|_| "must be a PublicKeyCredential as its toJSON writes it")?;
    let credential = credential.0;
    if credential.kind != "public-key" {
        return Err("must be of the type public-key");
    }
    if credential.id != credential.raw_id {
        return Err("must have one id: id and rawId differ");
    }
    Ok(credential)
}
