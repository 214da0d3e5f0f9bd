//! The spellings of numbers and bytes in hashes, read strictly.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, STANDARD_NO_PAD};

/// The alphabet of phpass and SHA-crypt, the least significant bits first.
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// passlib's: a full stop in place of the plus sign.
const PASSLIB: GeneralPurpose = GeneralPurpose::new(
    match &Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./") {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("64 signs are an alphabet"),
    },
    NO_PAD,
);

/// bcrypt's. Some implementations left bits in the last sign of a salt that say
/// nothing, and compare without them.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// A decimal number without sign and without zeros before it.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

/// A number within bounds.
pub(super) fn number_within(text: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
    number(text).filter(|number| bounds.contains(number))
}

/// Base64 with padding (RFC 4648 §4).
pub(super) fn padded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Base64 without padding, as in PHC strings.
pub(super) fn unpadded(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

/// passlib's base64, without padding.
pub(super) fn passlib(text: &str) -> Option<Vec<u8>> {
    PASSLIB.decode(text).ok()
}

/// bcrypt's base64.
pub(super) fn bcrypt<const N: usize>(text: &str) -> Option<[u8; N]> {
    BCRYPT.decode(text).ok()?.try_into().ok()
}

/// Hexadecimal digits of either case.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| {
        let byte = digit(*high)? << 4 | digit(*low)?;
        u8::try_from(byte).ok()
    });
    rest.is_empty().then(|| bytes.collect()).flatten()
}

/// Base64 without padding.
pub(super) fn to_unpadded(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Hexadecimal digits of lower case.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What phpass and SHA-crypt make of bytes: of three of them four signs, the
/// lowest bits first. Bits that say nothing must be zero.
pub(super) fn crypt(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for signs in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (place, sign) in signs.iter().enumerate() {
            bits |= crypt_value(*sign)? << (6 * place);
        }
        let count = signs.len() * 6 / 8;
        if signs.len() == 1 || bits >> (8 * count) != 0 {
            return None;
        }
        bytes.extend_from_slice(&bits.to_le_bytes()[..count]);
    }
    Some(bytes)
}

/// The value of one sign of [`crypt`].
pub(super) fn crypt_value(sign: u8) -> Option<u32> {
    let value = CRYPT.iter().position(|known| *known == sign)?;
    u32::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(
            (number("0"), number("4294967295")),
            (Some(0), Some(u32::MAX))
        );
        for text in ["", "+1", "-1", " 1", "1 ", "01", "1e3", "4294967296", "١"] {
            assert_eq!(number(text), None, "{text:?}");
        }
        assert_eq!(number_within("4", 4..=5), Some(4));
        assert_eq!(
            (number_within("3", 4..=5), number_within("6", 4..=5)),
            (None, None)
        );
    }

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(padded("c2FsdA=="), Some(b"salt".to_vec()));
        assert_eq!((padded("c2FsdA"), padded("c2FsdB==")), (None, None));
        assert_eq!(unpadded("c2FsdA"), Some(b"salt".to_vec()));
        assert_eq!((unpadded("c2FsdA=="), unpadded("c2Fsd.A")), (None, None));
        assert_eq!(passlib("..../w"), Some(vec![0xFB, 0xEF, 0xBE, 0xFF]));
        assert_eq!(passlib("++++"), None);
        assert_eq!(hex("00fF"), Some(vec![0, 255]));
        assert_eq!((hex("0"), hex("0g"), hex("+1")), (None, None, None));
        assert_eq!(crypt(".../"), Some(vec![0, 0, 4]));
        assert_eq!(crypt("z1"), Some(vec![0xFF]));
        assert_eq!((crypt("zz"), crypt("z"), crypt("=...")), (None, None, None));
    }
}
