//! SessionService.

use countersign_domain::model::{PageSize, PageToken, Role, SessionId, UserId};
use countersign_domain::use_cases::{
    Actor, GetSession, ListSessions, RevokeSession, RevokeUserSessions,
};
use countersign_domain::{Error, Fields, Refusal};
use countersign_proto::v1;
use countersign_proto::v1::session_service_server::SessionService;
use tonic::{Request, Response, Status};

use crate::grpc::call::Call;
use crate::grpc::convert;
use crate::grpc::rpc_runner::RpcRunner;

/// SessionService over the domain.
#[derive(Clone)]
pub(crate) struct SessionGrpc {
    pub(crate) runner: RpcRunner,
}

/// The person that the call acts for. A user id without a token is taken from
/// operators alone.
fn actor(
    fields: &mut Fields,
    person: Option<v1::Person>,
    call: &Call,
) -> Result<Option<Actor>, Error> {
    use v1::person::By;
    match person.and_then(|person| person.by) {
        Some(By::AccessToken(token)) if !call.caller.has(Role::Gateway) => {
            drop(token);
            Err(Refusal::CallerNotPermitted(Role::Gateway).into())
        }
        Some(By::AccessToken(token)) => {
            Ok(convert::required(fields, "person.access_token", token).map(Actor::Person))
        }
        Some(By::UserId(_)) if !call.caller.has(Role::Operator) => {
            Err(Refusal::CallerNotPermitted(Role::Operator).into())
        }
        Some(By::UserId(id)) => Ok(fields
            .take("person.user_id", id.parse::<UserId>())
            .map(Actor::User)),
        None => {
            fields.refuse(
                "person",
                "must have an access_token, or a user_id from an operator",
            );
            Ok(None)
        }
    }
}

#[tonic::async_trait]
impl SessionService for SessionGrpc {
    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let actor = actor(&mut fields, message.person, &call)?;
                let size = fields.take("page_size", PageSize::parse(message.page_size));
                let after = fields.take("page_token", PageToken::parse(&message.page_token));
                let command = actor
                    .zip(size)
                    .zip(after)
                    .map(|((actor, size), after)| ListSessions { actor, size, after });
                let page = fields.finish(command)?.execute(&app).await?;
                let current = page.current;
                Ok(v1::ListSessionsResponse {
                    sessions: page
                        .sessions
                        .into_iter()
                        .map(|session| {
                            let is_current = current == Some(session.id);
                            convert::session(session, is_current)
                        })
                        .collect(),
                    next_page_token: page.next.map(PageToken::encode).unwrap_or_default(),
                })
            })
            .await
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let actor = actor(&mut fields, message.person, &call)?;
                let session_id = fields.take("session_id", message.session_id.parse::<SessionId>());
                let command = actor
                    .zip(session_id)
                    .map(|(actor, session_id)| GetSession { actor, session_id });
                let (session, is_current) = fields.finish(command)?.execute(&app).await?;
                Ok(v1::GetSessionResponse {
                    session: Some(convert::session(session, is_current)),
                })
            })
            .await
    }

    async fn revoke_session(
        &self,
        request: Request<v1::RevokeSessionRequest>,
    ) -> Result<Response<v1::RevokeSessionResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let actor = actor(&mut fields, message.person, &call)?;
                let session_id = fields.take("session_id", message.session_id.parse::<SessionId>());
                let command = actor
                    .zip(session_id)
                    .map(|(actor, session_id)| RevokeSession { actor, session_id });
                fields.finish(command)?.execute(&app).await?;
                Ok(v1::RevokeSessionResponse {})
            })
            .await
    }

    async fn revoke_user_sessions(
        &self,
        request: Request<v1::RevokeUserSessionsRequest>,
    ) -> Result<Response<v1::RevokeUserSessionsResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let keep_current = message.keep_current;
                let actor = actor(&mut fields, message.person, &call)?;
                if keep_current && matches!(actor, Some(Actor::User(_))) {
                    fields.refuse(
                        "keep_current",
                        "must be false with person.user_id: there is no current session",
                    );
                }
                let command = actor.map(|actor| RevokeUserSessions {
                    actor,
                    keep_current,
                });
                let ended = fields.finish(command)?.execute(&app).await?;
                Ok(v1::RevokeUserSessionsResponse {
                    revoked_count: i32::try_from(ended).unwrap_or(i32::MAX),
                })
            })
            .await
    }
}
