//! Time-based one-time passwords (RFC 6238) as authenticator apps make them:
//! HMAC-SHA-1, six digits, a step of 30 seconds.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::model::Timestamp;
use crate::ports::Random;

/// How many seconds a step takes.
const STEP_SECONDS: i64 = 30;
/// How many steps before and after the present one are taken, for clocks that
/// differ (RFC 6238, 5.2).
const SKEW: i64 = 1;
/// 160 bits, as RFC 4226 recommends.
const SECRET_LEN: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an authenticator app and this service share. Wiped from
/// memory when dropped, never shown.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; SECRET_LEN]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The secret of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Reads a secret as [`to_base32`](Self::to_base32) writes it; none if it is
    /// not written so.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
        let (mut bits, mut count) = (0_u32, 0);
        for letter in text.bytes() {
            let value = BASE32.iter().position(|known| *known == letter)?;
            bits = (bits << 5) | u32::try_from(value).ok()?;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(bits >> count).ok()?);
                bits &= (1 << count) - 1;
            }
        }
        (bits == 0 && count < 5).then_some(Self(bytes))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret in base32 without padding (RFC 4648), as it is typed into an
    /// app.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().div_ceil(5) * 8));
        for chunk in self.0.chunks(5) {
            let mut bits = [0; 8];
            bits[3..3 + chunk.len()].copy_from_slice(chunk);
            let bits = u64::from_be_bytes(bits);
            for place in 0..(chunk.len() * 8).div_ceil(5) {
                let letter = (bits >> (35 - 5 * place)) & 31;
                text.push(char::from(BASE32[letter as usize]));
            }
        }
        text
    }

    /// The step that a code of six digits belongs to, of those that are near to
    /// `now`; none if it is no code of theirs.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let present = now.as_seconds().div_euclid(STEP_SECONDS);
        // The latest first, and each of them whatever the others are.
        let near = (present - SKEW..=present + SKEW).rev();
        near.fold(None, |found, step| {
            let is_right = is_equal(&self.code(step), code);
            found.or(is_right.then_some(step))
        })
    }

    /// The code of the present step, as an app shows it.
    #[must_use]
    pub fn code_at(&self, now: Timestamp) -> String {
        self.code(now.as_seconds().div_euclid(STEP_SECONDS))
            .to_string()
    }

    fn code(&self, step: i64) -> Zeroizing<String> {
        Zeroizing::new(format!("{:06}", self.truncated(step) % 1_000_000))
    }

    /// 31 bits (RFC 4226, 5.3).
    fn truncated(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[tag.len() - 1] & 15);
        let bytes = [0, 1, 2, 3].map(|place| tag[offset + place]);
        u32::from_be_bytes(bytes) & 0x7fff_ffff
    }
}

fn is_equal(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, and what its codes end with.
    const VECTORS: [(i64, u32); 6] = [
        (59, 94_287_082),
        (1_111_111_109, 7_081_804),
        (1_111_111_111, 14_050_471),
        (1_234_567_890, 89_005_924),
        (2_000_000_000, 69_279_037),
        (20_000_000_000, 65_353_130),
    ];

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890")
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        for (seconds, code) in VECTORS {
            assert_eq!(secret().truncated(seconds / 30) % 100_000_000, code);
            let now = Timestamp::from_seconds(seconds);
            let digits = format!("{:06}", code % 1_000_000);
            assert_eq!(secret().code_at(now), digits);
            assert_eq!(secret().step_of(&digits, now), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after() {
        let made = Timestamp::from_seconds(1_111_111_111);
        let code = secret().code_at(made);
        let step = made.as_seconds() / 30;
        for (steps, expected) in [(-2, None), (-1, Some(step)), (1, Some(step)), (2, None)] {
            let now = Timestamp::from_seconds(made.as_seconds() + steps * 30);
            assert_eq!(secret().step_of(&code, now), expected, "{steps}");
        }
        for other in ["", "05047", "0050471", "50471", "050472", "\u{661}50471"] {
            assert_eq!(secret().step_of(other, made), None, "{other}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        let known = [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
            ("12345678901234567890", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ];
        for (plain, text) in known {
            let secret = TotpSecret::from_bytes(plain.as_bytes());
            assert_eq!(*secret.to_base32(), text);
            let read = TotpSecret::from_base32(text).unwrap();
            assert_eq!(read.expose(), plain.as_bytes());
        }
        for other in [
            "m",
            "my",
            "MZ",
            "MY=",
            "MY M",
            "MZXW6YTBO",
            "M1",
            "MZXW6YQ\u{e9}",
        ] {
            assert!(TotpSecret::from_base32(other).is_none(), "{other}");
        }
    }
}
