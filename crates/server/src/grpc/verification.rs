//! VerificationService.

mod answers;
mod requests;

use countersign_domain::use_cases::{CancelVerification, SendCode};
use countersign_proto::v1;
use countersign_proto::v1::verification_service_server::VerificationService;
use tonic::{Request, Response, Status};

use self::requests::{Check, Get};
use crate::grpc::rpc_runner::RpcRunner;

/// VerificationService over the domain.
#[derive(Clone)]
pub(crate) struct VerificationGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl VerificationService for VerificationGrpc {
    async fn send_code(
        &self,
        request: Request<v1::SendCodeRequest>,
    ) -> Result<Response<v1::SendCodeResponse>, Status> {
        self.runner
            .serve(request, |send: SendCode, app| async move {
                Ok(answers::sent(&send.execute(&app).await?))
            })
            .await
    }

    async fn check_code(
        &self,
        request: Request<v1::CheckCodeRequest>,
    ) -> Result<Response<v1::CheckCodeResponse>, Status> {
        self.runner
            .serve(request, |check: Check, app| async move {
                let checked = match check {
                    Check::Code(check) => check.execute(&app).await?,
                    Check::Link(check) => check.execute(&app).await?,
                };
                Ok(answers::checked(&checked))
            })
            .await
    }

    async fn get_verification(
        &self,
        request: Request<v1::GetVerificationRequest>,
    ) -> Result<Response<v1::GetVerificationResponse>, Status> {
        self.runner
            .serve(request, |get: Get, app| async move {
                let shown = match get {
                    Get::Id(get) => get.execute(&app).await?,
                    Get::Link(get) => get.execute(&app).await?,
                };
                Ok(answers::shown(&shown))
            })
            .await
    }

    async fn cancel_verification(
        &self,
        request: Request<v1::CancelVerificationRequest>,
    ) -> Result<Response<v1::CancelVerificationResponse>, Status> {
        self.runner
            .serve(request, |cancel: CancelVerification, app| async move {
                cancel.execute(&app).await?;
                Ok(v1::CancelVerificationResponse {})
            })
            .await
    }
}
