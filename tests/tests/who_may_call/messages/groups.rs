//! The messages about groups.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_proto::v1;
use prost::Message as _;

use super::unknown;
use crate::cast::{Cast, SOUTH};
use crate::table::Object;

pub(super) async fn message(cast: &Cast, rpc: &str, object: Object) -> Vec<u8> {
    let group_id = match object {
        Object::Own => new_id(),
        Object::OfOtherGroup | Object::Ended => SOUTH.into(),
        Object::AbsentGroup => "nowhere".into(),
        _ => unknown(rpc, object),
    };
    if object == Object::Own && rpc != "CreateGroup" {
        let made = cast.operator();
        let made = made.make_group(&group_id, v1::GroupPolicy::default());
        made.await.expect("a group");
    }
    match rpc {
        "CreateGroup" => {
            let request = v1::CreateGroupRequest {
                group_id,
                ..Default::default()
            };
            request.encode_to_vec()
        }
        "GetGroup" => v1::GetGroupRequest { group_id }.encode_to_vec(),
        "ListGroups" => v1::ListGroupsRequest::default().encode_to_vec(),
        "UpdateGroup" => {
            let group = v1::Group {
                group_id,
                display_name: "Another name".into(),
                ..Default::default()
            };
            let request = v1::UpdateGroupRequest {
                group: Some(group),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["display_name".into()],
                }),
            };
            request.encode_to_vec()
        }
        "DeleteGroup" => {
            let etag = String::new();
            v1::DeleteGroupRequest { group_id, etag }.encode_to_vec()
        }
        _ => unknown(rpc, object),
    }
}

fn new_id() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("group-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
