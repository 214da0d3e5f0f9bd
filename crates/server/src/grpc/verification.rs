//! VerificationService.

mod answers;
mod requests;

use std::sync::Arc;

use countersign_domain::use_cases::{CancelVerification, SendCode};
use countersign_domain::{Application, Error};
use countersign_proto::v1;
use countersign_proto::v1::verification_service_server::VerificationService;
use tonic::{Request, Response, Status};

use self::requests::{Check, Get};
use crate::grpc::call::Call;
use crate::grpc::rpc_runner::RpcRunner;

/// VerificationService over the domain.
#[derive(Clone)]
pub(crate) struct VerificationGrpc {
    pub(crate) runner: RpcRunner,
}

impl VerificationGrpc {
    /// Does the work of SendCode.
    pub(crate) async fn send(
        &self,
        call: &Call,
        message: v1::SendCodeRequest,
    ) -> Result<v1::SendCodeResponse, Error> {
        self.runner.work(call, message, send).await
    }

    /// Does the work of CheckCode.
    pub(crate) async fn check(
        &self,
        call: &Call,
        message: v1::CheckCodeRequest,
    ) -> Result<v1::CheckCodeResponse, Error> {
        self.runner.work(call, message, check).await
    }
}

async fn send(send: SendCode, app: Arc<Application>) -> Result<v1::SendCodeResponse, Error> {
    Ok(answers::sent(&send.execute(&app).await?))
}

async fn check(check: Check, app: Arc<Application>) -> Result<v1::CheckCodeResponse, Error> {
    let checked = match check {
        Check::Code(check) => check.execute(&app).await?,
        Check::Link(check) => check.execute(&app).await?,
    };
    Ok(answers::checked(&checked))
}

#[tonic::async_trait]
impl VerificationService for VerificationGrpc {
    async fn send_code(
        &self,
        request: Request<v1::SendCodeRequest>,
    ) -> Result<Response<v1::SendCodeResponse>, Status> {
        // Over the network it takes the fast path, as CheckCode does.
        self.runner.serve(request, send).await
    }

    async fn check_code(
        &self,
        request: Request<v1::CheckCodeRequest>,
    ) -> Result<Response<v1::CheckCodeResponse>, Status> {
        self.runner.serve(request, check).await
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
