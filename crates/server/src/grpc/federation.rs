//! FederationService.

mod answers;
mod requests;

use countersign_domain::use_cases::{
    LinkFederatedIdentity, ListFederatedIdentities, ListProviders, ReceiveProviderNotification,
    UnlinkFederatedIdentity,
};
use countersign_proto::v1;
use countersign_proto::v1::federation_service_server::FederationService;
use tonic::{Request, Response, Status};

pub(super) use self::answers::unlinked;
pub(super) use self::requests::{callback, provider, sealed};
use crate::grpc::rpc_runner::RpcRunner;

/// FederationService over the domain.
#[derive(Clone)]
pub(crate) struct FederationGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl FederationService for FederationGrpc {
    async fn list_providers(
        &self,
        request: Request<v1::ListProvidersRequest>,
    ) -> Result<Response<v1::ListProvidersResponse>, Status> {
        self.runner
            .serve(request, |list: ListProviders, app| async move {
                Ok(answers::providers(&list.execute(&app)?))
            })
            .await
    }

    async fn list_federated_identities(
        &self,
        request: Request<v1::ListFederatedIdentitiesRequest>,
    ) -> Result<Response<v1::ListFederatedIdentitiesResponse>, Status> {
        self.runner
            .serve(request, |list: ListFederatedIdentities, app| async move {
                let listed = list.execute(&app).await?.into_iter();
                Ok(v1::ListFederatedIdentitiesResponse {
                    federated_identities: listed.map(answers::identity).collect(),
                })
            })
            .await
    }

    async fn link_federated_identity(
        &self,
        request: Request<v1::LinkFederatedIdentityRequest>,
    ) -> Result<Response<v1::LinkFederatedIdentityResponse>, Status> {
        self.runner
            .serve(request, |link: LinkFederatedIdentity, app| async move {
                let linked = link.execute(&app).await?;
                Ok(v1::LinkFederatedIdentityResponse {
                    federated_identity: Some(answers::identity(linked)),
                })
            })
            .await
    }

    async fn unlink_federated_identity(
        &self,
        request: Request<v1::UnlinkFederatedIdentityRequest>,
    ) -> Result<Response<v1::UnlinkFederatedIdentityResponse>, Status> {
        self.runner
            .serve(request, |unlink: UnlinkFederatedIdentity, app| async move {
                unlink.execute(&app).await?;
                Ok(v1::UnlinkFederatedIdentityResponse {})
            })
            .await
    }

    async fn receive_provider_notification(
        &self,
        request: Request<v1::ReceiveProviderNotificationRequest>,
    ) -> Result<Response<v1::ReceiveProviderNotificationResponse>, Status> {
        self.runner
            .serve(
                request,
                |receive: ReceiveProviderNotification, app| async move {
                    receive.execute(&app).await?;
                    Ok(v1::ReceiveProviderNotificationResponse {})
                },
            )
            .await
    }
}
