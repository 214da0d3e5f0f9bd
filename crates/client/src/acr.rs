//! How well a person was authenticated, and what a service requires of that (RFC
//! 9470).

use std::fmt;
use std::time::Duration;

/// A value of `acr`: the authenticator assurance levels of NIST SP 800-63B, as
/// Countersign uses the words. The greater one has all that the smaller one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Acr {
    /// `aal1`: by one factor.
    Aal1,
    /// `aal2`: by two factors, or by a passkey that has verified the person.
    Aal2,
}

/// The token is good, but its person was authenticated longer ago, or by less, than
/// the action needs (RFC 9470): what is lacking. Turns into the challenge
/// `insufficient_user_authentication`: 401 for HTTP callers, UNAUTHENTICATED for
/// those of gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InsufficientAuthentication {
    /// How long ago it may have been, if it was longer ago.
    pub max_age: Option<Duration>,
    /// How well the person must be authenticated, if it was not.
    pub acr: Option<Acr>,
}

impl Acr {
    /// The value as tokens have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }

    /// Reads a value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "aal1" => Some(Self::Aal1),
            "aal2" => Some(Self::Aal2),
            _ => None,
        }
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl InsufficientAuthentication {
    /// What is lacking. `max_age` is rounded up to whole seconds where it is shown.
    #[must_use]
    pub fn new(max_age: Option<Duration>, acr: Option<Acr>) -> Self {
        Self { max_age, acr }
    }

    /// The parameters of the challenge, in the order of RFC 9470.
    pub(crate) fn parameters(self) -> impl Iterator<Item = (&'static str, String)> {
        let acr = self.acr.map(|acr| ("acr_values", acr.to_string()));
        let max_age = self
            .max_age
            .map(|age| ("max_age", seconds(age).to_string()));
        acr.into_iter().chain(max_age)
    }
}

/// Whole seconds, rounded up.
fn seconds(age: Duration) -> u64 {
    age.as_secs()
        .saturating_add(u64::from(age.subsec_nanos() > 0))
}

impl fmt::Display for InsufficientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(acr) = self.acr {
            parts.push(format!("{acr} is required"));
        }
        if let Some(age) = self.max_age {
            parts.push(format!(
                "the person must have been authenticated in the last {} s",
                seconds(age)
            ));
        }
        f.write_str(&parts.join(", and "))
    }
}

impl std::error::Error for InsufficientAuthentication {}
