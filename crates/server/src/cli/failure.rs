//! Why a command failed, in one sentence for a person.

use std::error::Error;
use std::fmt;

use countersign_transport::UnfitCertificate;

use super::exit_code;

/// The reason, with its causes, and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct Failure {
    error: Box<dyn Error>,
    exit_code: u8,
}

/// What a command says of its end: good, or good to know and yet exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1.
    Lacking,
}

impl Failure {
    /// What a command needs cannot be reached.
    pub(super) fn unavailable(error: impl Into<Box<dyn Error>>) -> Self {
        Self {
            error: error.into(),
            exit_code: exit_code::UNAVAILABLE,
        }
    }

    /// What a command was to check, or needs, is wrong in the configuration.
    pub(super) fn configuration(error: impl Into<Box<dyn Error>>) -> Self {
        Self {
            error: error.into(),
            exit_code: exit_code::CONFIG,
        }
    }

    /// The arguments are wrong.
    pub(super) fn usage(error: impl Into<Box<dyn Error>>) -> Self {
        Self {
            error: error.into(),
            exit_code: exit_code::USAGE,
        }
    }

    /// Whether a server shows a certificate that no client believes.
    pub(super) fn is_of_certificate(&self) -> bool {
        UnfitCertificate::behind(&*self.error).is_some()
    }

    /// The exit code of the command.
    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        Self {
            exit_code: exit_code::after(&*error),
            error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_causes(&*self.error))
    }
}

/// An error and its causes. Many errors tell their cause themselves: it is told
/// once. Of a certificate that no client believes, it is told what to do instead.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    if let Some(unfit) = UnfitCertificate::behind(error) {
        return unfit.to_string();
    }
    let mut told = error.to_string();
    let mut last = told.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !last.contains(&text) {
            told = format!("{told}: {text}");
            last = text;
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn link(text: &'static str, source: Option<Link>) -> Link {
        Link {
            text,
            source: source.map(Box::new),
        }
    }

    #[test]
    fn each_cause_is_told_once() {
        let reset = link("connection reset", None);
        let chain = link("cannot ask: connection reset", Some(reset));
        let failure = Failure::from(link("no answer", Some(chain)));
        assert_eq!(
            failure.to_string(),
            "no answer: cannot ask: connection reset"
        );
    }
}
