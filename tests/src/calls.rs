//! What a gateway asks of a replica, one method for each question.

use countersign_proto::v1;
use countersign_proto::v1::RejectionReason;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::validate_token_response::Verdict;
use tonic::Status;

use crate::details;
use crate::gateway::{Gateway, email};

impl Gateway {
    /// Starts a verification with a code of the gateway's own.
    ///
    /// # Errors
    /// The server's.
    pub async fn send_code(
        &self,
        to: v1::Identifier,
        purpose: v1::Purpose,
        code: &str,
    ) -> Result<String, Status> {
        let request = v1::SendCodeRequest {
            identifier: Some(to),
            purpose: purpose.into(),
            code: code.into(),
            ..Default::default()
        };
        let sent = self.verifications().send_code(request).await?;
        Ok(sent.into_inner().verification_id)
    }

    /// Exchanges a code for a proof.
    ///
    /// # Errors
    /// The server's.
    pub async fn check_code(&self, verification_id: &str, code: &str) -> Result<String, Status> {
        let which = v1::check_code_request::Verification::VerificationId(verification_id.into());
        let request = v1::CheckCodeRequest {
            verification: Some(which),
            code: code.into(),
        };
        let checked = self.verifications().check_code(request).await?;
        Ok(checked.into_inner().proof)
    }

    /// Proves an address with a code of the gateway's own.
    ///
    /// # Errors
    /// The server's.
    pub async fn prove(&self, to: v1::Identifier, purpose: v1::Purpose) -> Result<String, Status> {
        let id = self.send_code(to, purpose, "123456").await?;
        self.check_code(&id, "123456").await
    }

    /// Creates a user, and returns its id.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_up_proven(
        &self,
        identifier: v1::Identifier,
        username: &str,
        password: &str,
        proof: &str,
    ) -> Result<String, Status> {
        let request = v1::SignUpRequest {
            identifier: Some(identifier),
            username: username.into(),
            password: password.into(),
            proof: proof.into(),
            ..Default::default()
        };
        match self.auth().sign_up(request).await?.into_inner().outcome {
            Some(v1::sign_up_response::Outcome::UserId(id)) => Ok(id),
            other => Err(Status::internal(format!("not a user: {other:?}"))),
        }
    }

    /// Signs in with a grant.
    ///
    /// # Errors
    /// The server's.
    pub async fn issue(&self, grant: Grant) -> Result<v1::Tokens, Status> {
        let request = v1::IssueTokensRequest {
            grant: Some(grant),
            ..Default::default()
        };
        self.issue_tokens(request).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// The server's.
    pub async fn issue_tokens(
        &self,
        request: v1::IssueTokensRequest,
    ) -> Result<v1::Tokens, Status> {
        let issued = self.auth().issue_tokens(request).await?.into_inner();
        match issued.outcome {
            Some(v1::issue_tokens_response::Outcome::Tokens(tokens)) => Ok(tokens),
            Some(v1::issue_tokens_response::Outcome::MfaRequired(_)) => {
                Err(Status::internal("a second factor is asked for"))
            }
            Some(
                v1::issue_tokens_response::Outcome::ServiceAccountToken(_)
                | v1::issue_tokens_response::Outcome::FederatedAccount(_),
            )
            | None => Err(Status::internal("no tokens")),
        }
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_in(
        &self,
        identifier: v1::Identifier,
        password: &str,
    ) -> Result<v1::Tokens, Status> {
        self.issue(Grant::Password(v1::PasswordGrant {
            identifier: Some(identifier),
            password: password.into(),
        }))
        .await
    }

    /// Signs in with a password, from a device with this IP address.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_in_from(
        &self,
        ip_address: &str,
        identifier: v1::Identifier,
        password: &str,
    ) -> Result<v1::Tokens, Status> {
        let grant = Grant::Password(v1::PasswordGrant {
            identifier: Some(identifier),
            password: password.into(),
        });
        let request = v1::IssueTokensRequest {
            grant: Some(grant),
            client_context: Some(v1::ClientContext {
                ip_address: ip_address.into(),
                user_agent: "a test".into(),
            }),
            ..Default::default()
        };
        self.issue_tokens(request).await
    }

    /// Signs in with a proof.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_in_proven(&self, proof: &str) -> Result<v1::Tokens, Status> {
        let grant = v1::VerifiedCodeGrant {
            proof: proof.into(),
        };
        self.issue(Grant::VerifiedCode(grant)).await
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// The server's.
    pub async fn refresh(&self, refresh_token: &str) -> Result<v1::Tokens, Status> {
        let request = v1::RefreshTokensRequest {
            refresh_token: refresh_token.into(),
            client_context: None,
        };
        let refreshed = self.auth().refresh_tokens(request).await?.into_inner();
        refreshed
            .tokens
            .ok_or_else(|| Status::internal("no tokens"))
    }

    /// Ends the session of a token.
    ///
    /// # Errors
    /// The server's.
    pub async fn revoke(&self, token: &str) -> Result<(), Status> {
        let request = v1::RevokeTokenRequest {
            token: token.into(),
        };
        self.auth().revoke_token(request).await.map(drop)
    }

    /// Asks about an access token: what it says, or why it is rejected.
    ///
    /// # Errors
    /// The server's, if the question could not be answered.
    pub async fn ask(
        &self,
        request: v1::ValidateTokenRequest,
    ) -> Result<Result<v1::Claims, RejectionReason>, Status> {
        let answer = self.auth().validate_token(request).await?.into_inner();
        verdict(answer)
    }

    /// Asks whether an access token is good.
    ///
    /// # Errors
    /// The server's, if the question could not be answered.
    pub async fn validate(
        &self,
        access_token: &str,
    ) -> Result<Result<v1::Claims, RejectionReason>, Status> {
        self.ask(v1::ValidateTokenRequest {
            access_token: access_token.into(),
            ..Default::default()
        })
        .await
    }

    /// Tells why an access token is rejected, in one word: `VALID`, the
    /// rejection, or the reason why there is no answer.
    pub async fn judge(&self, access_token: &str) -> String {
        one_word(&self.validate(access_token).await)
    }

    /// Creates a user whose address is not proved.
    ///
    /// # Errors
    /// The server's.
    pub async fn sign_up_unproven(
        &self,
        address: &str,
        password: &str,
    ) -> Result<v1::PendingSignUp, Status> {
        let request = v1::SignUpRequest {
            identifier: Some(email(address)),
            password: password.into(),
            ..Default::default()
        };
        match self.auth().sign_up(request).await?.into_inner().outcome {
            Some(v1::sign_up_response::Outcome::Pending(pending)) => Ok(pending),
            other => Err(Status::internal(format!("not pending: {other:?}"))),
        }
    }

    /// Activates a user, and returns its id.
    ///
    /// # Errors
    /// The server's.
    pub async fn confirm(&self, verification_id: &str, code: &str) -> Result<String, Status> {
        let request = v1::ConfirmSignUpRequest {
            verification_id: verification_id.into(),
            code: code.into(),
        };
        let confirmed = self.auth().confirm_sign_up(request).await?;
        Ok(confirmed.into_inner().user_id)
    }

    /// Looks at a verification.
    ///
    /// # Errors
    /// The server's.
    pub async fn verification(&self, id: &str) -> Result<v1::Verification, Status> {
        let request = v1::GetVerificationRequest {
            verification_id: id.into(),
            ..Default::default()
        };
        let shown = self.verifications().get_verification(request).await?;
        let shown = shown.into_inner().verification;
        shown.ok_or_else(|| Status::internal("no verification"))
    }

    /// Kills a code.
    ///
    /// # Errors
    /// The server's.
    pub async fn cancel(&self, verification_id: &str) -> Result<(), Status> {
        let request = v1::CancelVerificationRequest {
            verification_id: verification_id.into(),
        };
        let cancelled = self.verifications().cancel_verification(request).await;
        cancelled.map(drop)
    }

    /// Sets a new password.
    ///
    /// # Errors
    /// The server's.
    pub async fn reset_password(&self, proof: &str, new_password: &str) -> Result<(), Status> {
        let request = v1::ResetPasswordRequest {
            proof: proof.into(),
            new_password: new_password.into(),
        };
        self.auth().reset_password(request).await.map(drop)
    }
}

pub(crate) fn verdict(
    answer: v1::ValidateTokenResponse,
) -> Result<Result<v1::Claims, RejectionReason>, Status> {
    match answer.verdict {
        Some(Verdict::Valid(claims)) => Ok(Ok(claims)),
        Some(Verdict::Rejected(rejection)) => Ok(Err(rejection.reason())),
        None => Err(Status::internal("no verdict")),
    }
}

pub(crate) fn one_word(answer: &Result<Result<v1::Claims, RejectionReason>, Status>) -> String {
    match answer {
        Ok(Ok(_)) => "VALID".into(),
        Ok(Err(reason)) => reason
            .as_str_name()
            .trim_start_matches("REJECTION_REASON_")
            .into(),
        Err(_) => details::reason(answer),
    }
}
