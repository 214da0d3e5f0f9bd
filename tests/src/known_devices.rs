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
