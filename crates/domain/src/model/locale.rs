//! The languages in which Countersign speaks to people.

/// A language of messages to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English, for all who ask for none that we speak.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Locale {
    /// The best language for an `accept-language` (RFC 9110, 12.5.4).
    #[must_use]
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (0.0, Self::English);
        for range in accept_language.split(',').take(16) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |q| q.parse::<f32>().ok());
            let language = tag.trim().split('-').next().unwrap_or_default();
            let locale = if language.eq_ignore_ascii_case("ko") {
                Self::Korean
            } else if language.eq_ignore_ascii_case("en") {
                Self::English
            } else {
                continue;
            };
            if let Some(quality) = quality
                && quality > best.0
            {
                best = (quality, locale);
            }
        }
        best.1
    }

    /// The language tag (RFC 5646).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_spoken_language_is_taken() {
        for (header, locale) in [
            ("", Locale::English),
            ("ko", Locale::Korean),
            ("ko-KR,ko;q=0.9,en-US;q=0.8", Locale::Korean),
            ("en;q=0.8, ko;q=0.9", Locale::Korean),
            ("fr, de;q=0.9", Locale::English),
            ("ko;q=0", Locale::English),
            ("ko;q=banana", Locale::English),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header}");
        }
    }
}
