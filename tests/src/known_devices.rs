//! What a gateway that keeps device tokens does for a person.

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_response::Outcome;
use tonic::Status;

use crate::devices::device;
use crate::gateway::email;
use crate::person::{PASSWORD, Person};

impl Person {
    /// Tries a password from a device with this IP address and this token, empty
    /// if it has none yet.
    ///
    /// # Errors
    /// The server's.
    pub async fn try_on(
        &self,
        ip_address: &str,
        device_token: &str,
        password: &str,
    ) -> Result<v1::IssueTokensResponse, Status> {
        let grant = v1::PasswordGrant {
            identifier: Some(email(&self.email)),
            password: password.into(),
        };
        let request = v1::IssueTokensRequest {
            grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
            client_context: device(ip_address),
            device_token: Some(device_token.into()),
            ..Default::default()
        };
        let issued = self.gateway.auth().issue_tokens(request).await?;
        Ok(issued.into_inner())
    }

    /// Asks for a code to sign in with, on a device with this token, and returns the
    /// verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn ask_for_a_code(
        &self,
        ip_address: &str,
        device_token: &str,
    ) -> Result<String, Status> {
        let request = v1::SendCodeRequest {
            identifier: Some(email(&self.email)),
            purpose: v1::Purpose::SignIn.into(),
            client_context: device(ip_address),
            device_token: device_token.into(),
            ..Default::default()
        };
        let sent = self.gateway.verifications().send_code(request).await?;
        Ok(sent.into_inner().verification_id)
    }

    /// Guesses at the code that was asked for last, without knowing its id.
    ///
    /// # Errors
    /// The server's.
    pub async fn guess_at_the_latest_code(&self, code: &str) -> Result<String, Status> {
        let latest = v1::VerifiedAddress {
            identifier: Some(email(&self.email)),
            purpose: v1::Purpose::SignIn.into(),
            ..Default::default()
        };
        let request = v1::CheckCodeRequest {
            verification: Some(v1::check_code_request::Verification::Address(latest)),
            code: code.into(),
        };
        let checked = self.gateway.verifications().check_code(request).await?;
        Ok(checked.into_inner().proof)
    }

    /// Signs in on a device with this token, as far as the question for a second
    /// factor.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_sign_in_on(
        &self,
        ip_address: &str,
        device_token: &str,
    ) -> Result<v1::MfaRequired, Status> {
        let issued = self.try_on(ip_address, device_token, PASSWORD).await?;
        match issued.outcome {
            Some(Outcome::MfaRequired(required)) => Ok(required),
            _ => Err(Status::internal("no second factor is asked for")),
        }
    }

    /// Answers the question for a second factor.
    ///
    /// # Errors
    /// The server's.
    pub async fn answer_on(
        &self,
        mfa_session_id: &str,
        code: &str,
        remember_device: bool,
    ) -> Result<v1::ValidateMfaSessionResponse, Status> {
        let request = v1::ValidateMfaSessionRequest {
            group_id: String::new(),
            mfa_session_id: mfa_session_id.into(),
            code: code.into(),
            remember_device,
            ..Default::default()
        };
        let mut sessions = self.gateway.sessions();
        let answered = sessions.validate_mfa_session(request).await?;
        Ok(answered.into_inner())
    }
}
