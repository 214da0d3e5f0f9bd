//! `countersign user`.

use std::io::Write;

use countersign_domain::model::Attributes;
use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::user_service_client::UserServiceClient;
use countersign_proto::v1::{
    CreateUserRequest, DeleteUserRequest, GetUserRequest, Identifier, IdentifierPrefix,
    ListUsersRequest, Profile, ReinstateUserRequest, SuspendUserRequest, UpdateUserRequest, User,
    UserOrder, UserState, WithdrawUserRequest, identifier_prefix,
};
use tonic::transport::Channel;

use super::failure::{Failure, Outcome};
use super::server_client::{ServerClient, answered};
use super::table;
use super::user_arguments::{CreateUser, ListUsers, UpdateUser, UserFields, Users};
use super::user_rows::{self, Row};
use super::words::words;
use crate::attributes;

/// How many users a page has at the most.
const PAGE: u32 = 100;

/// Carries a command out.
pub(super) async fn execute(
    mut command: Users,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let server = ServerClient::connect(command.server()).await?;
    let operator = Operator {
        users: UserServiceClient::new(server.channel.clone()),
        server,
    };
    let (user, json) = match command {
        Users::List(list) => return operator.list(&list, out, notes).await,
        Users::Delete(delete) => return operator.delete(delete.version, out).await,
        Users::Show(user) => (operator.show(user.version.id).await?, user.json),
        Users::Create(create) => {
            let json = create.json;
            (operator.create(create).await?, json)
        }
        Users::Update(update) => {
            let json = update.json;
            (operator.update(update).await?, json)
        }
        Users::Suspend(suspend) => {
            let request = SuspendUserRequest {
                user_id: suspend.version.id,
                etag: suspend.version.etag,
                reason: suspend.reason,
                end_time: suspend.until,
            };
            let request = operator.server.request(request);
            let answer = operator.users.clone().suspend_user(request).await;
            (answered(answer)?.user, suspend.json)
        }
        Users::Reinstate(user) => {
            let request = ReinstateUserRequest {
                user_id: user.version.id,
                etag: user.version.etag,
            };
            let request = operator.server.request(request);
            let answer = operator.users.clone().reinstate_user(request).await;
            (answered(answer)?.user, user.json)
        }
        Users::Withdraw(user) => {
            let request = WithdrawUserRequest {
                user_id: user.version.id,
                etag: user.version.etag,
            };
            let request = operator.server.request(request);
            let answer = operator.users.clone().withdraw_user(request).await;
            (answered(answer)?.user, user.json)
        }
    };
    let row = Row::from(user.ok_or("the server answers without a user")?);
    match json {
        true => table::write_object(out, &row)?,
        false => user_rows::write_one(&row, out)?,
    }
    Ok(Outcome::Done)
}

/// An operator's connection.
struct Operator {
    server: ServerClient,
    users: UserServiceClient<Channel>,
}

impl Operator {
    /// Lists pages until there are as many as are wanted.
    async fn list(
        &self,
        list: &ListUsers,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let mut request = query(list);
        let mut rows = Vec::new();
        loop {
            let wanted = usize::try_from(list.limit)?.saturating_sub(rows.len());
            if wanted == 0 {
                break;
            }
            request.page_size = i32::try_from(wanted.min(PAGE as usize))?;
            let sent = self.server.request(request.clone());
            let page = self.users.clone().list_users(sent).await;
            let page = answered(page)?;
            rows.extend(page.users.into_iter().map(Row::from));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        match list.json {
            true => table::write_json(out, &rows)?,
            false => user_rows::write_list(&rows, out)?,
        }
        if !request.page_token.is_empty() {
            writeln!(notes, "there are more: --limit shows them")?;
        }
        Ok(Outcome::Done)
    }

    async fn show(&self, user_id: String) -> Result<Option<User>, Failure> {
        let request = self.server.request(GetUserRequest { user_id });
        let answer = self.users.clone().get_user(request).await;
        Ok(answered(answer)?.user)
    }

    async fn create(&self, create: CreateUser) -> Result<Option<User>, Failure> {
        let identifier = |value| Identifier { value: Some(value) };
        let emails = create.emails.into_iter().map(Value::Email);
        let phones = create.phones.into_iter().map(Value::Phone);
        let usernames = create.username.into_iter().map(Value::Username);
        let identifiers = emails.chain(phones).chain(usernames).map(identifier);
        let password = match &create.password_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
                text.lines().next().unwrap_or_default().to_owned()
            }
            None => String::new(),
        };
        let (_, fields) = written(create.fields)?;
        let request = CreateUserRequest {
            group_id: create.group.unwrap_or_default(),
            identifiers: identifiers.collect(),
            password,
            external_id: fields.external_id,
            profile: fields.profile,
            roles: fields.roles,
            scopes: fields.scopes,
        };
        let request = self.server.request(request);
        let answer = self.users.clone().create_user(request).await;
        Ok(answered(answer)?.user)
    }

    async fn update(&self, update: UpdateUser) -> Result<Option<User>, Failure> {
        let (paths, fields) = written(update.fields)?;
        if paths.is_empty() {
            return Err(Failure::usage("no flag says what is to be changed"));
        }
        let request = UpdateUserRequest {
            user_id: update.version.id,
            etag: update.version.etag,
            update_mask: Some(prost_types::FieldMask { paths }),
            ..fields
        };
        let request = self.server.request(request);
        let answer = self.users.clone().update_user(request).await;
        Ok(answered(answer)?.user)
    }

    async fn delete(
        &self,
        version: super::user_arguments::Version,
        out: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let user_id = version.id.clone();
        let etag = version.etag;
        let request = self.server.request(DeleteUserRequest { user_id, etag });
        let answer = self.users.clone().delete_user(request).await;
        answered(answer)?;
        writeln!(out, "deleted {}", version.id)?;
        Ok(Outcome::Done)
    }
}

fn query(list: &ListUsers) -> ListUsersRequest {
    use identifier_prefix::Value as Prefix;
    let state = match list.state.as_deref() {
        Some("pending") => UserState::Pending,
        Some("active") => UserState::Active,
        Some("suspended") => UserState::Suspended,
        Some("withdrawn") => UserState::Withdrawn,
        Some("erased") => UserState::Erased,
        _ => UserState::Unspecified,
    };
    let order = match list.oldest_first {
        true => UserOrder::OldestFirst,
        false => UserOrder::Unspecified,
    };
    let email = list.email_prefix.clone().map(Prefix::Email);
    let phone = list.phone_prefix.clone().map(Prefix::Phone);
    let prefix = email
        .or(phone)
        .or(list.username_prefix.clone().map(Prefix::Username));
    ListUsersRequest {
        page_size: 0,
        page_token: String::new(),
        group_id: list.group.clone().unwrap_or_default(),
        state: state.into(),
        role: list.role.clone().unwrap_or_default(),
        identifier_prefix: prefix.map(|value| IdentifierPrefix { value: Some(value) }),
        created_from: list.created_from,
        created_before: list.created_before,
        order: order.into(),
    }
}

/// The paths of the fields that flags name, and their values.
fn written(fields: UserFields) -> Result<(Vec<String>, UpdateUserRequest), Failure> {
    let attributes = match fields.attributes.as_deref() {
        None | Some("") => None,
        Some(json) => {
            let attributes = Attributes::parse(json);
            let attributes =
                attributes.map_err(|rule| Failure::usage(format!("--attributes {rule}")))?;
            attributes::written(&attributes)
        }
    };
    let named = [
        ("profile.name", fields.name.is_some()),
        ("profile.locale", fields.locale.is_some()),
        ("profile.time_zone", fields.time_zone.is_some()),
        ("profile.attributes", fields.attributes.is_some()),
        ("external_id", fields.external_id.is_some()),
        ("roles", fields.roles.is_some()),
        ("scopes", fields.scopes.is_some()),
    ];
    let paths = named.into_iter().filter(|(_, is_named)| *is_named);
    let request = UpdateUserRequest {
        external_id: fields.external_id.unwrap_or_default(),
        profile: Some(Profile {
            name: fields.name.unwrap_or_default(),
            locale: fields.locale.unwrap_or_default(),
            time_zone: fields.time_zone.unwrap_or_default(),
            attributes,
        }),
        roles: words(fields.roles.as_deref()),
        scopes: words(fields.scopes.as_deref()),
        ..Default::default()
    };
    Ok((paths.map(|(path, _)| path.to_owned()).collect(), request))
}
