//! How identifiers begin.

use std::fmt;

use crate::model::IdentifierKind;

use super::text;

/// The first characters of identifiers of a kind, folded as those are: 1 to 254 bytes
/// without control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentifierPrefix {
    kind: IdentifierKind,
    text: String,
}

impl IdentifierPrefix {
    /// Reads a prefix.
    ///
    /// # Errors
    /// What a prefix must look like, if this is none.
    pub fn parse(kind: IdentifierKind, text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be 1 to 254 bytes, without spaces and control characters";
        let folded = match text.len() {
            0..=254 => text::settle(text, |text| Some(text::fold(text))).ok_or(RULE)?,
            _ => return Err(RULE),
        };
        let is_fit = |c: char| !c.is_control() && !c.is_whitespace();
        if !(1..=254).contains(&folded.len()) || !folded.chars().all(is_fit) {
            return Err(RULE);
        }
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if kind == IdentifierKind::Phone && !folded.strip_prefix('+').is_some_and(is_number) {
            return Err("must begin with + and the country code, such as +8210");
        }
        Ok(Self { kind, text: folded })
    }

    /// Of which identifiers.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for IdentifierPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentifierPrefix({:?}, ..)", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_folded_and_have_a_form() {
        use IdentifierKind::{Email, Phone, Username};
        for (kind, text, expected) in [
            (Email, "MINA@ex", Some("mina@ex")),
            (Username, "Ｍina", Some("mina")),
            (Phone, "+8210", Some("+8210")),
            (Phone, "010", None),
            (Phone, "+82-10", None),
            (Email, "", None),
            (Email, "mi na", None),
            (Email, "mi\0", None),
        ] {
            let prefix = IdentifierPrefix::parse(kind, text);
            let folded = prefix.as_ref().ok().map(IdentifierPrefix::as_str);
            assert_eq!(folded, expected, "{text:?}");
        }
        assert!(IdentifierPrefix::parse(Email, &"a".repeat(255)).is_err());
    }
}
