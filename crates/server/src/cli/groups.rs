//! `countersign group`.

use std::io::Write;

use countersign_proto::v1::group_service_client::GroupServiceClient;
use countersign_proto::v1::{
    CreateGroupRequest, DeleteGroupRequest, GetGroupRequest, Group, GroupPolicy, ListGroupsRequest,
    UpdateGroupRequest,
};
use tonic::transport::Channel;

use super::failure::{Failure, Outcome};
use super::group_arguments::{
    DeleteGroup, GroupFields, Groups, ListGroups, Setting, UpdateGroup, Ways, WriteGroup,
};
use super::group_attributes::Attributes;
use super::group_rows::Row;
use super::server_client::{ServerClient, answered};
use super::table;
use super::words::words;

/// Carries a command out.
pub(super) async fn execute(mut command: Groups, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let server = ServerClient::connect(command.server()).await?;
    let operator = Operator {
        groups: GroupServiceClient::new(server.channel.clone()),
        server,
    };
    let (group, json) = match command {
        Groups::List(list) => return operator.list(&list, out).await,
        Groups::Delete(delete) => return operator.delete(delete, out).await,
        Groups::Show(group) => (operator.show(group.id).await?, group.json),
        Groups::Create(create) => {
            let json = create.json;
            (operator.create(create).await?, json)
        }
        Groups::Update(update) => {
            let json = update.group.json;
            (operator.update(update).await?, json)
        }
    };
    let row = Row::from(group.ok_or("the server answers without a group")?);
    match json {
        true => table::write_object(out, &row)?,
        false => table::write_fields(out, &row.fields())?,
    }
    Ok(Outcome::Done)
}

/// An operator's connection.
struct Operator {
    server: ServerClient,
    groups: GroupServiceClient<Channel>,
}

impl Operator {
    async fn list(&self, list: &ListGroups, out: &mut dyn Write) -> Result<Outcome, Failure> {
        let (mut rows, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = self.server.request(ListGroupsRequest {
                page_size: 100,
                page_token,
            });
            let page = answered(self.groups.clone().list_groups(request).await)?;
            rows.extend(page.groups.into_iter().map(Row::from));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        match list.json {
            true => table::write_json(out, &rows)?,
            false => {
                let cells: Vec<_> = rows.iter().map(Row::cells).collect();
                table::write(out, Row::HEADER, &cells)?;
            }
        }
        Ok(Outcome::Done)
    }

    async fn show(&self, group_id: String) -> Result<Option<Group>, Failure> {
        let request = self.server.request(GetGroupRequest { group_id });
        Ok(answered(self.groups.clone().get_group(request).await)?.group)
    }

    async fn create(&self, create: WriteGroup) -> Result<Option<Group>, Failure> {
        let (_, group) = written(create.fields);
        let request = self.server.request(CreateGroupRequest {
            group_id: create.id,
            display_name: group.display_name,
            policy: group.policy,
        });
        Ok(answered(self.groups.clone().create_group(request).await)?.group)
    }

    async fn update(&self, update: UpdateGroup) -> Result<Option<Group>, Failure> {
        let (paths, fields) = written(update.group.fields);
        if paths.is_empty() {
            return Err(Failure::usage("no flag says what is to be changed"));
        }
        let request = self.server.request(UpdateGroupRequest {
            group: Some(Group {
                group_id: update.group.id,
                etag: update.version.etag,
                ..fields
            }),
            update_mask: Some(prost_types::FieldMask { paths }),
        });
        Ok(answered(self.groups.clone().update_group(request).await)?.group)
    }

    async fn delete(&self, delete: DeleteGroup, out: &mut dyn Write) -> Result<Outcome, Failure> {
        let request = self.server.request(DeleteGroupRequest {
            group_id: delete.id.clone(),
            etag: delete.version.etag,
        });
        answered(self.groups.clone().delete_group(request).await)?;
        writeln!(out, "deleted {}", delete.id)?;
        Ok(Outcome::Done)
    }
}

/// The paths of the fields that flags name, and their values.
fn written(fields: GroupFields) -> (Vec<String>, Group) {
    fn value<T>(setting: Option<Setting<T>>) -> Option<T> {
        setting.and_then(|Setting(value)| value)
    }
    let named = [
        ("display_name", fields.display_name.is_some()),
        (
            "policy.password_min_length",
            fields.password_min_length.is_some(),
        ),
        ("policy.mfa_policy", fields.mfa_policy.is_some()),
        ("policy.access_token_ttl", fields.access_token_ttl.is_some()),
        ("policy.idle_ttl", fields.idle_ttl.is_some()),
        ("policy.session_ttl", fields.session_ttl.is_some()),
        ("policy.sign_in_ways", fields.sign_in_ways.is_some()),
        ("policy.audiences", fields.audiences.is_some()),
        ("policy.scopes", fields.scopes.is_some()),
        ("policy.sign_up", fields.sign_up.is_some()),
        (
            "policy.profile_attributes",
            fields.profile_attributes.is_some(),
        ),
    ];
    let paths = named.into_iter().filter(|(_, is_named)| *is_named);
    let ways = fields.sign_in_ways.map_or(Vec::new(), |Ways(ways)| ways);
    let attributes = fields.profile_attributes;
    let policy = GroupPolicy {
        password_min_length: value(fields.password_min_length),
        mfa_policy: value(fields.mfa_policy).unwrap_or_default().into(),
        access_token_ttl: value(fields.access_token_ttl),
        idle_ttl: value(fields.idle_ttl),
        session_ttl: value(fields.session_ttl),
        sign_in_ways: ways.into_iter().map(Into::into).collect(),
        audiences: words(fields.audiences.as_deref()),
        scopes: words(fields.scopes.as_deref()),
        sign_up: value(fields.sign_up),
        profile_attributes: attributes.map_or(Vec::new(), |Attributes(known)| known),
    };
    let group = Group {
        display_name: fields.display_name.unwrap_or_default(),
        policy: Some(policy),
        ..Default::default()
    };
    (paths.map(|(path, _)| path.to_owned()).collect(), group)
}
