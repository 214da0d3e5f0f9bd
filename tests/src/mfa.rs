//! What a gateway asks of MFA sessions.

use countersign_proto::v1;
use tonic::Status;

use crate::gateway::Gateway;

impl Gateway {
    /// Creates an MFA session with a code of the gateway's own, or with one that
    /// is sent if it is empty.
    ///
    /// # Errors
    /// The server's.
    pub async fn create_mfa(&self, user: v1::Identifier, code: &str) -> Result<String, Status> {
        let request = v1::CreateMfaSessionRequest {
            user: Some(v1::create_mfa_session_request::User::Identifier(user)),
            code: code.into(),
            ..Default::default()
        };
        self.ask_for_mfa(request).await
    }

    /// Creates an MFA session.
    ///
    /// # Errors
    /// The server's.
    pub async fn ask_for_mfa(
        &self,
        request: v1::CreateMfaSessionRequest,
    ) -> Result<String, Status> {
        let created = self.sessions().create_mfa_session(request).await?;
        Ok(created.into_inner().mfa_session_id)
    }

    /// Answers an MFA session.
    ///
    /// # Errors
    /// The server's.
    pub async fn validate_mfa(&self, id: &str, code: &str) -> Result<v1::Tokens, Status> {
        self.validate_mfa_in("", id, code).await
    }

    /// Answers an MFA session of a group.
    ///
    /// # Errors
    /// The server's.
    pub async fn validate_mfa_in(
        &self,
        group: &str,
        id: &str,
        code: &str,
    ) -> Result<v1::Tokens, Status> {
        let request = v1::ValidateMfaSessionRequest {
            group_id: group.into(),
            mfa_session_id: id.into(),
            code: code.into(),
            ..Default::default()
        };
        let validated = self.sessions().validate_mfa_session(request).await?;
        let tokens = validated.into_inner().tokens;
        tokens.ok_or_else(|| Status::internal("no tokens"))
    }
}
