//! An e-mail address in its one normal form.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// An e-mail address: Unicode NFKC, lower case, the domain in its ASCII form
/// (UTS #46). `Debug` shows it masked.
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
        let folded: String = text
            .trim()
            .nfkc()
            .flat_map(char::to_lowercase)
            .nfkc()
            .collect();
        let (local, domain) = folded.rsplit_once('@').ok_or(RULE)?;
        if !is_local_part(local) {
            return Err(RULE);
        }
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

/// The dot-atom of RFC 5322 with the letters of RFC 6531; no quoting. Invisible
/// characters are refused, not dropped: they are a mistake or an attack.
fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    !local.is_empty()
        && local.chars().all(allowed)
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
