//! Recovery codes: what a person keeps on paper for the day on which the other
//! factor is lost. Each is good once.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::model::UserId;
use crate::ports::Random;

/// How many letters a code has: 50 bits.
const LETTERS: usize = 10;
/// Base32 without letters that look like others (Crockford's).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A recovery code. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// How many codes a person is given.
    pub const COUNT: usize = 10;

    /// A new code.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; LETTERS]);
        random.fill(&mut *bytes);
        let letters = bytes.iter().map(|byte| ALPHABET[usize::from(byte % 32)]);
        Self(Zeroizing::new(letters.map(char::from).collect()))
    }

    /// What a person typed: without regard to case, hyphens and spaces, and with
    /// `o` for `0` and `i` or `l` for `1`. Nothing if it cannot be a code.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let mut code = Zeroizing::new(String::with_capacity(LETTERS + 1));
        for letter in text.chars().take(64) {
            let letter = match letter.to_ascii_lowercase() {
                '-' | ' ' => continue,
                'o' => '0',
                'i' | 'l' => '1',
                letter => letter,
            };
            let is_known = u8::try_from(letter).is_ok_and(|byte| ALPHABET.contains(&byte));
            if !is_known || code.len() == LETTERS {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LETTERS).then_some(Self(code))
    }

    /// The code as it is shown: `xxxxx-xxxxx`.
    #[must_use]
    pub fn to_shown(&self) -> Zeroizing<String> {
        let (first, second) = self.0.split_at(LETTERS / 2);
        Zeroizing::new(format!("{first}-{second}"))
    }

    /// What is kept of the code: an HMAC over it and its user, under a key that
    /// the store does not hold.
    #[must_use]
    pub fn digest(&self, user: UserId, key: &hmac::Key) -> [u8; 32] {
        let mut context = hmac::Context::with_key(key);
        // The id is of one length, so the two cannot be confused.
        context.update(user.as_bytes());
        context.update(self.0.as_bytes());
        let tag = context.sign();
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let user = UserId::from_bytes([1; 16]);
        let digest = |text: &str| RecoveryCode::typed(text).map(|code| code.digest(user, &key()));
        let known = digest("01abc-defgh");
        assert!(known.is_some());
        for typed in [
            "01ABC-DEFGH",
            " oiabcdefgh",
            "0labc defgh",
            "O-I-A-B-C-D-E-F-G-H",
        ] {
            assert_eq!(digest(typed), known, "{typed}");
        }
        for other in [
            "",
            "123456",
            "01abc-defg",
            "01abc-defghj",
            "01abc-defgu",
            "01abc_defgh",
        ] {
            assert!(digest(other).is_none(), "{other}");
        }
        assert_ne!(digest("01abc-defgj"), known);
    }

    #[test]
    fn two_users_codes_have_nothing_in_common() {
        let code = RecoveryCode::typed("01abc-defgh").expect("a code");
        assert_eq!(*code.to_shown(), "01abc-defgh");
        let [one, other] = [1, 2].map(|id| code.digest(UserId::from_bytes([id; 16]), &key()));
        assert_ne!(one, other);
        assert_eq!(format!("{code:?}"), "RecoveryCode(..)");
    }
}
