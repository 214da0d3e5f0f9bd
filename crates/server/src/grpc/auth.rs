//! AuthService.

mod answers;
mod federated_requests;
mod requests;
mod service_account_requests;

use std::sync::Arc;

use countersign_domain::Error;
use countersign_domain::use_cases::{
    BeginFederatedSignIn, BeginPasskeySignIn, ChangePassword, ConfirmSignUp, RefreshTokens,
    ResetPassword, RevokeToken, SignUp,
};
use countersign_proto::v1;
use countersign_proto::v1::auth_service_server::AuthService;
use tonic::{Request, Response, Status};

use self::requests::StartReset;
use self::service_account_requests::SignIn;
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
            .serve(request, |sign_up: SignUp, app| async move {
                Ok(answers::signed_up(&sign_up.execute(&app).await?))
            })
            .await
    }

    async fn confirm_sign_up(
        &self,
        request: Request<v1::ConfirmSignUpRequest>,
    ) -> Result<Response<v1::ConfirmSignUpResponse>, Status> {
        self.runner
            .serve(request, |confirm: ConfirmSignUp, app| async move {
                let user_id = confirm.execute(&app).await?.to_string();
                Ok(v1::ConfirmSignUpResponse { user_id })
            })
            .await
    }

    async fn begin_passkey_sign_in(
        &self,
        request: Request<v1::BeginPasskeySignInRequest>,
    ) -> Result<Response<v1::BeginPasskeySignInResponse>, Status> {
        self.runner
            .serve(request, |begin: BeginPasskeySignIn, app| async move {
                let begun = begin.execute(&app)?;
                Ok(v1::BeginPasskeySignInResponse {
                    request_options: begun.options,
                    expire_time: convert::timestamp(begun.expires_at),
                })
            })
            .await
    }

    async fn begin_federated_sign_in(
        &self,
        request: Request<v1::BeginFederatedSignInRequest>,
    ) -> Result<Response<v1::BeginFederatedSignInResponse>, Status> {
        self.runner
            .serve(request, |begin: BeginFederatedSignIn, app| async move {
                let begun = begin.execute(&app).await?;
                Ok(v1::BeginFederatedSignInResponse {
                    authorization_url: begun.authorization_url,
                    federated_sign_in: begun.sign_in.as_str().to_owned(),
                    is_form_post: begun.is_form_post,
                    expire_time: convert::timestamp(begun.expires_at),
                })
            })
            .await
    }

    async fn issue_tokens(
        &self,
        request: Request<v1::IssueTokensRequest>,
    ) -> Result<Response<v1::IssueTokensResponse>, Status> {
        self.runner
            .serve(request, |sign_in: SignIn, app| async move {
                match sign_in {
                    SignIn::Person(issue) => Ok(answers::issued(issue.execute(&app).await?)),
                    SignIn::ServiceAccount(issue) => {
                        Ok(answers::service_account(issue.execute(&app).await?))
                    }
                }
            })
            .await
    }

    async fn refresh_tokens(
        &self,
        request: Request<v1::RefreshTokensRequest>,
    ) -> Result<Response<v1::RefreshTokensResponse>, Status> {
        self.runner
            .serve(request, |refresh: RefreshTokens, app| async move {
                let tokens = convert::tokens(refresh.execute(&app).await?);
                Ok(v1::RefreshTokensResponse {
                    tokens: Some(tokens),
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
            .serve(request, |revoke: RevokeToken, app| async move {
                revoke.execute(&app).await?;
                Ok(v1::RevokeTokenResponse {})
            })
            .await
    }

    async fn change_password(
        &self,
        request: Request<v1::ChangePasswordRequest>,
    ) -> Result<Response<v1::ChangePasswordResponse>, Status> {
        self.runner
            .serve(request, |change: ChangePassword, app| async move {
                change.execute(&app).await?;
                Ok(v1::ChangePasswordResponse {})
            })
            .await
    }

    async fn start_password_reset(
        &self,
        request: Request<v1::StartPasswordResetRequest>,
    ) -> Result<Response<v1::StartPasswordResetResponse>, Status> {
        self.runner
            .serve(request, |StartReset(send), app| async move {
                Ok(answers::reset_started(&send.execute(&app).await?.record))
            })
            .await
    }

    async fn reset_password(
        &self,
        request: Request<v1::ResetPasswordRequest>,
    ) -> Result<Response<v1::ResetPasswordResponse>, Status> {
        self.runner
            .serve(request, |reset: ResetPassword, app| async move {
                reset.execute(&app).await?;
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
                Ok(answers::signing_keys(&self.runner.app.keyring))
            })
            .await
    }
}
