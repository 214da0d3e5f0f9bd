//! A user name in its one normal form.

use std::fmt;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript as _;

use super::text;

/// A user name: 3 to 64 letters, digits, dots, underscores and hyphens that
/// starts with a letter. It can be mistaken neither for an e-mail address nor
/// for a phone number.
///
/// The normal form is that of UsernameCaseMapped (RFC 8265 §3.3) after NFKC and
/// full case folding: STRASSE is straße, ΓΙΩΡΓΟΣ is γιωργος, however composed.
/// Letters are those of the PRECIS registry (Unicode 6.3), whose normal forms no
/// later version of Unicode changes. All are of one script (UTS 39 §5.1; Han
/// goes with kana, Hangul and Bopomofo), and none is invisible.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// Reads a name in any of its spellings. Its length is that of the normal
    /// form.
    ///
    /// # Errors
    /// What a user name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be 3 to 64 letters, digits, dots, underscores and hyphens, \
                            starting with a letter";
        if text.len() > 1024 {
            return Err(RULE);
        }
        let name = text::settle(text.trim(), enforce).ok_or(RULE)?;
        let length = name.chars().count();
        let starts_well = name
            .chars()
            .next()
            .is_some_and(|c| c.is_alphabetic() && !is_combining_mark(c));
        if !(3..=64).contains(&length) || !starts_well || !name.chars().all(is_allowed) {
            return Err(RULE);
        }
        if !name.is_single_script() {
            return Err("must not mix scripts, such as Latin and Cyrillic letters");
        }
        Ok(Self(name))
    }

    /// The name in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// UsernameCaseMapped of the folded text: folding first, because the profile
/// keeps ς and ß apart from σ and ss, and refuses decomposed Hangul.
fn enforce(text: &str) -> Option<String> {
    let name = UsernameCaseMapped::enforce(text::fold(text)).ok()?;
    Some(name.into_owned())
}

fn is_allowed(c: char) -> bool {
    if text::is_default_ignorable(c) {
        return false;
    }
    if is_combining_mark(c) {
        return text::is_sign_of_a_script(c);
    }
    c.is_alphanumeric() || "._-".contains(c)
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
        let names: [(&str, &[&str]); 9] = [
            ("mina.kim", &["Mina.Kim", " ＭＩＮＡ.kim ", "MINA．KIM"]),
            ("strasse", &["straße", "STRASSE", "STRAẞE", "Strasse"]),
            ("γιωργοσ", &["γιωργος", "ΓΙΩΡΓΟΣ", "Γιωργος"]),
            ("jos\u{e9}", &["jose\u{301}", "JOS\u{c9}", "JOSE\u{301}"]),
            (
                "민아-김",
                &["\u{1106}\u{1175}\u{11ab}\u{110b}\u{1161}-\u{1100}\u{1175}\u{11b7}"],
            ),
            ("がぎぐ", &["か\u{3099}き\u{3099}く\u{3099}"]),
            ("ガギグ", &["ｶﾞｷﾞｸﾞ"]),
            ("finale", &["ﬁnale", "FINALE"]),
            ("გიორგი", &["ᲒᲘᲝᲠᲒᲘ"]),
        ];
        for (name, spellings) in names {
            for spelling in spellings.iter().chain([&name]) {
                assert_eq!(
                    Username::parse(spelling).map(|n| n.0),
                    Ok(name.into()),
                    "{spelling}"
                );
            }
        }
    }

    #[test]
    fn names_of_every_script_are_good() {
        for name in [
            "mina_kim-2",
            "дмитрий",
            "민아123",
            "金민아",
            "山田タロウ",
            "ひろゆき.さん",
            "น้อย",
            "प्रिया",
            "علي",
            "שרה",
            "istanbul",
            "ıstanbul",
        ] {
            assert!(Username::parse(name).is_ok(), "{name:?} was refused");
        }
    }

    #[test]
    fn what_could_be_an_address_is_refused() {
        for text in [
            "mi",
            "mina@example.com",
            "01012345678",
            "+821012345678",
            "mi na",
            ".mina",
            "-mina",
            "mina!",
            "①②③",
            &"a".repeat(65),
        ] {
            assert!(Username::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for invisible in [
            '\u{3164}',
            '\u{115f}',
            '\u{1160}',
            '\u{ffa0}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{ad}',
            '\u{34f}',
            '\u{fe0f}',
            '\u{2060}',
            '\u{202e}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            for text in [
                format!("mi{invisible}na"),
                format!("{invisible}mina"),
                format!("mina{invisible}"),
                format!("민{invisible}아름"),
                // After a virama, RFC 5892 allows joiners.
                format!("क\u{94d}{invisible}षत"),
                invisible.to_string().repeat(3),
            ] {
                assert!(Username::parse(&text).is_err(), "{text:?} was accepted");
            }
        }
    }

    #[test]
    fn mixed_scripts_are_refused() {
        for text in [
            "mіna",
            "раypal",
            "γmina",
            "민아kim",
            "タロウtaro",
            "mina३",
            "ми민아",
        ] {
            let refused = Username::parse(text);
            assert_eq!(
                refused,
                Err("must not mix scripts, such as Latin and Cyrillic letters"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn accents_that_imitate_a_letter_are_refused() {
        for text in [
            "i\u{307}stanbul",
            "İstanbul",
            "o\u{338}re",
            "mi\u{336}na",
            "q\u{301}ueen",
            "\u{301}mina",
            "\u{e48}นอย",
        ] {
            assert!(Username::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_length_is_that_of_the_normal_form() {
        assert!(Username::parse("aß").is_ok(), "it is ass");
        assert!(Username::parse("e\u{301}e\u{301}").is_err(), "it is éé");
        assert!(Username::parse(&"ß".repeat(32)).is_ok());
        assert!(Username::parse(&"ß".repeat(33)).is_err());
        assert!(Username::parse(&"한".repeat(64)).is_ok());
    }
}
