//! UserService.

mod answers;
mod audit_answers;
mod audit_requests;
mod import_answers;
mod import_requests;
mod operator_requests;
mod profile_requests;
mod requests;
mod user_answers;
pub(super) mod user_fields;

use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, CreateUser, DeleteUser, GetProfile, GetUser, ImportUsers,
    ListAuditEvents, ListIdentifiers, ListUsers, ReinstateUser, RemoveIdentifier, SuspendUser,
    UndoIdentifierChange, UpdateProfile, UpdateUser, WithdrawProfile, WithdrawUser,
};
use countersign_proto::v1;
use countersign_proto::v1::user_service_server::UserService;
use tonic::{Request, Response, Status};

use crate::grpc::convert;
use crate::grpc::rpc_runner::RpcRunner;

/// UserService over the domain.
#[derive(Clone)]
pub(crate) struct UserGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl UserService for UserGrpc {
    async fn create_user(
        &self,
        request: Request<v1::CreateUserRequest>,
    ) -> Result<Response<v1::CreateUserResponse>, Status> {
        self.runner
            .serve(request, |command: CreateUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::CreateUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn get_user(
        &self,
        request: Request<v1::GetUserRequest>,
    ) -> Result<Response<v1::GetUserResponse>, Status> {
        self.runner
            .serve(request, |command: GetUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::GetUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn update_user(
        &self,
        request: Request<v1::UpdateUserRequest>,
    ) -> Result<Response<v1::UpdateUserResponse>, Status> {
        self.runner
            .serve(request, |command: UpdateUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::UpdateUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn suspend_user(
        &self,
        request: Request<v1::SuspendUserRequest>,
    ) -> Result<Response<v1::SuspendUserResponse>, Status> {
        self.runner
            .serve(request, |command: SuspendUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::SuspendUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn reinstate_user(
        &self,
        request: Request<v1::ReinstateUserRequest>,
    ) -> Result<Response<v1::ReinstateUserResponse>, Status> {
        self.runner
            .serve(request, |command: ReinstateUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::ReinstateUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn withdraw_user(
        &self,
        request: Request<v1::WithdrawUserRequest>,
    ) -> Result<Response<v1::WithdrawUserResponse>, Status> {
        self.runner
            .serve(request, |command: WithdrawUser, app| async move {
                let user = command.execute(&app).await?;
                Ok(v1::WithdrawUserResponse {
                    user: Some(user_answers::user(&user)),
                })
            })
            .await
    }

    async fn list_users(
        &self,
        request: Request<v1::ListUsersRequest>,
    ) -> Result<Response<v1::ListUsersResponse>, Status> {
        self.runner
            .serve(request, |command: ListUsers, app| async move {
                Ok(user_answers::page(command.execute(&app).await?))
            })
            .await
    }

    async fn delete_user(
        &self,
        request: Request<v1::DeleteUserRequest>,
    ) -> Result<Response<v1::DeleteUserResponse>, Status> {
        self.runner
            .serve(request, |command: DeleteUser, app| async move {
                command.execute(&app).await?;
                Ok(v1::DeleteUserResponse {})
            })
            .await
    }

    async fn import_users(
        &self,
        request: Request<v1::ImportUsersRequest>,
    ) -> Result<Response<v1::ImportUsersResponse>, Status> {
        self.runner
            .serve(request, |command: ImportUsers, app| async move {
                Ok(import_answers::results(command.execute(&app).await?))
            })
            .await
    }

    async fn list_audit_events(
        &self,
        request: Request<v1::ListAuditEventsRequest>,
    ) -> Result<Response<v1::ListAuditEventsResponse>, Status> {
        self.runner
            .serve(request, |command: ListAuditEvents, app| async move {
                Ok(audit_answers::page(command.execute(&app).await?))
            })
            .await
    }

    async fn get_profile(
        &self,
        request: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        self.runner
            .serve(request, |command: GetProfile, app| async move {
                let user = command.execute(&app).await?;
                let (profile, etag) = user_answers::own_profile(&user);
                Ok(v1::GetProfileResponse { profile, etag })
            })
            .await
    }

    async fn update_profile(
        &self,
        request: Request<v1::UpdateProfileRequest>,
    ) -> Result<Response<v1::UpdateProfileResponse>, Status> {
        self.runner
            .serve(request, |command: UpdateProfile, app| async move {
                let user = command.execute(&app).await?;
                let (profile, etag) = user_answers::own_profile(&user);
                Ok(v1::UpdateProfileResponse { profile, etag })
            })
            .await
    }

    async fn withdraw_profile(
        &self,
        request: Request<v1::WithdrawProfileRequest>,
    ) -> Result<Response<v1::WithdrawProfileResponse>, Status> {
        self.runner
            .serve(request, |command: WithdrawProfile, app| async move {
                let rejoin_at = command.execute(&app).await?;
                Ok(v1::WithdrawProfileResponse {
                    rejoin_time: convert::timestamp(rejoin_at),
                })
            })
            .await
    }

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
