//! Why a provider has told of nobody: in our own words, which may be logged, and in the provider's,
//! which may name a person and are cleaned before anybody sees them.

use countersign_domain::model::ProviderId;
use countersign_domain::ports::ProviderError;

/// The most characters of a provider's own words.
const MAX_SAID: usize = 200;

/// Why something has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    why: String,
    said: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unavailable,
    Rejected,
    Misconfigured,
}

impl Failure {
    /// The provider cannot be reached, or cannot answer now.
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, why)
    }

    /// What came is not good.
    pub(crate) fn rejected(why: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, why)
    }

    /// The operator has to mend something.
    pub(crate) fn misconfigured(why: impl Into<String>) -> Self {
        Self::new(Kind::Misconfigured, why)
    }

    fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self {
            kind,
            why: why.into(),
            said: None,
        }
    }

    /// With the provider's own words, from which these secrets are taken out.
    pub(crate) fn saying(mut self, said: &str, secrets: &[&str]) -> Self {
        let mut said = said.to_owned();
        for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
            said = said.replace(secret, "…");
        }
        let said = clean(&said, MAX_SAID);
        self.said = (!said.is_empty()).then_some(said);
        self
    }

    /// Puts what was being done before the reason.
    pub(crate) fn during(mut self, what: &str) -> Self {
        self.why = format!("{what}: {}", self.why);
        self
    }

    /// Tells the operator, without the provider's own words.
    pub(crate) fn log(&self, provider: &ProviderId, action: &'static str) {
        let reason = self.why.as_str();
        match self.kind {
            Kind::Rejected => {
                tracing::info!(target: "countersign::federation", %provider, action, reason, "rejected");
            }
            Kind::Unavailable => {
                tracing::warn!(target: "countersign::federation", %provider, action, reason, "unavailable");
            }
            Kind::Misconfigured => {
                tracing::error!(target: "countersign::federation", %provider, action, reason, "misconfigured");
            }
        }
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        let text = match failure.said {
            None => failure.why,
            Some(said) => format!("{}: {said}", failure.why),
        };
        match failure.kind {
            Kind::Unavailable => Self::Unavailable(text),
            Kind::Rejected => Self::Rejected(text),
            Kind::Misconfigured => Self::Misconfigured(text),
        }
    }
}

/// The beginning of a text, in one line: neither control characters nor those that turn the
/// direction of what follows, or show nothing.
pub(crate) fn clean(text: &str, characters: usize) -> String {
    let is_bad = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            )
            || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(character, '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let shown = text.chars().map(|character| match is_bad(character) {
        true => ' ',
        false => character,
    });
    let bounded: String = shown.take(characters).collect();
    bounded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_words_are_bounded_cleaned_and_without_our_secrets() {
        let said = format!(
            "bad\r\n\u{1b}[31mcode hunter22 \u{202e}{}",
            "x".repeat(10_000)
        );
        let failure = Failure::rejected("answered invalid_grant").saying(&said, &["hunter22", ""]);
        let ProviderError::Rejected(text) = failure.into() else {
            panic!("it is rejected")
        };
        assert!(
            text.starts_with("answered invalid_grant: bad [31mcode … xxx"),
            "{text}"
        );
        assert!(text.chars().count() < 250 && !text.chars().any(char::is_control));
    }

    #[test]
    fn what_shows_nothing_is_left_out_and_words_of_any_language_stay() {
        assert_eq!(clean("\u{200b}\u{feff} \t\n", 10), "");
        assert_eq!(clean("홍  길동\u{2066}", 10), "홍 길동");
        assert_eq!(clean("abcdef", 3), "abc");
    }
}
