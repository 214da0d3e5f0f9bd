//! An e-mail address in its one normal form.

use std::fmt;

use unicode_normalization::char::is_combining_mark;

use super::text;

/// An e-mail address: the local part in NFKC and full case folding (ß is ss, ς
/// is σ), the domain in its ASCII form (UTS #46). `Debug` shows it masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address in any of its spellings.
    ///
    /// # Errors
    /// What an e-mail address must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be an e-mail address such as mina@example.com";
        if text.len() > 1024 {
            return Err("must be at most 254 bytes long");
        }
        let composed = text::compose(text.trim());
        let (local, domain) = composed.rsplit_once('@').ok_or(RULE)?;
        let local = text::settle(local, |local| Some(text::fold(local))).ok_or(RULE)?;
        if !is_local_part(&local) {
            return Err(RULE);
        }
        // Not folded: in a domain ß and ς are letters of their own.
        let domain: String = domain.chars().flat_map(char::to_lowercase).collect();
        let domain = text::compose(&domain);
        let domain =
            idna::domain_to_ascii_strict(domain.trim_end_matches('.')).map_err(|_| RULE)?;
        let is_ip_literal = domain
            .split('.')
            .all(|label| label.bytes().all(|b| b.is_ascii_digit()));
        if !domain.contains('.') || is_ip_literal {
            return Err(RULE);
        }
        let address = format!("{local}@{domain}");
        if local.len() > 64 || address.len() > 254 {
            return Err("must be at most 254 bytes long, 64 of them before the @");
        }
        Ok(Self(address))
    }

    /// The address in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// So much of the address that its owner recognises it: `m***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = local.chars().next().map(String::from).unwrap_or_default();
        format!("{first}***@{domain}")
    }
}

/// The dot-atom of RFC 5322 with the letters and signs of RFC 6531; no quoting.
/// Invisible characters are refused, not dropped: they are a mistake or an
/// attack.
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| {
        let is_visible = !text::is_default_ignorable(c);
        is_visible
            && (c.is_alphanumeric() || is_combining_mark(c) || "!#$%&'*+-/=?^_`{|}~.".contains(c))
    };
    !local.is_empty()
        && local.chars().all(allowed)
        && !local.starts_with(is_combining_mark)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_have_one_form() {
        let spellings = [
            "mina@example.com",
            " Mina@Example.COM ",
            "ｍｉｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
            "mina@example.com.",
            "MINA@EXAMPLE。COM",
            "\tmina@example.com\n",
        ];
        for spelling in spellings {
            let email = Email::parse(spelling).unwrap_or_else(|e| panic!("{spelling}: {e}"));
            assert_eq!(email.as_str(), "mina@example.com", "{spelling}");
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same() {
        let composed = Email::parse("jos\u{e9}@b\u{fc}cher.example").expect("composed");
        let decomposed = Email::parse("jose\u{301}@bu\u{308}cher.example").expect("decomposed");
        assert_eq!(composed, decomposed);
        assert!(composed.as_str().ends_with("@xn--bcher-kva.example"));
    }

    #[test]
    fn the_local_part_is_folded_and_the_domain_is_not() {
        for (folded, spellings) in [
            (
                "strasse@example.com",
                ["straße@example.com", "STRASSE@example.com"],
            ),
            (
                "γιωργοσ@example.com",
                ["γιωργος@example.com", "ΓΙΩΡΓΟΣ@example.com"],
            ),
            (
                "f\u{66}iona@example.com",
                ["ﬀiona@example.com", "FFIONA@example.com"],
            ),
        ] {
            for spelling in spellings {
                let email = Email::parse(spelling).unwrap_or_else(|e| panic!("{spelling}: {e}"));
                assert_eq!(email.as_str(), folded, "{spelling}");
            }
        }
        let sharp = Email::parse("mina@stra\u{df}e.example").expect("an address");
        assert_eq!(sharp.as_str(), "mina@xn--strae-oqa.example");
    }

    #[test]
    fn letters_of_every_script_are_good() {
        for text in [
            "민아@example.com",
            "प्रिया@example.com",
            "น้อย@example.com",
            "علي@example.com",
        ] {
            assert!(Email::parse(text).is_ok(), "{text:?} was refused");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for invisible in
            "\u{3164}\u{115f}\u{1160}\u{ffa0}\u{200b}\u{200d}\u{ad}\u{34f}\u{fe0f}".chars()
        {
            for text in [
                format!("mi{invisible}na@example.com"),
                format!("{invisible}@example.com"),
            ] {
                assert!(Email::parse(&text).is_err(), "{text:?} was accepted");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let wrong = [
            "",
            "mina",
            "@example.com",
            "mina@",
            "mina@localhost",
            "mi na@example.com",
            "mina@@example.com",
            ".mina@example.com",
            "mi..na@example.com",
            "mi\u{200b}na@example.com",
            "mina@exam\u{0}ple.com",
            "mina@127.0.0.1",
            "mina@-example.com",
            "\"a b\"@example.com",
            "\u{301}mina@example.com",
            "mina@example.com\r\nBcc: x@y.zz",
        ];
        for text in wrong {
            assert!(Email::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
        assert!(Email::parse(&"a".repeat(1_000_000)).is_err());
    }

    #[test]
    fn debug_shows_it_masked() {
        let email = Email::parse("mina@example.com").expect("an address");
        assert_eq!(format!("{email:?}"), "Email(m***@example.com)");
    }
}
