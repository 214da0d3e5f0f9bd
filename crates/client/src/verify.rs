//! What a protected service requires of a token, and the trait of what verifies
//! one: the service over the network, or a test's own issuer.

use std::future::Future;

use crate::claims::Identity;
use crate::error::ValidateError;

/// What a token must be good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Requirement {
    audience: Option<String>,
    scopes: Vec<String>,
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
}

/// Verifies access tokens.
pub trait VerifyToken: Send + Sync + 'static {
    /// Tells whether an access token is good now, and good for what is
    /// required.
    ///
    /// Implementations answer yes only when they know: anything else is
    /// [`ValidateError::Rejected`] or [`ValidateError::CouldNotTell`].
    fn verify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> impl Future<Output = Result<Identity, ValidateError>> + Send;
}
