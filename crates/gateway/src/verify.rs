//! What verifies access tokens for the gateway.

use std::fmt;

use countersign_client::{Requirement, ValidateError, Verifier, VerifyToken, async_trait};
use http::HeaderMap;

use crate::identity::{Holder, with_identity};

/// Verifies access tokens for the gateway: the client, or the service in its process, which may remember with a token
/// what is said of its holder.
#[async_trait]
pub trait VerifyForGateway: VerifyToken {
    /// The headers of an answer that says whose an access token is, if it is good now, and good for what is required:
    /// those of an answer to nobody's request, [with that](with_identity) in its place.
    ///
    /// # Errors
    /// As [`VerifyToken::verify`].
    async fn identify(
        &self,
        access_token: &str,
        requirement: &Requirement,
        anonymous: &HeaderMap,
    ) -> Result<HeaderMap, ValidateError> {
        let identity = self.verify(access_token, requirement).await?;
        Ok(with_identity(
            anonymous,
            &Holder::from(&*identity).to_text(),
        ))
    }
}

impl VerifyForGateway for Verifier {}

impl fmt::Debug for dyn VerifyForGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyForGateway")
    }
}
