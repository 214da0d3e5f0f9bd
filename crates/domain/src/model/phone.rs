//! A phone number in E.164 form.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use unicode_normalization::UnicodeNormalization as _;

use super::text;

/// A valid phone number in E.164 form: `+821012345678`. `Debug` shows it masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// The country in which numbers without a country code are read
/// (ISO 3166-1 alpha-2, `KR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(rlibphonenumber::Region);

/// What the metadata has as the region of numbers that belong to no country.
const WORLD: &str = "001";

impl Region {
    /// The Republic of Korea.
    pub const KOREA: Self = Self(rlibphonenumber::Region::KR);

    /// Reads a country code.
    ///
    /// # Errors
    /// What a region must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be a country code of two capital letters such as KR (ISO 3166-1)";
        if !text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(RULE);
        }
        let region = rlibphonenumber::Region::from_code(text).map_err(|_| RULE)?;
        PHONE_NUMBER_UTIL
            .get_country_code_for_region(region)
            .map(|_| Self(region))
            .ok_or(RULE)
    }

    /// Its country code: `KR`.
    #[must_use]
    pub fn code(self) -> String {
        self.0.as_region_str().as_str().to_owned()
    }
}

impl Phone {
    /// Reads a number in any of its spellings, digits of any script included.
    ///
    /// # Errors
    /// What a phone number must look like, if this is none.
    pub fn parse(text: &str, region: Region) -> Result<Self, &'static str> {
        const RULE: &str = "must be a phone number such as +821012345678";
        if text.len() > 256 {
            return Err(RULE);
        }
        let folded: String = text.trim().nfkc().map(text::ascii_digit).collect();
        let allowed = |c: char| {
            c.is_ascii_digit() || "+-(). /\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}".contains(c)
        };
        if !folded.chars().all(allowed) {
            return Err(RULE);
        }
        let number = PHONE_NUMBER_UTIL
            .parse(&folded, Some(region.0))
            .map_err(|_| RULE)?;
        if !number.is_valid() || number.extension.is_some() {
            return Err(RULE);
        }
        Ok(Self(number.format_as(PhoneNumberFormat::E164).into_owned()))
    }

    /// Reads a number back that is in E.164 form already.
    ///
    /// # Errors
    /// What a phone number must look like, if this is none.
    pub fn restore(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let is_number = (5..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if is_number {
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

    /// The digits of the country calling code, as ITU-T E.164 assigns them: `82`
    /// for Korea, `1` for North America, `800` for international freephone. Of a
    /// number under a code that is not assigned, the first three digits.
    #[must_use]
    pub fn calling_code(&self) -> &str {
        let is_assigned = |code: &&str| {
            let code = code.parse().unwrap_or_default();
            PHONE_NUMBER_UTIL
                .get_region_for_country_code(code)
                .is_some()
        };
        // No code is the beginning of another.
        (2..=4)
            .filter_map(|end| self.0.get(1..end))
            .find(is_assigned)
            .unwrap_or(&self.0[1..4])
    }

    /// The country that the number belongs to, also where several share a calling
    /// code. `None` if it belongs to none, as those of satellites do not.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let region = number.get_region_code().map(Region)?;
        (region.code() != WORLD).then_some(region)
    }

    /// What the number has in common with its hundred neighbours: all but its last
    /// two digits.
    #[must_use]
    pub fn neighbourhood(&self) -> &str {
        &self.0[..self.0.len() - 2]
    }

    /// Whether a text message can reach the number, as far as the numbering
    /// plans tell.
    ///
    /// Mobile numbers can receive one, and those of plans that do not tell mobile
    /// from fixed ones (North America). So may VoIP and personal numbers, which
    /// many operators connect to messaging, and numbers whose type is unknown.
    /// Fixed lines, freephone, premium-rate, shared-cost and company-wide (UAN)
    /// numbers, voicemail and pagers cannot: what is sent there is lost, read
    /// aloud, or costs its sender a premium.
    #[must_use]
    pub fn can_receive_messages(&self) -> bool {
        let Ok(number) = PHONE_NUMBER_UTIL.parse(&self.0, None) else {
            return true;
        };
        match number.get_type() {
            PhoneNumberType::Mobile
            | PhoneNumberType::FixedLineOrMobile
            | PhoneNumberType::VoIP
            | PhoneNumberType::PersonalNumber
            | PhoneNumberType::Unknown => true,
            PhoneNumberType::FixedLine
            | PhoneNumberType::TollFree
            | PhoneNumberType::PremiumRate
            | PhoneNumberType::SharedCost
            | PhoneNumberType::UAN
            | PhoneNumberType::VoiceMail
            | PhoneNumberType::Pager => false,
        }
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
            "٠١٠-١٢٣٤-٥٦٧٨",
            "+८२१०१२३४५६७८",
            "00182 10 1234 5678",
            "821012345678",
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
            "010-1234-5678 x5",
            "010-1234-5678 ext. 5",
            "010-1234-5678#5",
            "tel:+82-10-1234-5678",
            "1-800-FLOWERS",
            "010-1234-56",
            "+999123456789",
        ] {
            assert!(
                Phone::parse(text, korea()).is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn a_region_is_a_country_with_numbers_of_its_own() {
        for text in ["", "K", "kr", "KOR", "ZZ", "AQ", "001", "한"] {
            assert!(Region::parse(text).is_err(), "{text:?} was accepted");
        }
        for text in ["KR", "US", "BJ", "XK"] {
            assert!(Region::parse(text).is_ok(), "{text:?} was refused");
        }
    }

    #[test]
    fn leading_zeros_belong_to_the_number() {
        for (region, national, e164) in [
            // Italy: its own zero is dialled from abroad too.
            ("IT", "0369 815822", "+390369815822"),
            ("IT", "369 815 8220", "+393698158220"),
            ("GA", "06 03 12 34", "+24106031234"),
            ("GA", "074 12 34 56", "+24174123456"),
            // Ten digits since the plans of 2021 and 2024.
            ("CI", "01 23 45 67 89", "+2250123456789"),
            ("BJ", "01 95 12 34 56", "+2290195123456"),
            ("CG", "06 123 4567", "+242061234567"),
        ] {
            let home = Region::parse(region).expect("a region");
            for (spelling, read_in) in [(national, home), (e164, home), (e164, korea())] {
                let phone = Phone::parse(spelling, read_in);
                assert_eq!(
                    phone.as_ref().map(Phone::as_str),
                    Ok(e164),
                    "{spelling} in {region}"
                );
            }
        }
    }

    #[test]
    fn a_number_belongs_to_a_country_also_where_several_share_a_code() {
        for (number, country) in [
            ("+821012345678", Some("KR")),
            ("+12025550123", Some("US")),
            ("+18765550123", Some("JM")),
            ("+77012345678", Some("KZ")),
            ("+80012345678", None),
            ("+99912345678", None),
        ] {
            let phone = Phone::restore(number).expect("a number");
            let code = phone.region().map(Region::code);
            assert_eq!(code.as_deref(), country, "{number}");
        }
    }

    #[test]
    fn neighbours_differ_in_the_last_two_digits() {
        let of = |text| Phone::restore(text).expect("a number");
        let (number, next) = (of("+821012345678"), of("+821012345601"));
        assert_eq!(number.neighbourhood(), next.neighbourhood());
        assert_ne!(number.neighbourhood(), of("+821012345578").neighbourhood());
    }

    #[test]
    fn the_calling_code_is_that_of_itu() {
        for (number, code) in [
            ("+821012345678", "82"),
            ("+12025550123", "1"),
            ("+18765550123", "1"),
            ("+77012345678", "7"),
            ("+390369815822", "39"),
            ("+35312345678", "353"),
            ("+80012345678", "800"),
            ("+99912345678", "999"),
            ("+21012345678", "210"),
        ] {
            let phone = Phone::restore(number).expect("a number");
            assert_eq!(phone.calling_code(), code, "{number}");
        }
    }

    #[test]
    fn messages_go_where_they_can_be_received() {
        for (number, can) in [
            ("+821012345678", true),
            ("+12025550123", true),
            ("+827012345678", true),
            ("+447012345678", true),
            ("+99912345678", true),
            ("+8222123456", false),
            ("+390369815822", false),
            ("+18002345678", false),
            ("+449012345678", false),
            ("+448431234567", false),
            ("+445512345678", false),
            ("+80012345678", false),
        ] {
            let phone = Phone::restore(number).expect("a number");
            assert_eq!(phone.can_receive_messages(), can, "{number}");
        }
    }

    #[test]
    fn only_e164_is_restored() {
        for text in [
            "",
            "+",
            "821012345678",
            "+8210",
            "+0821012345678",
            "+82 1012345678",
            "+8210123456789012",
        ] {
            assert!(Phone::restore(text).is_err(), "{text:?} was restored");
        }
    }

    #[test]
    fn the_mask_keeps_the_middle_secret() {
        let phone = Phone::parse("010-1234-5678", korea()).expect("a number");
        assert_eq!(phone.masked(), "+8210****5678");
    }
}
