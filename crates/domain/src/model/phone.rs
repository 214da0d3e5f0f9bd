//! A phone number in E.164 form.

use std::fmt;

use phonenumber::country;
use unicode_normalization::UnicodeNormalization as _;

/// A valid phone number in E.164 form: `+821012345678`. `Debug` shows it masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// The country in which numbers without a country code are read
/// (ISO 3166-1 alpha-2, `KR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(country::Id);

impl Region {
    /// Reads a country code.
    ///
    /// # Errors
    /// What a region must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        text.parse()
            .map(Self)
            .map_err(|_| "must be a country code of two capital letters such as KR (ISO 3166-1)")
    }
}

impl Phone {
    /// Reads a number in any of its spellings.
    ///
    /// # Errors
    /// What a phone number must look like, if this is none.
    pub fn parse(text: &str, region: Region) -> Result<Self, &'static str> {
        const RULE: &str = "must be a phone number such as +821012345678";
        if text.len() > 256 {
            return Err(RULE);
        }
        let folded: String = text.trim().nfkc().collect();
        let allowed = |c: char| {
            c.is_ascii_digit() || "+-(). /\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}".contains(c)
        };
        if !folded.chars().all(allowed) {
            return Err(RULE);
        }
        let number = phonenumber::parse(Some(region.0), &folded).map_err(|_| RULE)?;
        if !number.is_valid() || number.extension().is_some() {
            return Err(RULE);
        }
        Ok(Self(
            number.format().mode(phonenumber::Mode::E164).to_string(),
        ))
    }

    /// Reads a number back that is in E.164 form already.
    ///
    /// # Errors
    /// What a phone number must look like, if this is none.
    pub fn restore(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        if (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err("must be a phone number in E.164 form")
        }
    }

    /// The number in E.164 form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, by which sends are limited per country.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.get(..4).unwrap_or(&self.0)
    }

    /// So much of the number that its owner recognises it: `+8210****5678`.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.0.len();
        let head = self.0.get(..5.min(digits)).unwrap_or_default();
        let tail = self
            .0
            .get(digits.saturating_sub(4).max(head.len())..)
            .unwrap_or_default();
        format!("{head}****{tail}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn korea() -> Region {
        Region::parse("KR").expect("a region")
    }

    #[test]
    fn all_spellings_have_one_form() {
        let spellings = [
            "+821012345678",
            "010-1234-5678",
            "01012345678",
            "010 1234 5678",
            "+82 10-1234-5678",
            "+82 (0)10 1234 5678",
            "０１０-１２３４-５６７８",
            "010.1234.5678",
            " 010–1234–5678 ",
            "+82-010-1234-5678",
        ];
        for spelling in spellings {
            let phone =
                Phone::parse(spelling, korea()).unwrap_or_else(|e| panic!("{spelling}: {e}"));
            assert_eq!(phone.as_str(), "+821012345678", "{spelling}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "12",
            "hello",
            "+8210123456789012345",
            "010-1234-567\u{200b}8",
            "010-1234-5678;ext=5",
            "+999123456789",
        ] {
            assert!(
                Phone::parse(text, korea()).is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn the_mask_keeps_the_middle_secret() {
        let phone = Phone::parse("010-1234-5678", korea()).expect("a number");
        assert_eq!(phone.masked(), "+8210****5678");
    }
}
