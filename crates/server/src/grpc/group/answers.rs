//! What comes of GroupService's commands, as messages.

use countersign_domain::model::Group;
use countersign_domain::use_cases::ListedGroups;
use countersign_proto::v1;

use super::policies;
use crate::grpc::convert::timestamp;

pub(super) fn group(group: Group) -> v1::Group {
    v1::Group {
        etag: group.etag().to_string(),
        group_id: group.id.as_str().to_owned(),
        create_time: timestamp(group.created_at),
        update_time: timestamp(group.updated_at),
        policy: Some(policies::policy(group.policy)),
        display_name: group.display_name,
    }
}

pub(super) fn listed(listed: ListedGroups) -> v1::ListGroupsResponse {
    let next = listed.next.map(|token| token.encode());
    v1::ListGroupsResponse {
        groups: listed.groups.into_iter().map(group).collect(),
        next_page_token: next.unwrap_or_default(),
    }
}
