//! How one phone number is written in tables that other programs have made.

use std::collections::BTreeSet;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::{Phone, Region};

impl Phone {
    /// The common ways to write the number, each of which is read as this one in
    /// `region`: E.164 with and without its plus, the national and the international
    /// form with hyphens, with spaces and without either.
    #[must_use]
    pub fn spellings(&self, region: Region) -> BTreeSet<String> {
        let mut spellings = BTreeSet::from([self.as_str().to_owned()]);
        let Ok(number) = PHONE_NUMBER_UTIL.parse(self.as_str(), None) else {
            return spellings;
        };
        for format in [
            PhoneNumberFormat::National,
            PhoneNumberFormat::International,
        ] {
            let text = number.format_as(format).into_owned();
            let separated = |by: &str| {
                let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '+'));
                let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
                parts.join(by)
            };
            spellings.extend([separated("-"), separated(" "), separated("")]);
            spellings.insert(text);
        }
        spellings.retain(|text| Self::parse(text, region).as_ref() == Ok(self));
        // Read with a plus alone, and common all the same.
        spellings.insert(self.as_str().trim_start_matches('+').to_owned());
        spellings
    }

    /// Reads a number as a table may have it: in any of its [spellings](Self::spellings).
    ///
    /// # Errors
    /// What a phone number must look like, if this is none.
    pub fn read_from_table(text: &str, region: Region) -> Result<Self, &'static str> {
        Self::parse(text, region).or_else(|rule| {
            let with_plus = format!("+{}", text.trim());
            let phone = Self::parse(&with_plus, region).map_err(|_| rule)?;
            match phone.as_str() == with_plus {
                true => Ok(phone),
                false => Err(rule),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_table_is_read_as_the_number_that_it_is() {
        let phone = Phone::restore("+821012345678").expect("a number");
        let spellings = phone.spellings(Region::KOREA);
        for spelling in [
            "+821012345678",
            "821012345678",
            "01012345678",
            "010-1234-5678",
            "010 1234 5678",
            "+82 10-1234-5678",
            "+82-10-1234-5678",
            "+82 10 1234 5678",
        ] {
            assert!(spellings.contains(spelling), "{spelling} in {spellings:?}");
        }
        for spelling in &spellings {
            let read = Phone::read_from_table(spelling, Region::KOREA);
            assert_eq!(read.as_ref(), Ok(&phone), "{spelling}");
        }
    }

    #[test]
    fn a_number_abroad_has_no_national_spelling() {
        let phone = Phone::restore("+12025550123").expect("a number");
        let spellings = phone.spellings(Region::KOREA);
        assert!(spellings.contains("12025550123"), "{spellings:?}");
        assert!(!spellings.contains("2025550123"), "{spellings:?}");
    }
}
