//! The Unicode rules that identifiers and codes share.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_properties::props::{
    BinaryProperty as _, DefaultIgnorableCodePoint, EnumeratedProperty as _, GeneralCategory,
};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// The text without differences of case, width and composition: NFKC, full case
/// folding (ß and SS are ss, ς is σ), NFKC again, in the manner of compatibility
/// caseless matching (The Unicode Standard, section 3.13).
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded = CaseMapper::new().fold_string(&compose(text)).into_owned();
    compose(&folded).into_owned()
}

/// The text in NFKC, in which ASCII stays as it is.
pub(super) fn compose(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        text.nfkc().collect()
    }
}

/// Applies rules until the text stays as it is, as RFC 8264 §7 asks: three
/// more times at the most. Nothing if a rule refuses the text, or if it does
/// not come to rest.
pub(super) fn settle(text: &str, rules: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut settled = rules(text)?;
    for _ in 0..3 {
        let next = rules(&settled)?;
        if next == settled {
            return Some(settled);
        }
        settled = next;
    }
    None
}

/// Whether nothing is seen of a character: joiners, fillers (U+3164, U+115F),
/// variation selectors, zero-width spaces.
pub(super) fn is_default_ignorable(c: char) -> bool {
    DefaultIgnorableCodePoint::for_char(c)
}

/// Whether a code is the same without a character: default-ignorable ones, and
/// those that set the direction of writing.
pub(super) fn is_invisible(c: char) -> bool {
    is_default_ignorable(c) || GeneralCategory::for_char(c) == GeneralCategory::Format
}

/// Whether a character would change how what stands around it is shown, in lines or in
/// direction. The joiners that some scripts and emoji need do not.
pub(super) fn is_formatting(c: char) -> bool {
    const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
    let formatting = matches!(
        GeneralCategory::for_char(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    formatting && !JOINERS.contains(&c)
}

/// Whether a character is a hyphen, a dash or a minus sign.
pub(super) fn is_dash(c: char) -> bool {
    c == '\u{2212}' || GeneralCategory::for_char(c) == GeneralCategory::DashPunctuation
}

/// A decimal digit of any script as the ASCII digit, any other character as it
/// is.
pub(super) fn ascii_digit(c: char) -> char {
    let is_digit = |c| GeneralCategory::for_char(c) == GeneralCategory::DecimalNumber;
    if c.is_ascii() || !is_digit(c) {
        return c;
    }
    // The digits of a script stand in a row from nought to nine, and where two
    // rows touch, the second begins with nought again (UAX #44, Numeric_Type).
    let before = (0..u32::from(c)).rev().map_while(char::from_u32);
    let distance = before.take_while(|&c| is_digit(c)).count();
    char::from_digit(distance as u32 % 10, 10).unwrap_or(c)
}

/// Whether a character is a sign that belongs to the letters of one script, such
/// as the vowels and tones of Thai. Overlays (combining class 1) and the accents
/// that any letter can bear (200 and above) are none: with the letters that
/// commonly bear them NFKC has composed them, and on others they can imitate the
/// bare letter, as a dot on an i does (UTS 39 §5.4).
pub(super) fn is_sign_of_a_script(c: char) -> bool {
    is_combining_mark(c) && matches!(canonical_combining_class(c), 0 | 7..=199)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All characters that are assigned.
    fn all() -> impl Iterator<Item = char> {
        ('\0'..=char::MAX).filter(|&c| {
            !matches!(
                GeneralCategory::for_char(c),
                GeneralCategory::Unassigned | GeneralCategory::PrivateUse
            )
        })
    }

    #[test]
    fn ascii_folds_as_all_other_text() {
        let ascii: String = ('\0'..='\x7f').collect();
        let composed: String = ascii.nfkc().collect();
        let folded: String = CaseMapper::new().fold_string(&composed).nfkc().collect();
        assert_eq!((compose(&ascii), fold(&ascii)), (composed.into(), folded));
    }

    #[test]
    fn folding_settles_for_every_character() {
        let mut changed = 0;
        for c in all() {
            let text = c.to_string();
            let folded = settle(&text, |text| Some(fold(text)));
            let folded = folded.unwrap_or_else(|| panic!("{c:?} does not come to rest"));
            changed += u32::from(folded != text);
        }
        assert!(changed > 5_000, "{changed} characters were folded");
    }

    #[test]
    fn upper_and_lower_case_fold_to_the_same() {
        for c in all() {
            // Dotless i and dotted I are letters of their own outside Turkish.
            if matches!(c, 'ı' | 'İ') {
                continue;
            }
            let folded = fold(&c.to_string());
            let upper: String = c.to_uppercase().collect();
            let lower: String = upper.chars().flat_map(char::to_lowercase).collect();
            assert_eq!(fold(&upper), folded, "{c:?}");
            assert_eq!(fold(&lower), folded, "{c:?}");
        }
    }

    #[test]
    fn the_digits_of_every_script_are_told_apart() {
        let mut scripts = 0;
        let mut expected = 0;
        let mut last = '\0';
        for c in all().filter(|&c| GeneralCategory::for_char(c) == GeneralCategory::DecimalNumber) {
            if u32::from(c) != u32::from(last) + 1 {
                assert_eq!(expected, 0, "the row before {c:?} is cut short");
            }
            assert_eq!(ascii_digit(c).to_digit(10), Some(expected), "{c:?}");
            expected = (expected + 1) % 10;
            scripts += u32::from(expected == 0);
            last = c;
        }
        assert!(scripts > 70, "{scripts} rows of digits");
        for (digit, ascii) in [('٣', '3'), ('۴', '4'), ('५', '5'), ('６', '6'), ('𝟕', '7')]
        {
            assert_eq!(ascii_digit(digit), ascii);
        }
        for other in ['a', 'Ⅷ', '²', '十', '½'] {
            assert_eq!(ascii_digit(other), other);
        }
    }

    #[test]
    fn fillers_and_joiners_are_invisible() {
        for c in "\u{3164}\u{115f}\u{1160}\u{ffa0}\u{200b}\u{200d}\u{ad}\u{fe0f}\u{2060}".chars() {
            assert!(is_default_ignorable(c), "{c:?}");
        }
        for c in "\u{200e}\u{202a}\u{feff}".chars() {
            assert!(is_invisible(c), "{c:?}");
        }
        assert!(!"aß한 ٣-".chars().any(is_invisible));
    }
}
