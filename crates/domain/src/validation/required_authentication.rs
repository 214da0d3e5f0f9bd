//! What a question asks of the person's authentication (RFC 9470), and what of it a
//! token does not have.

use std::ops::RangeInclusive;
use std::time::Duration;

use countersign_token::{AccessClaims, Acr, Verifier};

use crate::model::Timestamp;

/// How the person must have been authenticated; or, of a token that is not good
/// enough, what of that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredAuthentication {
    /// How long ago at the most.
    pub max_age: Option<Duration>,
    /// How well at least.
    pub acr: Option<Acr>,
}

impl RequiredAuthentication {
    /// The ages that can be asked for. A session is over long before the greatest.
    pub const MAX_AGES: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_secs(365 * 24 * 60 * 60);

    /// All of it, if anything is required.
    #[must_use]
    pub fn anything(self) -> Option<Self> {
        (self.max_age.is_some() || self.acr.is_some()).then_some(self)
    }

    /// What verified claims lack of it at `now`, if anything.
    #[must_use]
    pub fn lacking(
        self,
        claims: &AccessClaims,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Option<Self> {
        let is_young =
            |age: &Duration| verifier.is_authenticated_within(claims, *age, now.as_millis());
        let lacking = Self {
            max_age: self.max_age.filter(|age| !is_young(age)),
            acr: self.acr.filter(|acr| claims.authentication() < *acr),
        };
        lacking.anything()
    }
}
