//! Strict JSON objects: members may not repeat, and nothing but an object will
//! do, where serde alone keeps quiet about unknown repeats and reads arrays as
//! structs.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess,
    Visitor,
};

/// A `T` read from a JSON object whose member names all differ.
pub(crate) struct Object<T>(pub(crate) T);

/// A string that borrows from the input unless it contains escapes.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Whether `text` is one JSON value, whatever it says.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(DistinctMembers {
            members,
            seen: Vec::with_capacity(16),
        }))
    }
}

/// Passes the members on and stops at the first repeated name.
///
/// Names are compared one with another: objects have a dozen members, and those
/// that anyone may send refuse the first unknown one.
struct DistinctMembers<'de, A> {
    members: A,
    seen: Vec<Cow<'de, str>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for DistinctMembers<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(Text(name)) = self.members.next_key()? else {
            return Ok(None);
        };
        if self.seen.contains(&name) {
            return Err(A::Error::custom("a member is repeated"));
        }
        let key = seed.deserialize(name.as_ref().into_deserializer())?;
        self.seen.push(name);
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Point {
        x: i64,
        y: i64,
    }

    fn read(text: &str) -> Option<Point> {
        serde_json::from_str::<Object<Point>>(text)
            .ok()
            .map(|object| object.0)
    }

    #[test]
    fn an_object_is_read_and_unknown_members_are_passed_over() {
        assert_eq!(read(r#"{"x":1,"y":2}"#), Some(Point { x: 1, y: 2 }));
        assert_eq!(
            read(r#" {"\u0078":1,"z":{"z":[]},"y":2} "#),
            Some(Point { x: 1, y: 2 })
        );
    }

    #[test]
    fn a_repeated_member_is_refused_known_or_not_and_however_it_is_spelled() {
        for text in [
            r#"{"x":1,"y":2,"x":1}"#,
            r#"{"x":1,"y":2,"z":0,"z":0}"#,
            r#"{"x":1,"y":2,"\u0078":1}"#,
            r#"{"x":1,"y":2,"z":0,"\u007a":0}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        assert_eq!(
            serde_json::from_str::<Point>("[1,2]").ok(),
            Some(Point { x: 1, y: 2 })
        );
        for text in ["[1,2]", "null", "1", "\"x\"", "", r#"{"x":1,"y":2} {}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
