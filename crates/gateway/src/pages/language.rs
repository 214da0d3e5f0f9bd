//! The language of the pages: by the switch, else as the browser asks.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use super::words::{Words, english, korean};
use crate::cookies;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Korean,
    English,
}

impl Language {
    /// Its tag (RFC 5646).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// What the pages say in it.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Korean => &korean::WORDS,
            Self::English => &english::WORDS,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Korean => Self::English,
            Self::English => Self::Korean,
        }
    }

    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        match primary {
            _ if primary.eq_ignore_ascii_case("ko") => Some(Self::Korean),
            _ if primary.eq_ignore_ascii_case("en") => Some(Self::English),
            _ => None,
        }
    }

    /// As the cookie of the switch, or the browser, says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookies::read(headers, cookies::LANGUAGE).and_then(Self::of_tag);
        let asked = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        chosen
            .or_else(|| preferred(asked?))
            .unwrap_or(Self::English)
    }
}

/// The first of the greatest weight that there is (RFC 9110, section 12.5.4).
fn preferred(asked: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in asked.split(',') {
        let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
        let weight = rest
            .trim()
            .strip_prefix("q=")
            .map_or(Ok(1.0), str::parse::<f32>);
        let (Some(language), Ok(weight)) = (Language::of_tag(tag.trim()), weight) else {
            continue;
        };
        if weight > best.map_or(0.0, |(best, _)| best) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_language_that_there_is_is_taken() {
        for (asked, expected) in [
            ("ko", Some(Language::Korean)),
            ("ko-KR,ko;q=0.9,en-US;q=0.8", Some(Language::Korean)),
            ("en-GB, ko;q=0.5", Some(Language::English)),
            ("fr, de;q=0.9, ko;q=0.3, en;q=0.4", Some(Language::English)),
            ("en;q=0, ko;q=0.1", Some(Language::Korean)),
            ("fr", None),
            ("", None),
            ("ko;q=x", None),
        ] {
            assert_eq!(preferred(asked), expected, "{asked}");
        }
    }
}
