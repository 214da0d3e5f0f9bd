//! What a gateway asks for people who have passkeys.

use countersign_proto::v1::{self, issue_tokens_request::Grant};
use tonic::Status;

use crate::gateway::Gateway;
use crate::person::Person;
use crate::software_authenticator::{Algorithm, SoftwareAuthenticator};

impl Person {
    /// Enrols a passkey at a page of this origin.
    ///
    /// # Errors
    /// The server's.
    ///
    /// # Panics
    /// If the answer has no options.
    pub async fn enroll_passkey(
        &self,
        tokens: &v1::Tokens,
        origin: &str,
    ) -> Result<(SoftwareAuthenticator, v1::ConfirmEnrollmentResponse), Status> {
        let request = v1::BeginEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            kind: v1::FactorKind::Passkey.into(),
            label: "key".into(),
            ..Default::default()
        };
        let mut factors = self.gateway.factors();
        let begun = factors.begin_enrollment(request).await?.into_inner();
        let (key, credential) =
            SoftwareAuthenticator::create(Algorithm::Es256, &begun.creation_options, origin);
        let request = v1::ConfirmEnrollmentRequest {
            access_token: tokens.access_token.clone(),
            enrollment_id: begun.enrollment_id,
            credential,
            ..Default::default()
        };
        let confirmed = factors.confirm_enrollment(request).await?;
        Ok((key, confirmed.into_inner()))
    }
}

impl Gateway {
    /// Options with which a passkey answers an MFA session.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_mfa_assertion(&self, mfa_session_id: &str) -> Result<String, Status> {
        let request = v1::BeginMfaAssertionRequest {
            mfa_session_id: mfa_session_id.into(),
            ..Default::default()
        };
        let begun = self.sessions().begin_mfa_assertion(request).await?;
        Ok(begun.into_inner().request_options)
    }

    /// Answers an MFA session with a passkey.
    ///
    /// # Errors
    /// The server's.
    pub async fn answer_by_passkey(
        &self,
        mfa_session_id: &str,
        credential: &str,
    ) -> Result<v1::Tokens, Status> {
        let request = v1::ValidateMfaSessionRequest {
            mfa_session_id: mfa_session_id.into(),
            credential: credential.into(),
            ..Default::default()
        };
        let validated = self.sessions().validate_mfa_session(request).await?;
        let tokens = validated.into_inner().tokens;
        tokens.ok_or_else(|| Status::internal("no tokens"))
    }

    /// Options with which a passkey signs in by itself.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_passkey_sign_in(&self) -> Result<String, Status> {
        let request = v1::BeginPasskeySignInRequest::default();
        let begun = self.auth().begin_passkey_sign_in(request).await?;
        Ok(begun.into_inner().request_options)
    }

    /// Signs in with a passkey alone.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_in_by_passkey(&self, credential: &str) -> Result<v1::Tokens, Status> {
        let credential = credential.into();
        self.issue(Grant::Passkey(v1::PasskeyGrant { credential }))
            .await
    }
}
