//! Strict JSON objects: no member may be repeated, and only those are read that are asked for, so
//! that a number without bounds in another one does no harm.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::failure::Failure;

/// The members of an object, by name, as they were written.
pub(crate) struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    /// Reads an object.
    ///
    /// # Errors
    /// Rejected unless it is UTF-8 and one JSON object whose members all differ.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::rejected("it is not UTF-8"))?;
        serde_json::from_str(text)
            .map_err(|_| Failure::rejected("it is not a JSON object of distinct members"))
    }

    /// A member of this type; `None` if there is none, or `null`.
    ///
    /// # Errors
    /// Rejected if it is of another type.
    pub(crate) fn get<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<Option<T>, Failure> {
        let Some(raw) = self.0.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get())
            .map_err(|_| Failure::rejected(format!("its {name} is of a wrong type or range")))
    }

    /// A text.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.get(name)
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// As [`get`](Self::get), and if there is none.
    pub(crate) fn required(&self, name: &str) -> Result<String, Failure> {
        self.text(name)?
            .ok_or_else(|| Failure::rejected(format!("it has no {name}")))
    }

    /// A text, whatever else is there.
    pub(crate) fn text_or_nothing(&self, name: &str) -> Option<String> {
        self.text(name).ok().flatten()
    }

    /// An object.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Failure> {
        let Some(raw) = self.0.get(name).filter(|raw| raw.get() != "null") else {
            return Ok(None);
        };
        Self::read(raw.get().as_bytes())
            .map(Some)
            .map_err(|failure| failure.during(name))
    }

    /// A list of texts; empty if there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        self.get(name)
    }

    /// Seconds since 1970, of which a fraction is dropped (RFC 7519, NumericDate).
    ///
    /// # Errors
    /// As [`get`](Self::get), and for times that nobody lives to see.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<i64>, Failure> {
        const LATEST: f64 = 253_402_300_800.0;
        let Some(number) = self.get::<f64>(name)? else {
            return Ok(None);
        };
        match (0.0..LATEST).contains(&number) {
            #[expect(clippy::cast_possible_truncation, reason = "it lies within the bounds")]
            true => Ok(Some(number as i64)),
            false => Err(Failure::rejected(format!("its {name} is no time"))),
        }
    }

    /// Whether there is such a member.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The members as they were written.
    pub(crate) fn raw(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), &**raw))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_member_is_refused_however_it_is_spelled() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            "[1]",
            "null",
            "",
            "{} {}",
            "<html>",
        ] {
            assert!(Members::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Members::read(b"{\"a\":\"\xff\"}").is_err());
        let nested = Members::read(br#"{"a":{"b":1,"b":2}}"#).unwrap();
        assert!(nested.object("a").is_err());
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        let members = Members::read(br#"{"n":1e400,"t":"x","z":null,"s":1.5e9,"m":-1}"#).unwrap();
        assert_eq!(members.text("t").unwrap().as_deref(), Some("x"));
        assert_eq!(members.text("z").unwrap(), None);
        assert_eq!(members.text("none").unwrap(), None);
        assert_eq!(members.seconds("s").unwrap(), Some(1_500_000_000));
        for name in ["n", "m", "t"] {
            assert!(members.seconds(name).is_err(), "{name}");
        }
        assert!(members.text("n").is_err());
        assert!(members.required("z").is_err());
    }
}
