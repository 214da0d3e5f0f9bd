//! Which attributes of a profile are a person's own: what a group allows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Attributes;

/// An attribute that people of a group see in their own profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileAttribute {
    /// Its name.
    pub name: AttributeName,
    /// What its values are.
    pub kind: AttributeKind,
    /// Whether people change it, too.
    #[serde(default)]
    pub writable: bool,
}

/// The name of an attribute: 1 to 64 lower-case letters, digits and underscores, with a
/// letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributeName(String);

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// Texts of at most so many characters.
    Text(u32),
    /// Numbers.
    Number,
    /// True or false.
    Boolean,
}

/// What a person changes of its attributes.
#[derive(Clone, Debug)]
pub struct AttributesChange {
    /// The names of those that are written; all that may be if there is none.
    pub names: Option<Vec<String>>,
    /// The new values. Those without one are gone.
    pub values: Attributes,
}

impl AttributeName {
    /// Reads a name.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(
                "must be 1 to 64 lower-case letters, digits and underscores, a letter first",
            );
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AttributeKind {
    /// The most characters that texts may be allowed to have.
    pub const LONGEST_TEXT: u32 = 4096;

    /// Whether a value is of this kind.
    ///
    /// # Errors
    /// What it must be, if it is not.
    pub fn check(self, value: &Value) -> Result<(), String> {
        match (self, value) {
            (Self::Text(longest), Value::String(text)) => {
                match text.chars().nth(longest as usize) {
                    Some(_) => Err(format!("must be a text of at most {longest} characters")),
                    None => Ok(()),
                }
            }
            (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => Ok(()),
            (Self::Text(longest), _) => {
                Err(format!("must be a text of at most {longest} characters"))
            }
            (Self::Number, _) => Err("must be a number".into()),
            (Self::Boolean, _) => Err("must be true or false".into()),
        }
    }
}

impl Attributes {
    /// Those that people see of themselves.
    #[must_use]
    pub fn shown(&self, allowed: &[ProfileAttribute]) -> Self {
        let names = allowed.iter().map(|allowed| allowed.name.as_str());
        let shown = names.filter_map(|name| Some((name.into(), self.object().get(name)?.clone())));
        Self::part(shown.collect())
    }
}

impl AttributesChange {
    /// Whether an attribute is written, if it may be.
    #[must_use]
    pub fn writes(&self, name: &str) -> bool {
        let names = self.names.as_ref();
        names.is_none_or(|names| names.iter().any(|named| named == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_form() {
        for (text, is_name) in [
            ("a", true),
            ("shoe_size_2", true),
            ("", false),
            ("2a", false),
            ("_a", false),
            ("Size", false),
            ("a.b", false),
            ("이름", false),
        ] {
            assert_eq!(AttributeName::parse(text).is_ok(), is_name, "{text:?}");
        }
        assert!(AttributeName::parse(&"a".repeat(65)).is_err());
    }
}
