//! The messages of operators about users.

use countersign_proto::v1;
use countersign_tests::email;
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, NOBODY};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    match rpc {
        "CreateUser" => return create(cast, object),
        "ImportUsers" => return import(cast, object),
        "ListAuditEvents" => return v1::ListAuditEventsRequest::default().encode_to_vec(),
        "ListUsers" => {
            let group_id = match object {
                Object::AbsentGroup => "nowhere".into(),
                _ => String::new(),
            };
            let request = v1::ListUsersRequest {
                group_id,
                ..Default::default()
            };
            return request.encode_to_vec();
        }
        _ => {}
    }
    let user_id = match object {
        Object::Absent => NOBODY.into(),
        Object::Own | Object::Ended => cast.newcomer().await.person.user_id,
        _ => unknown(rpc, object),
    };
    put_into_state(cast, rpc, object, &user_id).await;
    let etag = String::new();
    match rpc {
        "GetUser" => v1::GetUserRequest { user_id }.encode_to_vec(),
        "UpdateUser" => {
            let request = v1::UpdateUserRequest {
                user_id,
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["roles".into()],
                }),
                roles: vec!["staff".into()],
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "DeleteUser" => v1::DeleteUserRequest { user_id, etag }.encode_to_vec(),
        "SuspendUser" => {
            let request = v1::SuspendUserRequest {
                user_id,
                etag,
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "ReinstateUser" => v1::ReinstateUserRequest { user_id, etag }.encode_to_vec(),
        "WithdrawUser" => v1::WithdrawUserRequest { user_id, etag }.encode_to_vec(),
        _ => unknown(rpc, object),
    }
}

/// The state from which the change is possible, or in which it is over.
async fn put_into_state(cast: &Cast, rpc: &str, object: Object, id: &str) {
    let operator = cast.operator();
    match (rpc, object) {
        ("DeleteUser", Object::Ended) => operator.delete_user(id).await.expect("deleted"),
        ("SuspendUser" | "WithdrawUser", Object::Ended) => {
            operator.withdraw(id).await.expect("withdrawn");
        }
        ("ReinstateUser", Object::Own) => {
            operator.suspend(id, "").await.expect("suspended");
        }
        _ => {}
    }
}

/// An import answers for itself: what it says of its user is not its own outcome.
fn import(cast: &Cast, object: Object) -> Vec<u8> {
    let identifier = v1::ImportedIdentifier {
        identifier: Some(email(&cast.world().new_email())),
        verified: true,
    };
    let user = v1::ImportedUser {
        external_id: "7".into(),
        identifiers: vec![identifier],
        ..Default::default()
    };
    let request = v1::ImportUsersRequest {
        users: match object {
            Object::Own => vec![user],
            _ => Vec::new(),
        },
        validate_only: true,
    };
    request.encode_to_vec()
}

fn create(cast: &Cast, object: Object) -> Vec<u8> {
    let address = match object {
        Object::OfSameGroup => cast.victim.person.email.clone(),
        _ => cast.world().new_email(),
    };
    let group_id = match object {
        Object::AbsentGroup => "nowhere",
        _ => "",
    };
    let request = v1::CreateUserRequest {
        group_id: group_id.into(),
        identifiers: vec![email(&address)],
        ..Default::default()
    };
    request.encode_to_vec()
}
