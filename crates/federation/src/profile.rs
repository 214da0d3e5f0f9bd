//! What a provider's claims say of a person, and whether its word for an address counts.

use countersign_domain::model::{Locale, ProviderEmail, ProviderKind};

use crate::failure::clean;
use crate::json::Members;

/// The most characters of a name.
const LONGEST_NAME: usize = 128;
/// The most bytes of an address (RFC 5321, 4.5.3.1).
const LONGEST_EMAIL: usize = 254;

/// Where claims were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    InIdToken,
    ByUserinfo,
}

/// The address in these claims; what cannot be one is passed over.
pub(crate) fn email(
    kind: ProviderKind,
    trust_email: bool,
    claims: &Members,
    told: Told,
) -> Option<ProviderEmail> {
    let address = claims.text_or_nothing("email")?;
    let is_verified = is_verified(kind, claims);
    let is_verified = match kind {
        // Google keeps the mailbox, or the person's organisation does.
        ProviderKind::Google => {
            let domain = claims.text_or_nothing("hd");
            is_gmail(&address) || (is_verified && domain.is_some_and(|hd| !hd.is_empty()))
        }
        ProviderKind::Apple => is_verified,
        // The ID token has an address only if it is good and verified, and does not say so.
        ProviderKind::Kakao => {
            is_verified || (told == Told::InIdToken && !claims.has("email_verified"))
        }
        // Naver's people may name another address, and nothing says that it is theirs.
        ProviderKind::Naver => false,
        ProviderKind::OpenIdConnect => trust_email && is_verified,
    };
    is_address(&address).then_some(ProviderEmail {
        address,
        is_verified,
    })
}

/// `email_verified` is a boolean; of Apple also a text. Anything else proves nothing.
fn is_verified(kind: ProviderKind, claims: &Members) -> bool {
    let said = claims.get::<bool>("email_verified").ok().flatten();
    let written = || claims.text_or_nothing("email_verified");
    said == Some(true) || (kind == ProviderKind::Apple && written().as_deref() == Some("true"))
}

fn is_gmail(address: &str) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| domain.eq_ignore_ascii_case("gmail.com"))
}

fn is_address(address: &str) -> bool {
    let is_bad = |character: char| character.is_control() || character.is_whitespace();
    let is_split = |(local, domain): (&str, &str)| !local.is_empty() && !domain.is_empty();
    address.len() <= LONGEST_EMAIL
        && !address.chars().any(is_bad)
        && address.rsplit_once('@').is_some_and(is_split)
}

/// The name in these claims.
pub(crate) fn name(claims: &Members) -> Option<String> {
    let name = claims.text_or_nothing("name");
    shown_name(&name.or_else(|| claims.text_or_nothing("nickname"))?)
}

/// A name as it can be shown; `None` if nothing is left.
pub(crate) fn shown_name(name: &str) -> Option<String> {
    let name = clean(name, LONGEST_NAME);
    (!name.is_empty()).then_some(name)
}

/// The language in these claims, if we speak it.
pub(crate) fn locale(claims: &Members) -> Option<Locale> {
    let tag = claims.text_or_nothing("locale")?;
    let language = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    let spoken = [Locale::English, Locale::Korean];
    spoken.into_iter().find(|locale| locale.tag() == language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Members {
        Members::read(text.as_bytes()).ok().unwrap()
    }

    fn verified(kind: ProviderKind, trust: bool, text: &str) -> Option<bool> {
        let found = email(kind, trust, &claims(text), Told::InIdToken);
        found.map(|email| email.is_verified)
    }

    #[test]
    fn googles_word_counts_for_mailboxes_that_it_or_an_organisation_keeps() {
        for (text, expected) in [
            (r#"{"email":"a@gmail.com","email_verified":true}"#, true),
            (r#"{"email":"a@GMail.com","email_verified":true}"#, true),
            (
                r#"{"email":"a@corp.example","email_verified":true,"hd":"corp.example"}"#,
                true,
            ),
            (r#"{"email":"a@corp.example","email_verified":true}"#, false),
            (
                r#"{"email":"a@corp.example","email_verified":true,"hd":""}"#,
                false,
            ),
            (
                r#"{"email":"a@corp.example","email_verified":false,"hd":"corp.example"}"#,
                false,
            ),
            (
                r#"{"email":"a@corp.example","email_verified":"true","hd":"corp.example"}"#,
                false,
            ),
            (
                r#"{"email":"a@gmail.com.evil.example","email_verified":true}"#,
                false,
            ),
            (r#"{"email":"a@notgmail.com","email_verified":true}"#, false),
        ] {
            assert_eq!(
                verified(ProviderKind::Google, false, text),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn only_apple_may_write_verified_as_a_text() {
        for (word, apple, other) in [
            ("true", true, true),
            ("\"true\"", true, false),
            ("false", false, false),
            ("\"false\"", false, false),
            ("1", false, false),
            ("\"TRUE\"", false, false),
            ("\"yes\"", false, false),
            ("null", false, false),
            ("[true]", false, false),
            ("1e400", false, false),
        ] {
            let text = format!(r#"{{"email":"a@x.example","email_verified":{word}}}"#);
            assert_eq!(
                verified(ProviderKind::Apple, false, &text),
                Some(apple),
                "{word}"
            );
            assert_eq!(
                verified(ProviderKind::OpenIdConnect, true, &text),
                Some(other),
                "{word}"
            );
            assert_eq!(
                verified(ProviderKind::OpenIdConnect, false, &text),
                Some(false)
            );
            assert_eq!(verified(ProviderKind::Naver, true, &text), Some(false));
            assert_eq!(verified(ProviderKind::Kakao, false, &text), Some(other));
            let told = email(ProviderKind::Kakao, false, &claims(&text), Told::ByUserinfo);
            assert_eq!(told.map(|email| email.is_verified), Some(other), "{word}");
        }
    }

    #[test]
    fn an_address_in_kakaos_token_is_verified_and_one_of_userinfo_has_to_say_so() {
        let told = r#"{"email":"a@x.example"}"#;
        assert_eq!(verified(ProviderKind::Kakao, false, told), Some(true));
        let told = email(ProviderKind::Kakao, false, &claims(told), Told::ByUserinfo);
        assert_eq!(told.map(|email| email.is_verified), Some(false));
    }

    #[test]
    fn what_cannot_be_an_address_is_passed_over() {
        let long = format!("{}@x.example", "a".repeat(300));
        for address in [
            "",
            "a",
            "@",
            "a@",
            "@x",
            "a b@x.example",
            "a\\n@x.example",
            &long,
        ] {
            let text = format!(r#"{{"email":"{address}","email_verified":true}}"#);
            assert_eq!(
                verified(ProviderKind::Apple, false, &text),
                None,
                "{address}"
            );
        }
        assert_eq!(verified(ProviderKind::Apple, false, r#"{"email":1}"#), None);
    }

    #[test]
    fn names_are_bounded_and_languages_are_ours() {
        let long = format!(r#"{{"name":"{}"}}"#, "가".repeat(500));
        assert_eq!(name(&claims(&long)).unwrap().chars().count(), 128);
        assert_eq!(
            name(&claims(r#"{"nickname":"춘식"}"#)).as_deref(),
            Some("춘식")
        );
        assert_eq!(name(&claims(r#"{"name":" \u0000 "}"#)), None);
        for (tag, expected) in [
            ("ko", Some(Locale::Korean)),
            ("ko_KR", Some(Locale::Korean)),
            ("EN-gb", Some(Locale::English)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(
                locale(&claims(&format!(r#"{{"locale":"{tag}"}}"#))),
                expected
            );
        }
    }
}
