//! A user name in its one normal form.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// A user name: 3 to 64 letters, digits, dots, underscores and hyphens that
/// starts with a letter, in Unicode NFKC and lower case. It can be mistaken
/// neither for an e-mail address nor for a phone number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// Reads a name in any of its spellings.
    ///
    /// # Errors
    /// What a user name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be 3 to 64 letters, digits, dots, underscores and hyphens, starting with a letter";
        if text.len() > 1024 {
            return Err(RULE);
        }
        let folded: String = text
            .trim()
            .nfkc()
            .flat_map(char::to_lowercase)
            .nfkc()
            .collect();
        let allowed = |c: char| c.is_alphanumeric() || "._-".contains(c);
        let starts_well = folded.chars().next().is_some_and(char::is_alphabetic);
        let length = folded.chars().count();
        if !(3..=64).contains(&length) || !starts_well || !folded.chars().all(allowed) {
            return Err(RULE);
        }
        Ok(Self(folded))
    }

    /// The name in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_have_one_form() {
        for spelling in ["mina.kim", "Mina.Kim", " ＭＩＮＡ.kim "] {
            assert_eq!(
                Username::parse(spelling).map(|n| n.0),
                Ok("mina.kim".into())
            );
        }
    }

    #[test]
    fn what_could_be_an_address_is_refused() {
        for text in [
            "mi",
            "mina@example.com",
            "01012345678",
            "mi\u{200d}na",
            "mi na",
            ".mina",
            &"a".repeat(65),
        ] {
            assert!(Username::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
