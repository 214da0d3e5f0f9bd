//! FactorService.

mod answers;
mod key_uri;
mod requests;

use countersign_domain::use_cases::{
    ConfirmEnrollment, ListFactors, RegenerateRecoveryCodes, RemoveFactor,
};
use countersign_proto::v1;
use countersign_proto::v1::factor_service_server::FactorService;
use tonic::{Request, Response, Status};

use crate::grpc::rpc_runner::RpcRunner;

/// FactorService over the domain.
#[derive(Clone)]
pub(crate) struct FactorGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl FactorService for FactorGrpc {
    async fn begin_enrollment(
        &self,
        request: Request<v1::BeginEnrollmentRequest>,
    ) -> Result<Response<v1::BeginEnrollmentResponse>, Status> {
        self.runner
            .serve(request, |begin: requests::Begin, app| async move {
                let begun = begin.execute(&app).await?;
                answers::begun(&begun, &app.settings.tokens.issuer)
            })
            .await
    }

    async fn confirm_enrollment(
        &self,
        request: Request<v1::ConfirmEnrollmentRequest>,
    ) -> Result<Response<v1::ConfirmEnrollmentResponse>, Status> {
        self.runner
            .serve(request, |confirm: ConfirmEnrollment, app| async move {
                let enrolled = confirm.execute(&app).await?;
                Ok(v1::ConfirmEnrollmentResponse {
                    factor_id: enrolled.factor.id.to_string(),
                    recovery_codes: answers::shown(&enrolled.recovery_codes),
                })
            })
            .await
    }

    async fn list_factors(
        &self,
        request: Request<v1::ListFactorsRequest>,
    ) -> Result<Response<v1::ListFactorsResponse>, Status> {
        self.runner
            .serve(request, |list: ListFactors, app| async move {
                Ok(answers::listed(&list.execute(&app).await?))
            })
            .await
    }

    async fn remove_factor(
        &self,
        request: Request<v1::RemoveFactorRequest>,
    ) -> Result<Response<v1::RemoveFactorResponse>, Status> {
        self.runner
            .serve(request, |remove: RemoveFactor, app| async move {
                remove.execute(&app).await?;
                Ok(v1::RemoveFactorResponse {})
            })
            .await
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<v1::RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<v1::RegenerateRecoveryCodesResponse>, Status> {
        self.runner
            .serve(request, |wanted: RegenerateRecoveryCodes, app| async move {
                Ok(v1::RegenerateRecoveryCodesResponse {
                    recovery_codes: answers::shown(&wanted.execute(&app).await?),
                })
            })
            .await
    }
}
