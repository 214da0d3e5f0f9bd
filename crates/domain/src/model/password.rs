//! A password on its way to the hasher, and the hash that is kept of it.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// A password: 1 to 1,024 bytes, wiped from memory when dropped, never shown.
///
/// Two spellings of one password are the same: the mapping rules of OpaqueString
/// (RFC 8265 §4.2) make every space of Unicode U+0020, and compose (NFC). Case
/// and width stay apart.
///
/// Of the profile's repertoire only control characters are refused. The rest of
/// it would lock people out: it knows Unicode 6.3, so that younger emoji are
/// unassigned to it, and it has neither variation selectors nor joiners (most
/// emoji) nor decomposed Hangul (what a Mac may send). A code point that is not
/// assigned yet stays as it is. Should a later version of Unicode give it a
/// decomposition or a combining class, its normal form may change; emoji have
/// neither.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The longest password in bytes. Nothing is ever cut off.
    pub const MAX_BYTES: usize = 1024;
    /// The shortest password that can be set, in bytes.
    pub const MIN_BYTES: usize = 8;

    /// A password to be compared with the one that is set. What could not have
    /// been set (too short) is let through, so that the answer does not depend
    /// on it.
    ///
    /// # Errors
    /// What is wrong with an empty or absurdly long one, and with one that no
    /// account can have: control characters.
    pub fn to_compare(text: String) -> Result<Self, &'static str> {
        let typed = Zeroizing::new(text);
        Self::check_length(&typed)?;
        if typed.contains(char::is_control) {
            return Err("must not contain control characters, such as tabs and line breaks");
        }
        // NFC makes at most three bytes of one. With room for all of them the
        // string never grows: growing leaves copies behind that nobody wipes.
        let mut composed = Zeroizing::new(String::with_capacity(3 * typed.len()));
        composed.extend(typed.chars().map(ascii_space).nfc());
        Self::check_length(&composed)?;
        Ok(Self(composed))
    }

    /// The length is checked as typed and as composed.
    fn check_length(text: &str) -> Result<(), &'static str> {
        match text.len() {
            0 => Err("must not be empty"),
            1..=Self::MAX_BYTES => Ok(()),
            _ => Err("must be at most 1,024 bytes long"),
        }
    }

    /// A password to be set. Whether it can be guessed is the hasher's to
    /// [assess](crate::ports::PasswordHasher::assess).
    ///
    /// # Errors
    /// What is wrong with its length or its characters.
    pub fn to_set(text: String) -> Result<Self, &'static str> {
        let password = Self::to_compare(text)?;
        if password.0.len() < Self::MIN_BYTES {
            return Err("must be at least 8 bytes long");
        }
        Ok(password)
    }

    /// The password in the clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The additional mapping rule of OpaqueString: a space (general category Zs) is
/// U+0020. White space is Zs, two separators (Zl, Zp) and control characters.
fn ascii_space(c: char) -> char {
    match c {
        '\u{2028}' | '\u{2029}' => c,
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The hash of a password in its storable form (a PHC string). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash as the hasher wrote it.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, to be stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use precis_profiles::OpaqueString;
    use precis_profiles::precis_core::profile::{PrecisFastInvocation as _, Rules as _};

    use super::*;

    fn normal(text: &str) -> String {
        let compared = Password::to_compare(text.to_owned()).map(|p| p.expose().to_owned());
        let set = Password::to_set(text.to_owned()).map(|p| p.expose().to_owned());
        assert_eq!(compared, set, "{text:?}");
        set.unwrap_or_else(|e| panic!("{text:?}: {e}"))
    }

    #[test]
    fn two_spellings_of_one_password_are_the_same() {
        for (one, other) in [
            ("pass\u{e9} compos\u{e9}", "passe\u{301} compose\u{301}"),
            (
                "비밀번호 셋",
                "\u{1107}\u{1175}\u{1106}\u{1175}\u{11af}\u{1107}\u{1165}\u{11ab}\
                 \u{1112}\u{1169} \u{1109}\u{1166}\u{11ba}",
            ),
            (
                "three kinds of space",
                "three\u{a0}kinds\u{2003}of\u{3000}space",
            ),
            ("\u{212b}ngstr\u{f6}m unit", "\u{c5}ngstro\u{308}m unit"),
        ] {
            assert_eq!(normal(one), normal(other));
        }
    }

    #[test]
    fn two_passwords_stay_two() {
        for (one, other) in [
            ("correct horse", "Correct horse"),
            ("correct horse", "correct  horse"),
            ("correct horse", " correct horse"),
            ("correct horse", "ｃｏｒｒｅｃｔ horse"),
            ("straße straße", "strasse strasse"),
            ("correct horse", "correct\u{200b} horse"),
        ] {
            assert_ne!(normal(one), normal(other));
        }
    }

    #[test]
    fn what_the_profile_accepts_is_what_the_profile_makes_of_it() {
        for text in [
            "correct horse",
            "pass\u{e9} compose\u{301}",
            "three\u{a0}kinds\u{2003}of space",
            "비밀번호 셋",
        ] {
            let enforced = OpaqueString::enforce(text).expect("in the profile");
            assert_eq!(normal(text), enforced);
        }
        // Its mapping rules are those of the profile for every character of the
        // two planes in which anything is mapped.
        let profile = OpaqueString::new();
        for c in ('\0'..='\u{1ffff}').filter(|c| !c.is_control()) {
            let text = format!("long enough {c}");
            let mapped = profile.additional_mapping_rule(text.as_str());
            let mapped = profile.normalization_rule(mapped.expect("mapped"));
            assert_eq!(normal(&text), mapped.expect("composed"), "{c:?}");
        }
    }

    #[test]
    fn emoji_and_what_is_not_assigned_yet_can_be_used() {
        for text in [
            "\u{1f970}\u{1fae8}\u{1fadf}",
            "\u{2764}\u{fe0f} is a heart",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family",
            "\u{378}\u{e0fff}\u{3fffd}",
            "\u{e000} private",
        ] {
            assert_eq!(normal(text), text);
        }
    }

    #[test]
    fn control_characters_are_refused_alike_for_setting_and_comparing() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_control()) {
            let text = format!("long enough {c}");
            let compared = Password::to_compare(text.clone()).map(drop);
            assert_eq!(
                compared,
                Err("must not contain control characters, such as tabs and line breaks"),
                "{c:?}"
            );
            assert_eq!(Password::to_set(text).map(drop), compared);
        }
    }

    #[test]
    fn the_length_is_counted_before_and_after() {
        let refused = |text: String| Password::to_compare(text).map(drop).unwrap_err();
        assert_eq!(refused(String::new()), "must not be empty");
        assert!(Password::to_compare("a".repeat(1024)).is_ok());
        assert_eq!(
            refused("a".repeat(1025)),
            "must be at most 1,024 bytes long"
        );
        // Composed, 1,026 bytes become 684; U+1D160 has four bytes and becomes twelve.
        assert!(refused("e\u{301}".repeat(342)).contains("1,024"));
        assert!(refused("\u{1d160}".repeat(200)).contains("1,024"));
        let short = Password::to_set("passe\u{301}\u{301}".into()).map(drop);
        assert!(short.is_ok(), "eight bytes");
        let short = Password::to_set("passwoe\u{301}".into()).map(drop);
        assert!(short.is_ok(), "eight bytes, seven letters");
        let short = Password::to_set("passe\u{301}".into()).map(drop);
        assert_eq!(short, Err("must be at least 8 bytes long"));
    }

    #[test]
    fn a_password_in_normal_form_stays_as_it_is() {
        for text in ["passe\u{301} compose\u{301}", "\u{1d160}\u{2000} music"] {
            let once = normal(text);
            assert_eq!(normal(&once), once);
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::to_compare("correct horse".into()).expect("a password");
        assert_eq!(format!("{password:?}"), "Password(..)");
    }
}
