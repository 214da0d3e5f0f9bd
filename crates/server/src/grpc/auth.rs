//! AuthService.

mod requests;

use std::sync::Arc;

use countersign_domain::model::{Code, VerificationId};
use countersign_domain::use_cases::{ConfirmSignUp, RefreshTokens, RevokeToken, SignedUp};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_proto::v1::auth_service_server::AuthService;
use tonic::{Request, Response, Status};

use crate::grpc::convert;
use crate::grpc::rpc_runner::RpcRunner;
use crate::grpc::validate_token::ValidateTokenService;

/// AuthService over the domain.
#[derive(Clone)]
pub(crate) struct AuthGrpc {
    pub(crate) runner: RpcRunner,
    pub(crate) validate_token: Arc<ValidateTokenService>,
}

/// The longest list of questions in one ValidateTokens.
const MAX_QUESTIONS: usize = 256;

#[tonic::async_trait]
impl AuthService for AuthGrpc {
    async fn sign_up(
        &self,
        request: Request<v1::SignUpRequest>,
    ) -> Result<Response<v1::SignUpResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                use v1::sign_up_response::Outcome;
                let outcome = match requests::sign_up(message, call.locale, &app)?
                    .execute(&app)
                    .await?
                {
                    SignedUp::Active(user_id) => Outcome::UserId(user_id.to_string()),
                    SignedUp::Pending {
                        verification_id,
                        expires_at,
                    } => Outcome::Pending(v1::PendingSignUp {
                        verification_id: verification_id.to_string(),
                        expire_time: convert::timestamp(expires_at),
                    }),
                };
                Ok(v1::SignUpResponse {
                    outcome: Some(outcome),
                })
            })
            .await
    }

    async fn confirm_sign_up(
        &self,
        request: Request<v1::ConfirmSignUpRequest>,
    ) -> Result<Response<v1::ConfirmSignUpResponse>, Status> {
        self.runner
            .serve(request, |_, message, app| async move {
                let mut fields = Fields::new();
                let verification_id = fields.take(
                    "verification_id",
                    message.verification_id.parse::<VerificationId>(),
                );
                let code = fields.take("code", Code::typed(&message.code));
                let command =
                    verification_id
                        .zip(code)
                        .map(|(verification_id, code)| ConfirmSignUp {
                            verification_id,
                            code,
                        });
                let user_id = fields.finish(command)?.execute(&app).await?;
                Ok(v1::ConfirmSignUpResponse {
                    user_id: user_id.to_string(),
                })
            })
            .await
    }

    async fn issue_tokens(
        &self,
        request: Request<v1::IssueTokensRequest>,
    ) -> Result<Response<v1::IssueTokensResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                use v1::issue_tokens_response::Outcome;
                let tokens = requests::issue_tokens(message, &call.caller.name, &app)?
                    .execute(&app)
                    .await?;
                Ok(v1::IssueTokensResponse {
                    outcome: Some(Outcome::Tokens(convert::tokens(tokens))),
                })
            })
            .await
    }

    async fn refresh_tokens(
        &self,
        request: Request<v1::RefreshTokensRequest>,
    ) -> Result<Response<v1::RefreshTokensResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let refresh_token =
                    convert::required(&mut fields, "refresh_token", message.refresh_token);
                let client = convert::client(&mut fields, message.client_context);
                let command = refresh_token
                    .zip(client)
                    .map(|(refresh_token, _)| RefreshTokens {
                        refresh_token,
                        client_id: call.caller.name.clone(),
                    });
                let tokens = fields.finish(command)?.execute(&app).await?;
                Ok(v1::RefreshTokensResponse {
                    tokens: Some(convert::tokens(tokens)),
                })
            })
            .await
    }

    async fn validate_token(
        &self,
        request: Request<v1::ValidateTokenRequest>,
    ) -> Result<Response<v1::ValidateTokenResponse>, Status> {
        // Over the network ValidateToken takes the fast path.
        self.runner
            .serve_here(request, async |question| {
                self.validate_token.answer(&question).await?.message()
            })
            .await
    }

    async fn validate_tokens(
        &self,
        request: Request<v1::ValidateTokensRequest>,
    ) -> Result<Response<v1::ValidateTokensResponse>, Status> {
        self.runner
            .serve_here(request, async |message| {
                let questions = &message.requests;
                if questions.is_empty() || questions.len() > MAX_QUESTIONS {
                    return Err(Error::invalid("requests", "must have 1 to 256 items"));
                }
                let responses = self.validate_token.validate_all(questions).await?;
                Ok(v1::ValidateTokensResponse { responses })
            })
            .await
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        self.runner
            .serve(request, |_, message, app| async move {
                let mut fields = Fields::new();
                let token = convert::required(&mut fields, "token", message.token);
                fields
                    .finish(token.map(|token| RevokeToken { token }))?
                    .execute(&app)
                    .await?;
                Ok(v1::RevokeTokenResponse {})
            })
            .await
    }

    async fn change_password(
        &self,
        request: Request<v1::ChangePasswordRequest>,
    ) -> Result<Response<v1::ChangePasswordResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                requests::change_password(message, call.locale, &app)?
                    .execute(&app)
                    .await?;
                Ok(v1::ChangePasswordResponse {})
            })
            .await
    }

    async fn start_password_reset(
        &self,
        request: Request<v1::StartPasswordResetRequest>,
    ) -> Result<Response<v1::StartPasswordResetResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let command = requests::password_reset(message, call.locale, &app)?;
                let record = command.execute(&app).await?.record;
                Ok(v1::StartPasswordResetResponse {
                    verification_id: record.id.to_string(),
                    expire_time: convert::timestamp(record.expires_at),
                })
            })
            .await
    }

    async fn reset_password(
        &self,
        request: Request<v1::ResetPasswordRequest>,
    ) -> Result<Response<v1::ResetPasswordResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                requests::reset_password(message, call.locale, &app)?
                    .execute(&app)
                    .await?;
                Ok(v1::ResetPasswordResponse {})
            })
            .await
    }

    async fn list_signing_keys(
        &self,
        request: Request<v1::ListSigningKeysRequest>,
    ) -> Result<Response<v1::ListSigningKeysResponse>, Status> {
        self.runner
            .serve_here(request, async |_| {
                let keyring = &self.runner.app.keyring;
                let listed = keyring.listed().into_iter();
                Ok(v1::ListSigningKeysResponse {
                    signing_keys: listed.map(requests::signing_key).collect(),
                    jwks: keyring.verifying().to_jwks(),
                })
            })
            .await
    }
}
