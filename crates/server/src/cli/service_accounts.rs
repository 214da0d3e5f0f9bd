//! `countersign service-account`.

use std::io::Write;

use countersign_proto::v1::add_service_account_key_request::Key;
use countersign_proto::v1::service_account_service_client::ServiceAccountServiceClient;
use countersign_proto::v1::{
    AddServiceAccountKeyRequest, CreateServiceAccountRequest, CreateServiceAccountSecretRequest,
    DeleteServiceAccountRequest, GetServiceAccountRequest, ListServiceAccountsRequest,
    RemoveServiceAccountCredentialRequest, ServiceAccount, UpdateServiceAccountRequest,
};
use tonic::transport::Channel;

use super::failure::{Failure, Outcome};
use super::server_client::{ServerClient, answered};
use super::service_account_arguments::{
    AddKey, CreateSecret, CreateServiceAccount, Credentials, DeleteServiceAccount, Keys,
    ListServiceAccounts, RemoveCredential, Secrets, ServiceAccountFields, ServiceAccounts,
    UpdateServiceAccount,
};
use super::service_account_rows::{CredentialRow, Row, SecretRow, write_one};
use super::table;
use super::words::words;

/// Carries a command out.
pub(super) async fn execute(
    mut command: ServiceAccounts,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let server = ServerClient::connect(command.server()).await?;
    let operator = Operator {
        accounts: ServiceAccountServiceClient::new(server.channel.clone()),
        server,
    };
    let (account, json) = match command {
        ServiceAccounts::List(list) => return operator.list(&list, out).await,
        ServiceAccounts::Delete(delete) => return operator.delete(delete, out).await,
        ServiceAccounts::Secret(Secrets::Create(create)) => {
            return operator.create_secret(create, out, notes).await;
        }
        ServiceAccounts::Key(Keys::Add(add)) => return operator.add_key(add, out).await,
        ServiceAccounts::Credential(Credentials::Remove(remove)) => {
            let json = remove.account.json;
            (operator.remove(remove).await?, json)
        }
        ServiceAccounts::Show(one) => (operator.show(one.id).await?, one.json),
        ServiceAccounts::Create(create) => {
            let json = create.json;
            (operator.create(create).await?, json)
        }
        ServiceAccounts::Update(update) => {
            let json = update.json;
            (operator.update(update).await?, json)
        }
        ServiceAccounts::Disable(one) => (operator.disable(one.id, true).await?, one.json),
        ServiceAccounts::Enable(one) => (operator.disable(one.id, false).await?, one.json),
    };
    let row = Row::from(account.ok_or("the server answers without a service account")?);
    match json {
        true => table::write_object(out, &row)?,
        false => write_one(&row, out)?,
    }
    Ok(Outcome::Done)
}

/// An operator's connection.
struct Operator {
    server: ServerClient,
    accounts: ServiceAccountServiceClient<Channel>,
}

impl Operator {
    async fn list(
        &self,
        list: &ListServiceAccounts,
        out: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let (mut rows, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = self.server.request(ListServiceAccountsRequest {
                group_id: list.group.clone().unwrap_or_default(),
                page_size: 100,
                page_token,
            });
            let page = answered(self.accounts.clone().list_service_accounts(request).await)?;
            rows.extend(page.service_accounts.into_iter().map(Row::from));
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

    async fn show(&self, service_account_id: String) -> Result<Option<ServiceAccount>, Failure> {
        let request = GetServiceAccountRequest { service_account_id };
        let request = self.server.request(request);
        let shown = self.accounts.clone().get_service_account(request).await;
        Ok(answered(shown)?.service_account)
    }

    async fn create(
        &self,
        create: CreateServiceAccount,
    ) -> Result<Option<ServiceAccount>, Failure> {
        let (_, fields) = written(create.fields);
        let request = self.server.request(CreateServiceAccountRequest {
            group_id: create.group.unwrap_or_default(),
            display_name: fields.display_name,
            description: fields.description,
            roles: fields.roles,
            scopes: fields.scopes,
            audiences: fields.audiences,
        });
        let created = self.accounts.clone().create_service_account(request).await;
        Ok(answered(created)?.service_account)
    }

    async fn update(
        &self,
        update: UpdateServiceAccount,
    ) -> Result<Option<ServiceAccount>, Failure> {
        let (paths, fields) = written(update.fields);
        if paths.is_empty() {
            return Err(Failure::usage("no flag says what is to be changed"));
        }
        let account = ServiceAccount {
            service_account_id: update.version.id,
            etag: update.version.etag,
            ..fields
        };
        self.change(account, paths).await
    }

    async fn disable(&self, id: String, disabled: bool) -> Result<Option<ServiceAccount>, Failure> {
        let account = ServiceAccount {
            service_account_id: id,
            disabled,
            ..Default::default()
        };
        self.change(account, vec!["disabled".into()]).await
    }

    async fn change(
        &self,
        account: ServiceAccount,
        paths: Vec<String>,
    ) -> Result<Option<ServiceAccount>, Failure> {
        let request = self.server.request(UpdateServiceAccountRequest {
            service_account: Some(account),
            update_mask: Some(prost_types::FieldMask { paths }),
        });
        let updated = self.accounts.clone().update_service_account(request).await;
        Ok(answered(updated)?.service_account)
    }

    async fn delete(
        &self,
        delete: DeleteServiceAccount,
        out: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let id = delete.version.id;
        let request = self.server.request(DeleteServiceAccountRequest {
            service_account_id: id.clone(),
            etag: delete.version.etag,
        });
        answered(self.accounts.clone().delete_service_account(request).await)?;
        writeln!(out, "deleted {id}")?;
        Ok(Outcome::Done)
    }

    /// Makes a secret. It alone goes to `out`, unless all is asked for as JSON.
    async fn create_secret(
        &self,
        create: CreateSecret,
        out: &mut dyn Write,
        notes: &mut dyn Write,
    ) -> Result<Outcome, Failure> {
        let request = self.server.request(CreateServiceAccountSecretRequest {
            service_account_id: create.account.id,
            expire_time: create.expiry.expires_at,
        });
        let mut accounts = self.accounts.clone();
        let created = answered(accounts.create_service_account_secret(request).await)?;
        let credential = created.credential.unwrap_or_default();
        let credential = CredentialRow::from(credential);
        if create.account.json {
            let secret = created.secret;
            table::write_object(out, &SecretRow { secret, credential })?;
        } else {
            writeln!(out, "{}", created.secret)?;
            writeln!(
                notes,
                "This is the secret {}. It is not kept, and not shown again.",
                credential.credential_id
            )?;
        }
        Ok(Outcome::Done)
    }

    async fn add_key(&self, add: AddKey, out: &mut dyn Write) -> Result<Outcome, Failure> {
        let text = std::fs::read_to_string(&add.file)
            .map_err(|error| format!("cannot read {}: {error}", add.file.display()))?;
        let key = match text.trim_start().starts_with('{') {
            true => Key::Jwk(text),
            false => Key::Pem(text),
        };
        let request = self.server.request(AddServiceAccountKeyRequest {
            service_account_id: add.account.id,
            key: Some(key),
            expire_time: add.expiry.expires_at,
        });
        let added = self.accounts.clone().add_service_account_key(request).await;
        let credential = answered(added)?.credential;
        let row = CredentialRow::from(credential.ok_or("the server answers without a key")?);
        match add.account.json {
            true => table::write_object(out, &row)?,
            false => table::write_fields(out, &row.fields())?,
        }
        Ok(Outcome::Done)
    }

    async fn remove(&self, remove: RemoveCredential) -> Result<Option<ServiceAccount>, Failure> {
        let request = self.server.request(RemoveServiceAccountCredentialRequest {
            service_account_id: remove.account.id,
            credential_id: remove.credential,
        });
        let mut accounts = self.accounts.clone();
        let removed = accounts.remove_service_account_credential(request).await;
        Ok(answered(removed)?.service_account)
    }
}

/// The paths of the fields that flags name, and their values.
fn written(fields: ServiceAccountFields) -> (Vec<String>, ServiceAccount) {
    let named = [
        ("display_name", fields.name.is_some()),
        ("description", fields.description.is_some()),
        ("roles", fields.roles.is_some()),
        ("scopes", fields.scopes.is_some()),
        ("audiences", fields.audiences.is_some()),
    ];
    let paths = named.into_iter().filter(|(_, is_named)| *is_named);
    let account = ServiceAccount {
        display_name: fields.name.unwrap_or_default(),
        description: fields.description.unwrap_or_default(),
        roles: words(fields.roles.as_deref()),
        scopes: words(fields.scopes.as_deref()),
        audiences: words(fields.audiences.as_deref()),
        ..Default::default()
    };
    (paths.map(|(path, _)| path.to_owned()).collect(), account)
}
