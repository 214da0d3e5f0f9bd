//! GroupService.

mod answers;
mod policies;
mod requests;

use countersign_domain::use_cases::{CreateGroup, DeleteGroup, GetGroup, ListGroups, UpdateGroup};
use countersign_proto::v1;
use countersign_proto::v1::group_service_server::GroupService;
use tonic::{Request, Response, Status};

use crate::grpc::rpc_runner::RpcRunner;

/// GroupService over the domain.
#[derive(Clone)]
pub(crate) struct GroupGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl GroupService for GroupGrpc {
    async fn create_group(
        &self,
        request: Request<v1::CreateGroupRequest>,
    ) -> Result<Response<v1::CreateGroupResponse>, Status> {
        self.runner
            .serve(request, |create: CreateGroup, app| async move {
                let group = Some(answers::group(create.execute(&app).await?));
                Ok(v1::CreateGroupResponse { group })
            })
            .await
    }

    async fn get_group(
        &self,
        request: Request<v1::GetGroupRequest>,
    ) -> Result<Response<v1::GetGroupResponse>, Status> {
        self.runner
            .serve(request, |get: GetGroup, app| async move {
                let group = Some(answers::group(get.execute(&app).await?));
                Ok(v1::GetGroupResponse { group })
            })
            .await
    }

    async fn list_groups(
        &self,
        request: Request<v1::ListGroupsRequest>,
    ) -> Result<Response<v1::ListGroupsResponse>, Status> {
        self.runner
            .serve(request, |list: ListGroups, app| async move {
                Ok(answers::listed(list.execute(&app).await?))
            })
            .await
    }

    async fn update_group(
        &self,
        request: Request<v1::UpdateGroupRequest>,
    ) -> Result<Response<v1::UpdateGroupResponse>, Status> {
        self.runner
            .serve(request, |update: UpdateGroup, app| async move {
                let group = Some(answers::group(update.execute(&app).await?));
                Ok(v1::UpdateGroupResponse { group })
            })
            .await
    }

    async fn delete_group(
        &self,
        request: Request<v1::DeleteGroupRequest>,
    ) -> Result<Response<v1::DeleteGroupResponse>, Status> {
        self.runner
            .serve(request, |delete: DeleteGroup, app| async move {
                delete.execute(&app).await?;
                Ok(v1::DeleteGroupResponse {})
            })
            .await
    }
}
