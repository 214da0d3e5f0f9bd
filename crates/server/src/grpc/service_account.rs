//! ServiceAccountService.

mod answers;
mod requests;

use countersign_domain::use_cases::{
    AddServiceAccountKey, CreateServiceAccount, CreateServiceAccountSecret, DeleteServiceAccount,
    GetServiceAccount, ListServiceAccounts, RemoveServiceAccountCredential, UpdateServiceAccount,
};
use countersign_proto::v1;
use countersign_proto::v1::service_account_service_server::ServiceAccountService;
use tonic::{Request, Response, Status};

use crate::grpc::rpc_runner::RpcRunner;

/// ServiceAccountService over the domain.
#[derive(Clone)]
pub(crate) struct ServiceAccountGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl ServiceAccountService for ServiceAccountGrpc {
    async fn create_service_account(
        &self,
        request: Request<v1::CreateServiceAccountRequest>,
    ) -> Result<Response<v1::CreateServiceAccountResponse>, Status> {
        self.runner
            .serve(request, |create: CreateServiceAccount, app| async move {
                let account = create.execute(&app).await?;
                Ok(v1::CreateServiceAccountResponse {
                    service_account: Some(answers::account(account)),
                })
            })
            .await
    }

    async fn get_service_account(
        &self,
        request: Request<v1::GetServiceAccountRequest>,
    ) -> Result<Response<v1::GetServiceAccountResponse>, Status> {
        self.runner
            .serve(request, |get: GetServiceAccount, app| async move {
                let account = get.execute(&app).await?;
                Ok(v1::GetServiceAccountResponse {
                    service_account: Some(answers::account(account)),
                })
            })
            .await
    }

    async fn list_service_accounts(
        &self,
        request: Request<v1::ListServiceAccountsRequest>,
    ) -> Result<Response<v1::ListServiceAccountsResponse>, Status> {
        self.runner
            .serve(request, |list: ListServiceAccounts, app| async move {
                Ok(answers::listed(list.execute(&app).await?))
            })
            .await
    }

    async fn update_service_account(
        &self,
        request: Request<v1::UpdateServiceAccountRequest>,
    ) -> Result<Response<v1::UpdateServiceAccountResponse>, Status> {
        self.runner
            .serve(request, |update: UpdateServiceAccount, app| async move {
                let account = update.execute(&app).await?;
                Ok(v1::UpdateServiceAccountResponse {
                    service_account: Some(answers::account(account)),
                })
            })
            .await
    }

    async fn delete_service_account(
        &self,
        request: Request<v1::DeleteServiceAccountRequest>,
    ) -> Result<Response<v1::DeleteServiceAccountResponse>, Status> {
        self.runner
            .serve(request, |delete: DeleteServiceAccount, app| async move {
                delete.execute(&app).await?;
                Ok(v1::DeleteServiceAccountResponse {})
            })
            .await
    }

    async fn create_service_account_secret(
        &self,
        request: Request<v1::CreateServiceAccountSecretRequest>,
    ) -> Result<Response<v1::CreateServiceAccountSecretResponse>, Status> {
        self.runner
            .serve(
                request,
                |create: CreateServiceAccountSecret, app| async move {
                    Ok(answers::secret(&create.execute(&app).await?))
                },
            )
            .await
    }

    async fn add_service_account_key(
        &self,
        request: Request<v1::AddServiceAccountKeyRequest>,
    ) -> Result<Response<v1::AddServiceAccountKeyResponse>, Status> {
        self.runner
            .serve(request, |add: AddServiceAccountKey, app| async move {
                let credential = add.execute(&app).await?;
                Ok(v1::AddServiceAccountKeyResponse {
                    credential: Some(answers::credential(&credential)),
                })
            })
            .await
    }

    async fn remove_service_account_credential(
        &self,
        request: Request<v1::RemoveServiceAccountCredentialRequest>,
    ) -> Result<Response<v1::RemoveServiceAccountCredentialResponse>, Status> {
        self.runner
            .serve(
                request,
                |remove: RemoveServiceAccountCredential, app| async move {
                    let account = remove.execute(&app).await?;
                    Ok(v1::RemoveServiceAccountCredentialResponse {
                        service_account: Some(answers::account(account)),
                    })
                },
            )
            .await
    }
}
