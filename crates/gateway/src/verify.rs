//! What verifies access tokens for the gateway.

use std::fmt;

use countersign_client::{Requirement, ValidateError, Verifier, VerifyToken, async_trait};
use http::HeaderMap;

use crate::identity_headers::{identity_headers, identity_text};

/// Verifies access tokens for the gateway: the client, or the service in its process, which may remember with a token
/// what is said of its holder.
#[async_trait]
pub trait VerifyForGateway: VerifyToken {
    /// The headers that say whose an access token is, as [`identity_headers`] makes them, if it is good now, and good
    /// for what is required.
    ///
    /// # Errors
    /// As [`VerifyToken::verify`].
    async fn identify(
        &self,
        access_token: &str,
        requirement: &Requirement,
    ) -> Result<HeaderMap, ValidateError> {
        let identity = self.verify(access_token, requirement).await?;
        Ok(identity_headers(&identity_text(&identity)))
    }
}

impl VerifyForGateway for Verifier {}

impl fmt::Debug for dyn VerifyForGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyForGateway")
    }
}
