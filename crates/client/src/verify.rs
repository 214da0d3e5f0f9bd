//! What a protected service requires of a token, and the trait of what verifies
//! one: the service over the network, or a test's own issuer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::validate_token_response::Verdict;
use tonic::async_trait;

use crate::acr::Acr;
use crate::claims::{Claims, Identity};
use crate::error::{CouldNotTell, ValidateError};

/// What a token must be good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Requirement {
    audience: Option<String>,
    scopes: Vec<String>,
    max_authentication_age: Option<Duration>,
    acr: Option<Acr>,
}

impl Requirement {
    /// Any valid token of the service's first configured audience.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token must be meant for this audience.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The token must have this scope too.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// The person must have been authenticated at most so long ago (RFC 9470): 1
    /// second to 365 days. The service judges it by its own clock.
    #[must_use]
    pub fn with_max_authentication_age(mut self, age: Duration) -> Self {
        self.max_authentication_age = Some(age);
        self
    }

    /// The person must have been authenticated at least so well (RFC 9470).
    #[must_use]
    pub fn with_acr(mut self, acr: Acr) -> Self {
        self.acr = Some(acr);
        self
    }

    /// The audience, if one is asked for.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// The scopes, all of which the token must have.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn asks_for_authentication(&self) -> bool {
        self.max_authentication_age.is_some() || self.acr.is_some()
    }

    /// How long ago the person may have been authenticated, if that is asked for.
    #[must_use]
    pub fn max_authentication_age(&self) -> Option<Duration> {
        self.max_authentication_age
    }

    /// How well the person must have been authenticated, if that is asked for.
    #[must_use]
    pub fn acr(&self) -> Option<Acr> {
        self.acr
    }

    /// The question to ValidateToken, for who asks it without a
    /// [`Client`](crate::Client).
    #[must_use]
    pub fn request(&self, access_token: &str) -> v1::ValidateTokenRequest {
        v1::ValidateTokenRequest {
            access_token: access_token.to_owned(),
            audience: self.audience().unwrap_or_default().to_owned(),
            required_scopes: self.scopes.clone(),
            max_authentication_age: self.max_authentication_age.map(duration),
            acr_values: self.acr.iter().map(ToString::to_string).collect(),
        }
    }

    /// What an answer of ValidateToken to that question means.
    ///
    /// # Errors
    /// As [`VerifyToken::verify`]; an answer that does not tell is none.
    pub fn judge(&self, response: v1::ValidateTokenResponse) -> Result<Identity, ValidateError> {
        match response.verdict {
            // Earlier releases pass over what they do not know, and have no `acr`.
            Some(Verdict::Valid(claims))
                if claims.acr.is_empty() && self.asks_for_authentication() =>
            {
                Err(ValidateError::CouldNotTell(CouldNotTell::new(
                    "the service is of a release that does not judge authentication",
                )))
            }
            Some(Verdict::Valid(claims)) => Claims::try_from(claims)
                .map(Identity::from)
                .map_err(ValidateError::CouldNotTell),
            Some(Verdict::Rejected(rejection)) => Err(rejection.into()),
            None => Err(ValidateError::CouldNotTell(CouldNotTell::new(
                "the answer has no verdict",
            ))),
        }
    }
}

/// What does not fit into the message is more than the service takes.
fn duration(age: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(age.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(age.subsec_nanos()).unwrap_or(i32::MAX),
    }
}

/// Verifies access tokens: a [`Verifier`](crate::Verifier) in a service that
/// runs, a [`Client`](crate::Client) without a memory, a `TestVerifier` in
/// tests. What does not care which holds an `Arc<dyn VerifyToken>`.
#[async_trait]
pub trait VerifyToken: Send + Sync + 'static {
    /// Tells whether an access token is good now, and good for what is
    /// required.
    ///
    /// Implementations, by [`async_trait`](macro@crate::async_trait), answer yes
    /// only when they know.
    ///
    /// # Errors
    /// [`ValidateError::Rejected`] if the token must not be accepted,
    /// [`ValidateError::InsufficientAuthentication`] if its person has to show more,
    /// and [`ValidateError::CouldNotTell`] if nobody knows.
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError>;
}

impl fmt::Debug for dyn VerifyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyToken")
    }
}

#[async_trait]
impl<V: VerifyToken + ?Sized> VerifyToken for Arc<V> {
    async fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<Identity, ValidateError> {
        (**self).verify(access_token, requirement).await
    }
}
