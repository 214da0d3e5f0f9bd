//! The role of a provider: it takes one message, and says for certain whether
//! it did, or that it cannot tell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::outgoing::Outgoing;

/// Something that brings messages to people.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name that the configuration and the metrics have for it.
    fn name(&self) -> &'static str;

    /// Whether it may ever take a message like this, for all that can be told
    /// without asking.
    fn takes(&self, _message: &Outgoing) -> bool {
        true
    }

    /// Hands a message over. The caller limits the time: a provider marks in
    /// `progress` from when on the message may have been taken.
    ///
    /// # Errors
    /// Whether the message may arrive all the same, and whether another try is
    /// of use.
    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError>;
}

/// What a provider said when it took a message, such as an id of its own. It is
/// shown to operators who send a test message, and not logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted(pub String);

/// Why a provider did not take a message.
///
/// `why` is in our own words, without address, code or secret, and may be
/// logged. `said` is what the provider said, which may repeat the address, and
/// is shown only to operators who send a test message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It was not sent, and this provider will never take it.
    #[error("{why}")]
    Rejected {
        /// In our own words.
        why: String,
        /// What the provider said.
        said: String,
    },
    /// It was not sent, and may be taken at another time.
    #[error("{why}")]
    Refused {
        /// In our own words.
        why: String,
        /// What the provider said.
        said: String,
        /// How long the provider wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It may have been sent.
    #[error("{why}")]
    Unknown {
        /// In our own words.
        why: String,
        /// What the provider said.
        said: String,
    },
}

/// How far a try has come: whether a failure from now on leaves open whether
/// the message was taken.
#[derive(Debug, Default)]
pub struct Progress {
    is_handed_over: AtomicBool,
}

impl Progress {
    /// From now on the message may have been taken.
    pub(crate) fn hand_over(&self) {
        self.is_handed_over.store(true, Ordering::Relaxed);
    }

    /// The error of a try that broke off where it was.
    pub(crate) fn broken_off(&self, why: impl Into<String>) -> ProviderError {
        if self.is_handed_over.load(Ordering::Relaxed) {
            ProviderError::unknown(why, "")
        } else {
            ProviderError::refused(why, "")
        }
    }
}

impl ProviderError {
    pub(crate) fn rejected(why: impl Into<String>, said: &str) -> Self {
        let (why, said) = (why.into(), shown(said));
        Self::Rejected { why, said }
    }

    pub(crate) fn refused(why: impl Into<String>, said: &str) -> Self {
        Self::refused_for(why, said, None)
    }

    pub(crate) fn refused_for(
        why: impl Into<String>,
        said: &str,
        retry_after: Option<Duration>,
    ) -> Self {
        let (why, said) = (why.into(), shown(said));
        Self::Refused {
            why,
            said,
            retry_after,
        }
    }

    pub(crate) fn unknown(why: impl Into<String>, said: &str) -> Self {
        let (why, said) = (why.into(), shown(said));
        Self::Unknown { why, said }
    }

    /// What the provider said.
    #[must_use]
    pub fn said(&self) -> &str {
        match self {
            Self::Rejected { said, .. }
            | Self::Refused { said, .. }
            | Self::Unknown { said, .. } => said,
        }
    }

    /// `rejected`, `refused` or `unknown`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::Refused { .. } => "refused",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What a provider said, on one line and not longer than a terminal shows.
pub(crate) fn shown(said: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<_> = said.split_whitespace().collect();
    let line = words.join(" ").replace(char::is_control, "");
    line.chars().take(LONGEST).collect()
}
