//! GroupService's messages, each made the command that it asks for.

use countersign_domain::model::{Group, GroupEtag, GroupField, GroupId, GroupPageToken, PageSize};
use countersign_domain::use_cases::{CreateGroup, DeleteGroup, GetGroup, ListGroups, UpdateGroup};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use super::policies;
use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const GROUP_ID: &str = "group_id";

impl TryFrom<Asked<'_, v1::CreateGroupRequest>> for CreateGroup {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CreateGroupRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        let id = group_id(&mut fields, GROUP_ID, &message.group_id);
        let name = Group::parse_display_name(message.display_name);
        let name = fields.take("display_name", name);
        let policy = policies::read(&mut fields, "policy", message.policy, &app.settings.tokens);
        fields.finish(|| {
            Some(Self {
                id: id?,
                display_name: name?,
                policy,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::GetGroupRequest>> for GetGroup {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetGroupRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let id = group_id(&mut fields, GROUP_ID, &asked.message.group_id);
        fields.finish(|| Some(Self { id: id? }))
    }
}

impl TryFrom<Asked<'_, v1::ListGroupsRequest>> for ListGroups {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListGroupsRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let size = fields.take("page_size", PageSize::parse(message.page_size));
        let after = GroupPageToken::parse(&message.page_token);
        let after = fields.take("page_token", after);
        fields.finish(|| {
            Some(Self {
                size: size?,
                after: after?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::UpdateGroupRequest>> for UpdateGroup {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UpdateGroupRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        let group = message.group.unwrap_or_default();
        let id = group_id(&mut fields, "group.group_id", &group.group_id);
        let etag = convert::optional(&mut fields, "group.etag", group.etag, |text| {
            GroupEtag::parse(&text)
        });
        let paths = message.update_mask.unwrap_or_default().paths;
        let changed = mask(&mut fields, &paths);
        let name = Group::parse_display_name(group.display_name);
        let name = fields.take("group.display_name", name);
        let at = "group.policy";
        let policy = policies::read(&mut fields, at, group.policy, &app.settings.tokens);
        fields.finish(|| {
            Some(Self {
                id: id?,
                etag,
                fields: changed,
                display_name: name?,
                policy,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::DeleteGroupRequest>> for DeleteGroup {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::DeleteGroupRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = group_id(&mut fields, GROUP_ID, &message.group_id);
        let etag = convert::optional(&mut fields, "etag", message.etag, |text| {
            GroupEtag::parse(&text)
        });
        fields.finish(|| Some(Self { id: id?, etag }))
    }
}

/// The id of a group that an operator names: no group is meant by none.
fn group_id(fields: &mut Fields, field: &str, text: &str) -> Option<GroupId> {
    if text.is_empty() {
        fields.refuse(field, "must not be empty");
        return None;
    }
    convert::group(fields, field, text)
}

/// The fields that a mask names.
fn mask(fields: &mut Fields, paths: &[String]) -> Vec<GroupField> {
    if paths.is_empty() || paths.len() > 64 {
        fields.refuse("update_mask", "must have 1 to 64 paths");
        return Vec::new();
    }
    let mut changed = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let field = format!("update_mask.paths[{index}]");
        let named = fields.take(&field, GroupField::parse(path));
        changed.extend(named.into_iter().flatten());
    }
    changed
}
