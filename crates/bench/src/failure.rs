//! Why a measurement stops: a figure from wrong answers is none, so every
//! failure ends the run.

use std::error::Error;
use std::fmt;

/// What went wrong, in words for whoever runs the bench.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// Says what was being done when an error came up.
pub(crate) trait Context<T> {
    fn context(self, doing: &str) -> Result<T, Failure>;
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl<T, E: Error> Context<T> for Result<T, E> {
    fn context(self, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut text = format!("{doing}: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            Failure(text)
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
