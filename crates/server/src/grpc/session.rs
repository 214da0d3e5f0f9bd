//! SessionService.

mod answers;
mod mfa_requests;
mod requests;
mod step_up_requests;

use countersign_domain::use_cases::{
    BeginMfaAssertion, BeginStepUpAssertion, CreateMfaSession, GetSession, ListSessions,
    RevokeSession, RevokeUserSessions, SendMfaCode, SendStepUpCode, StepUpSession,
    ValidateMfaSession,
};
use countersign_proto::v1;
use countersign_proto::v1::session_service_server::SessionService;
use tonic::{Request, Response, Status};

use crate::grpc::convert;
use crate::grpc::rpc_runner::RpcRunner;

/// SessionService over the domain.
#[derive(Clone)]
pub(crate) struct SessionGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl SessionService for SessionGrpc {
    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        self.runner
            .serve(request, |list: ListSessions, app| async move {
                Ok(answers::page(list.execute(&app).await?))
            })
            .await
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        self.runner
            .serve(request, |get: GetSession, app| async move {
                let (session, is_current) = get.execute(&app).await?;
                Ok(v1::GetSessionResponse {
                    session: Some(answers::session(session, is_current)),
                })
            })
            .await
    }

    async fn revoke_session(
        &self,
        request: Request<v1::RevokeSessionRequest>,
    ) -> Result<Response<v1::RevokeSessionResponse>, Status> {
        self.runner
            .serve(request, |revoke: RevokeSession, app| async move {
                revoke.execute(&app).await?;
                Ok(v1::RevokeSessionResponse {})
            })
            .await
    }

    async fn revoke_user_sessions(
        &self,
        request: Request<v1::RevokeUserSessionsRequest>,
    ) -> Result<Response<v1::RevokeUserSessionsResponse>, Status> {
        self.runner
            .serve(request, |revoke: RevokeUserSessions, app| async move {
                let ended = revoke.execute(&app).await?;
                Ok(v1::RevokeUserSessionsResponse {
                    revoked_count: i32::try_from(ended).unwrap_or(i32::MAX),
                })
            })
            .await
    }

    async fn begin_step_up_assertion(
        &self,
        request: Request<v1::BeginStepUpAssertionRequest>,
    ) -> Result<Response<v1::BeginStepUpAssertionResponse>, Status> {
        self.runner
            .serve(request, |begin: BeginStepUpAssertion, app| async move {
                let begun = begin.execute(&app).await?;
                Ok(v1::BeginStepUpAssertionResponse {
                    request_options: begun.options,
                    expire_time: convert::timestamp(begun.expires_at),
                })
            })
            .await
    }

    async fn send_step_up_code(
        &self,
        request: Request<v1::SendStepUpCodeRequest>,
    ) -> Result<Response<v1::SendStepUpCodeResponse>, Status> {
        self.runner
            .serve(request, |send: SendStepUpCode, app| async move {
                let sent = send.execute(&app).await?;
                Ok(v1::SendStepUpCodeResponse {
                    factor_id: sent.factor.id.to_string(),
                    masked_address: sent.factor.address.masked(),
                    expire_time: convert::timestamp(sent.expires_at),
                    resend_time: convert::timestamp(sent.resend_at),
                })
            })
            .await
    }

    async fn step_up_session(
        &self,
        request: Request<v1::StepUpSessionRequest>,
    ) -> Result<Response<v1::StepUpSessionResponse>, Status> {
        self.runner
            .serve(request, |step_up: StepUpSession, app| async move {
                Ok(answers::stepped_up(step_up.execute(&app).await?))
            })
            .await
    }

    async fn create_mfa_session(
        &self,
        request: Request<v1::CreateMfaSessionRequest>,
    ) -> Result<Response<v1::CreateMfaSessionResponse>, Status> {
        self.runner
            .serve(request, |create: CreateMfaSession, app| async move {
                Ok(answers::mfa_session(&create.execute(&app).await?))
            })
            .await
    }

    async fn begin_mfa_assertion(
        &self,
        request: Request<v1::BeginMfaAssertionRequest>,
    ) -> Result<Response<v1::BeginMfaAssertionResponse>, Status> {
        self.runner
            .serve(request, |begin: BeginMfaAssertion, app| async move {
                let begun = begin.execute(&app).await?;
                Ok(v1::BeginMfaAssertionResponse {
                    request_options: begun.options,
                    expire_time: convert::timestamp(begun.expires_at),
                })
            })
            .await
    }

    async fn send_mfa_code(
        &self,
        request: Request<v1::SendMfaCodeRequest>,
    ) -> Result<Response<v1::SendMfaCodeResponse>, Status> {
        self.runner
            .serve(request, |send: SendMfaCode, app| async move {
                let sent = send.execute(&app).await?;
                Ok(v1::SendMfaCodeResponse {
                    expire_time: convert::timestamp(sent.expires_at),
                    resend_time: convert::timestamp(sent.resend_at),
                })
            })
            .await
    }

    async fn validate_mfa_session(
        &self,
        request: Request<v1::ValidateMfaSessionRequest>,
    ) -> Result<Response<v1::ValidateMfaSessionResponse>, Status> {
        self.runner
            .serve(request, |validate: ValidateMfaSession, app| async move {
                Ok(answers::signed_in(validate.execute(&app).await?))
            })
            .await
    }
}
