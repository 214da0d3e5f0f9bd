//! UserService.

mod answers;
mod requests;

use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, ListIdentifiers, RemoveIdentifier, UndoIdentifierChange,
};
use countersign_proto::v1;
use countersign_proto::v1::user_service_server::UserService;
use tonic::{Request, Response, Status};

use crate::grpc::rpc_runner::RpcRunner;

/// UserService over the domain.
#[derive(Clone)]
pub(crate) struct UserGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl UserService for UserGrpc {
    async fn list_identifiers(
        &self,
        request: Request<v1::ListIdentifiersRequest>,
    ) -> Result<Response<v1::ListIdentifiersResponse>, Status> {
        self.runner
            .serve(request, |list: ListIdentifiers, app| async move {
                Ok(answers::listed(&list.execute(&app).await?))
            })
            .await
    }

    async fn add_identifier(
        &self,
        request: Request<v1::AddIdentifierRequest>,
    ) -> Result<Response<v1::AddIdentifierResponse>, Status> {
        self.runner
            .serve(request, |add: AddIdentifier, app| async move {
                let added = add.execute(&app).await?;
                Ok(v1::AddIdentifierResponse {
                    identifier: Some(answers::identifier(&added)),
                })
            })
            .await
    }

    async fn change_identifier(
        &self,
        request: Request<v1::ChangeIdentifierRequest>,
    ) -> Result<Response<v1::ChangeIdentifierResponse>, Status> {
        self.runner
            .serve(request, |change: ChangeIdentifier, app| async move {
                let added = change.execute(&app).await?;
                Ok(v1::ChangeIdentifierResponse {
                    identifier: Some(answers::identifier(&added)),
                })
            })
            .await
    }

    async fn remove_identifier(
        &self,
        request: Request<v1::RemoveIdentifierRequest>,
    ) -> Result<Response<v1::RemoveIdentifierResponse>, Status> {
        self.runner
            .serve(request, |remove: RemoveIdentifier, app| async move {
                remove.execute(&app).await?;
                Ok(v1::RemoveIdentifierResponse {})
            })
            .await
    }

    async fn undo_identifier_change(
        &self,
        request: Request<v1::UndoIdentifierChangeRequest>,
    ) -> Result<Response<v1::UndoIdentifierChangeResponse>, Status> {
        self.runner
            .serve(request, |undo: UndoIdentifierChange, app| async move {
                undo.execute(&app).await?;
                Ok(v1::UndoIdentifierChangeResponse {})
            })
            .await
    }
}
