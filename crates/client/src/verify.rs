//! What a protected service requires of a token, and the trait of what verifies
//! one: the service over the network, or a test's own issuer.

use std::sync::Arc;
use std::time::Duration;

use tonic::async_trait;

use crate::acr::Acr;
use crate::claims::Identity;
use crate::error::ValidateError;

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

    pub(crate) fn asks_for_authentication(&self) -> bool {
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
