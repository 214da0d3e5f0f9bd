//! A code that proves an address.

use std::fmt;

use aws_lc_rs::hmac;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::text;
use crate::model::VerificationId;
use crate::ports::Random;

const MIN_CHARS: usize = 4;
const MAX_CHARS: usize = 64;
const RULE: &str = "must be 4 to 64 ASCII letters and digits";

/// A code. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// A code of `digits` random digits, each code equally likely.
    #[must_use]
    pub fn generate(digits: u32, random: &dyn Random) -> Self {
        let mut code = Zeroizing::new(String::with_capacity(digits as usize));
        while code.len() < digits as usize {
            let mut byte = [0; 1];
            random.fill(&mut byte);
            // 250 is the largest multiple of ten in a byte: above it, draw again.
            if byte[0] < 250 {
                code.push(char::from(b'0' + byte[0] % 10));
            }
        }
        Self(code)
    }

    /// A code of the caller's own.
    ///
    /// # Errors
    /// What a code must look like, if this is none.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        Self::checked(Zeroizing::new(text))
    }

    /// What a person typed: digits of any script are ASCII digits, full-width
    /// letters ASCII letters; white space, hyphens and invisible characters are
    /// dropped.
    ///
    /// # Errors
    /// What a code must look like, if this is none.
    pub fn typed(text: &str) -> Result<Self, &'static str> {
        if text.len() > 256 {
            return Err(RULE);
        }
        let is_dropped =
            |c: &char| c.is_whitespace() || text::is_dash(*c) || text::is_invisible(*c);
        // One more than allowed is too long already, and fits without growing.
        let most = MAX_CHARS + 1;
        let mut code = Zeroizing::new(String::with_capacity(most * char::MAX_LEN_UTF8));
        code.extend(
            text.nfkc()
                .filter(|c| !is_dropped(c))
                .map(text::ascii_digit)
                .take(most),
        );
        Self::checked(code)
    }

    fn checked(text: Zeroizing<String>) -> Result<Self, &'static str> {
        let is_code = (MIN_CHARS..=MAX_CHARS).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_code { Ok(Self(text)) } else { Err(RULE) }
    }

    /// The code in the clear, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of the code: an HMAC over it and the verification that it is
    /// bound to, under a key that the store does not hold.
    #[must_use]
    pub fn digest(&self, id: VerificationId, key: &hmac::Key) -> [u8; 32] {
        // The id is of one length, so the two cannot be confused.
        self.digest_bound_to(id.as_bytes(), key)
    }

    /// As [`Self::digest`], bound to an id of any kind, whose ids are all of one
    /// length and random.
    #[must_use]
    pub fn digest_bound_to(&self, id: &[u8], key: &hmac::Key) -> [u8; 32] {
        let mut context = hmac::Context::with_key(key);
        context.update(id);
        context.update(self.0.as_bytes());
        let tag = context.sign();
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_script_are_digits() {
        for typed in [
            "123456",
            " 123 456\n",
            "123-456",
            "123\u{2013}456",
            "123\u{2212}456",
            "１２３４５６",
            "１２３－４５６",
            "١٢٣٤٥٦",
            "۱۲۳۴۵۶",
            "१२३४५६",
            "১২৩৪৫৬",
            "๑๒๓๔๕๖",
            "𝟏𝟐𝟑𝟒𝟓𝟔",
            "\u{200e}123\u{200b}456\u{200f}",
            "\u{2067}١٢٣\u{a0}٤٥٦\u{2069}",
            "\u{feff}1\u{2060}2\u{ad}3\u{3164}456",
        ] {
            let code = Code::typed(typed).unwrap_or_else(|e| panic!("{typed:?}: {e}"));
            assert_eq!(code.expose(), "123456", "{typed:?}");
        }
    }

    #[test]
    fn letters_keep_their_case() {
        let code = Code::typed("aB3-ｘＹ9").expect("a code");
        assert_eq!(code.expose(), "aB3xY9");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in [
            "",
            "123",
            "12_456",
            "12345é",
            "十二三四五",
            "- - - -",
            "12\u{0}456",
        ] {
            assert!(Code::typed(typed).is_err(), "{typed:?} was accepted");
        }
        assert!(Code::typed(&"1".repeat(64)).is_ok());
        assert!(Code::typed(&"1".repeat(65)).is_err());
        assert!(
            Code::typed(&"\u{fdfa}".repeat(85)).is_err(),
            "85 ligatures of 18 letters"
        );
        assert!(Code::typed(&" ".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_callers_own_code_is_taken_as_it_is() {
        assert!(Code::parse("123-456".into()).is_err());
        assert!(Code::parse("１２３４５６".into()).is_err());
        let code = Code::parse("123456".into()).expect("a code");
        assert_eq!(format!("{code:?}"), "Code(..)");
    }
}
