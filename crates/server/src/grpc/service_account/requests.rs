//! ServiceAccountService's messages, each made the command that it asks for.

use countersign_domain::model::{
    PageSize, ServiceAccount, ServiceAccountGrants, ServiceAccountPageToken,
};
use countersign_domain::use_cases::{
    AddServiceAccountKey, CreateServiceAccount, CreateServiceAccountSecret, DeleteServiceAccount,
    GetServiceAccount, ListServiceAccounts, RemoveServiceAccountCredential, UpdateServiceAccount,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_token::{Jwk, KeyError, VerifyingKey};

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;
use crate::grpc::user::user_fields::{self, Mask};

const ID: &str = "service_account_id";
/// The most audiences of a service account.
const MAX_AUDIENCES: usize = 64;
/// The most bytes of a key.
const MAX_KEY_BYTES: usize = 8_192;
/// What an update may name.
const PATHS: [&str; 6] = [
    "display_name",
    "description",
    "disabled",
    "roles",
    "scopes",
    "audiences",
];

impl TryFrom<Asked<'_, v1::CreateServiceAccountRequest>> for CreateServiceAccount {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CreateServiceAccountRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let name = ServiceAccount::parse_display_name(message.display_name);
        let name = fields.take("display_name", name);
        let description = ServiceAccount::parse_description(message.description);
        let description = fields.take("description", description);
        let roles = user_fields::roles(&mut fields, &message.roles);
        let scopes = user_fields::scopes(&mut fields, &message.scopes);
        let offered = &app.settings.tokens.audiences;
        let audiences = audiences(&mut fields, "audiences", message.audiences, offered);
        fields.finish(|| {
            Some(Self {
                group: group?,
                display_name: name?,
                description: description?,
                grants: ServiceAccountGrants {
                    roles,
                    scopes,
                    audiences,
                },
            })
        })
    }
}

/// Audiences that the server offers, each once, in the order given.
fn audiences(
    fields: &mut Fields,
    field: &str,
    texts: Vec<String>,
    offered: &[String],
) -> Vec<String> {
    if texts.len() > MAX_AUDIENCES {
        fields.refuse(field, format!("must have at most {MAX_AUDIENCES} items"));
    }
    let mut audiences = Vec::new();
    for (index, audience) in texts.into_iter().take(MAX_AUDIENCES).enumerate() {
        if !offered.contains(&audience) {
            let rule = format!("must be one of {}", offered.join(", "));
            fields.refuse(&format!("{field}[{index}]"), rule);
        } else if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    audiences
}

impl TryFrom<Asked<'_, v1::GetServiceAccountRequest>> for GetServiceAccount {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetServiceAccountRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let id = fields.take(ID, asked.message.service_account_id.parse());
        fields.finish(|| Some(Self { id: id? }))
    }
}

impl TryFrom<Asked<'_, v1::ListServiceAccountsRequest>> for ListServiceAccounts {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListServiceAccountsRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let group = match message.group_id.as_str() {
            "" => None,
            text => convert::group(&mut fields, "group_id", text),
        };
        let size = fields.take("page_size", PageSize::parse(message.page_size));
        let after = ServiceAccountPageToken::parse(&message.page_token);
        let after = fields.take("page_token", after);
        fields.finish(|| {
            Some(Self {
                group,
                size: size?,
                after: after?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::UpdateServiceAccountRequest>> for UpdateServiceAccount {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UpdateServiceAccountRequest>) -> Result<Self, Error> {
        let Asked { message, app, .. } = asked;
        let mut fields = Fields::new();
        let mask = Mask::read(&mut fields, message.update_mask, &PATHS);
        let account = message.service_account.unwrap_or_default();
        let at = |field: &str| format!("service_account.{field}");
        let id = fields.take(&at(ID), account.service_account_id.parse());
        let name = ServiceAccount::parse_display_name(account.display_name);
        let name = fields.take(&at("display_name"), name);
        let description = ServiceAccount::parse_description(account.description);
        let description = fields.take(&at("description"), description);
        let roles = user_fields::roles_at(&mut fields, &at("roles"), &account.roles);
        let scopes = user_fields::scopes_at(&mut fields, &at("scopes"), &account.scopes);
        // One that the server does not offer any more may stay where it is.
        let audiences = match mask.names("audiences") {
            true => {
                let offered = &app.settings.tokens.audiences;
                let field = at("audiences");
                audiences(&mut fields, &field, account.audiences, offered)
            }
            false => Vec::new(),
        };
        fields.finish(|| {
            Some(Self {
                id: id?,
                etag: user_fields::etag(account.etag),
                display_name: mask.of("display_name", name?),
                description: mask.of("description", description?),
                is_disabled: mask.of("disabled", account.disabled),
                roles: mask.of("roles", roles),
                scopes: mask.of("scopes", scopes),
                audiences: mask.of("audiences", audiences),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::DeleteServiceAccountRequest>> for DeleteServiceAccount {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::DeleteServiceAccountRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(ID, message.service_account_id.parse());
        let etag = user_fields::etag(message.etag);
        fields.finish(|| Some(Self { id: id?, etag }))
    }
}

impl TryFrom<Asked<'_, v1::CreateServiceAccountSecretRequest>> for CreateServiceAccountSecret {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::CreateServiceAccountSecretRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(ID, message.service_account_id.parse());
        let expires_at = user_fields::instant(&mut fields, "expire_time", message.expire_time);
        fields.finish(|| {
            Some(Self {
                id: id?,
                expires_at,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::AddServiceAccountKeyRequest>> for AddServiceAccountKey {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::AddServiceAccountKeyRequest>) -> Result<Self, Error> {
        use v1::add_service_account_key_request::Key;
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(ID, message.service_account_id.parse());
        let key = match message.key {
            Some(Key::Jwk(text)) => fields.take("jwk", key(&text, Jwk::from_foreign)),
            Some(Key::Pem(text)) => fields.take("pem", key(&text, Jwk::from_pem)),
            None => {
                fields.refuse("key", "must be given: jwk or pem");
                None
            }
        };
        let expires_at = user_fields::instant(&mut fields, "expire_time", message.expire_time);
        fields.finish(|| {
            Some(Self {
                id: id?,
                key: key?,
                expires_at,
            })
        })
    }
}

/// A public key that is safe to verify with.
fn key(text: &str, read: fn(&str) -> Result<Jwk, KeyError>) -> Result<Jwk, String> {
    if text.len() > MAX_KEY_BYTES {
        return Err(format!("must be at most {MAX_KEY_BYTES} bytes long"));
    }
    let read = read(text).and_then(|jwk| VerifyingKey::from_jwk(&jwk).map(|_| jwk));
    read.map_err(|error| {
        let fault = match error {
            KeyError::Public { fault, .. } => fault.to_string(),
            other => other.to_string(),
        };
        format!("must be a public key of Ed25519, P-256, or RSA of 2048 to 4096 bits: {fault}")
    })
}

impl TryFrom<Asked<'_, v1::RemoveServiceAccountCredentialRequest>>
    for RemoveServiceAccountCredential
{
    type Error = Error;

    fn try_from(
        asked: Asked<'_, v1::RemoveServiceAccountCredentialRequest>,
    ) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let id = fields.take(ID, message.service_account_id.parse());
        let credential = fields.take("credential_id", message.credential_id.parse());
        fields.finish(|| {
            Some(Self {
                id: id?,
                credential: credential?,
            })
        })
    }
}
