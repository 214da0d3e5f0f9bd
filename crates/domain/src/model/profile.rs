//! What a person says of itself.

use std::fmt;

use serde_json::{Map, Value};

use super::text;

/// The profile of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// How the person wants to be called.
    pub name: Option<PersonName>,
    /// The language in which it wants to be spoken to.
    pub locale: Option<LanguageTag>,
    /// The time zone in which it lives.
    pub time_zone: Option<TimeZone>,
    /// What else is kept of it.
    pub attributes: Attributes,
}

/// The name of a person: 1 to 255 characters, of which something is seen, without such
/// as change how a line is shown, and without spaces at its ends.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonName(String);

/// A language tag in the form of RFC 5646: 2 to 35 letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageTag(String);

/// The name of a time zone in the form of the IANA database, such as `Asia/Seoul`: 1 to
/// 64 letters, digits and `/ _ + -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(String);

/// A JSON object of at most [`MAX_BYTES`](Self::MAX_BYTES), written without spaces.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(Map<String, Value>);

impl PersonName {
    /// Reads a name.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let length = text.chars().count();
        let is_fit = text.trim() == text && !text.chars().any(text::is_formatting);
        let is_seen = |c: char| !c.is_whitespace() && !text::is_default_ignorable(c);
        if length > 255 || !is_fit || !text.chars().any(is_seen) {
            return Err(
                "must be 1 to 255 characters, without control and formatting characters and \
                 without spaces at its ends",
            );
        }
        Ok(Self(text.into()))
    }

    /// A name that was written before: a rule of today makes no user unreadable.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LanguageTag {
    /// Reads a tag.
    ///
    /// # Errors
    /// What a tag must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_subtag = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if !(2..=35).contains(&text.len()) || !text.split('-').all(is_subtag) {
            return Err("must be a language tag such as ko or en-GB (RFC 5646)");
        }
        Ok(Self(text.into()))
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TimeZone {
    /// Reads a name.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err("must be the name of a time zone such as Asia/Seoul");
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Attributes {
    /// How many bytes they have at most.
    pub const MAX_BYTES: usize = 8 * 1024;

    const RULE: &str = "must be a JSON object of at most 8 KiB";

    /// Takes an object.
    ///
    /// # Errors
    /// What attributes must be, if these are none.
    pub fn new(object: Map<String, Value>) -> Result<Self, &'static str> {
        let attributes = Self(object);
        if attributes.to_json().len() > Self::MAX_BYTES {
            return Err(Self::RULE);
        }
        Ok(attributes)
    }

    /// Takes an object that is part of one that was read before.
    pub(super) fn part(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// What attributes must be, if these are none.
    pub fn parse(json: &str) -> Result<Self, &'static str> {
        Self::new(Self::stored(json)?.0)
    }

    /// Reads an object that was written before, whatever its size: a bound of today
    /// makes no user unreadable.
    ///
    /// # Errors
    /// What attributes must be, if these are none.
    pub fn stored(json: &str) -> Result<Self, &'static str> {
        let object = serde_json::from_str(json).map_err(|_| Self::RULE)?;
        Ok(Self(object))
    }

    /// The object as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(..)")
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attributes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tags_and_zones_have_their_forms() {
        for (text, is_name, is_tag, is_zone) in [
            ("", false, false, false),
            ("ko", true, true, true),
            ("en-GB", true, true, true),
            ("en-", true, false, true),
            ("Asia/Seoul", true, false, true),
            ("김민아", true, false, false),
            (" mina", false, false, false),
            ("mi\0na", false, false, false),
            ("mina\u{202e}nim", false, false, false),
            ("mina\u{2028}kim", false, false, false),
            ("\u{3164}", false, false, false),
            ("\u{200d}", false, false, false),
            ("👩\u{200d}🚀", true, false, false),
            ("نام\u{200c}ها", true, false, false),
        ] {
            assert_eq!(PersonName::parse(text).is_ok(), is_name, "{text:?}");
            assert_eq!(LanguageTag::parse(text).is_ok(), is_tag, "{text:?}");
            assert_eq!(TimeZone::parse(text).is_ok(), is_zone, "{text:?}");
        }
    }

    /// Numbers are what they were, and a text that was written is read.
    #[test]
    fn attributes_are_read_as_they_were_written() {
        let mut value = 0.1_f64;
        let mut object = Map::new();
        for number in 0..250 {
            value = (value * 1.618_033_988_749_895) % 1.0;
            object.insert(format!("n{number}"), value.into());
        }
        let attributes = Attributes::new(object).expect("of bounded size");
        let json = attributes.to_json();
        let read = Attributes::stored(&json).expect("readable");
        assert!(read == attributes);
        assert_eq!(read.to_json(), json);
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * Attributes::MAX_BYTES));
        assert!(Attributes::stored(&large).is_ok());
    }

    #[test]
    fn attributes_are_an_object_of_bounded_size() {
        let of = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        for (json, is_good) in [
            ("{}", true),
            ("{\"a\": [1, null]}", true),
            (&of(Attributes::MAX_BYTES), true),
            (&of(Attributes::MAX_BYTES + 1), false),
            ("[]", false),
            ("null", false),
            ("", false),
            (&format!("{{\"a\":{}1", "[".repeat(4_000)), false),
        ] {
            assert_eq!(Attributes::parse(json).is_ok(), is_good, "{}", json.len());
        }
    }
}
