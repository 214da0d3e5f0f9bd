//! Calls for a person at some device, in some group.

use countersign_proto::v1;
use countersign_proto::v1::check_code_request::Verification;
use tonic::Status;

use crate::gateway::Gateway;

/// What a gateway tells of a device with this IP address.
#[must_use]
pub fn device(ip_address: &str) -> Option<v1::ClientContext> {
    Some(v1::ClientContext {
        ip_address: ip_address.into(),
        user_agent: "a test".into(),
    })
}

impl Gateway {
    /// Asks for a code, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn ask_for_code(&self, request: v1::SendCodeRequest) -> Result<String, Status> {
        let sent = self.verifications().send_code(request).await?;
        Ok(sent.into_inner().verification_id)
    }

    /// Signs up without a proof, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn ask_to_sign_up(&self, request: v1::SignUpRequest) -> Result<String, Status> {
        match self.auth().sign_up(request).await?.into_inner().outcome {
            Some(v1::sign_up_response::Outcome::Pending(pending)) => Ok(pending.verification_id),
            other => Err(Status::internal(format!("not pending: {other:?}"))),
        }
    }

    /// Starts a password reset, and returns the verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn ask_for_reset(
        &self,
        request: v1::StartPasswordResetRequest,
    ) -> Result<String, Status> {
        let started = self.auth().start_password_reset(request).await?;
        Ok(started.into_inner().verification_id)
    }

    /// Exchanges the latest code of an address for a proof.
    ///
    /// # Errors
    /// The server's.
    pub async fn check_latest(
        &self,
        address: v1::VerifiedAddress,
        code: &str,
    ) -> Result<String, Status> {
        let request = v1::CheckCodeRequest {
            verification: Some(Verification::Address(address)),
            code: code.into(),
        };
        let checked = self.verifications().check_code(request).await?;
        Ok(checked.into_inner().proof)
    }
}
