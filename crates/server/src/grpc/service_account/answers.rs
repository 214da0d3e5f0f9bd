//! What comes of ServiceAccountService's commands, as messages.

use countersign_domain::model::{
    ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialKind as Kind,
    ServiceAccountPageToken,
};
use countersign_domain::use_cases::{CreatedServiceAccountSecret, ListedServiceAccounts};
use countersign_proto::v1;

use crate::grpc::convert::timestamp;

pub(super) fn account(account: ServiceAccount) -> v1::ServiceAccount {
    let grants = &account.grants;
    v1::ServiceAccount {
        service_account_id: account.id.to_string(),
        group_id: account.group.as_str().to_owned(),
        disabled: account.is_disabled,
        roles: grants.roles.iter().map(ToString::to_string).collect(),
        scopes: grants.scopes.iter().map(ToString::to_string).collect(),
        credentials: account.credentials.iter().map(credential).collect(),
        etag: account.etag(),
        create_time: timestamp(account.created_at),
        update_time: timestamp(account.updated_at),
        audiences: account.grants.audiences,
        display_name: account.display_name,
        description: account.description,
    }
}

pub(super) fn listed(listed: ListedServiceAccounts) -> v1::ListServiceAccountsResponse {
    let next = listed.next.map(ServiceAccountPageToken::encode);
    v1::ListServiceAccountsResponse {
        service_accounts: listed.accounts.into_iter().map(account).collect(),
        next_page_token: next.unwrap_or_default(),
    }
}

pub(super) fn secret(
    created: &CreatedServiceAccountSecret,
) -> v1::CreateServiceAccountSecretResponse {
    v1::CreateServiceAccountSecretResponse {
        secret: created.secret.expose().to_owned(),
        credential: Some(credential(&created.credential)),
    }
}

pub(super) fn credential(credential: &ServiceAccountCredential) -> v1::ServiceAccountCredential {
    let (kind, key) = match &credential.kind {
        Kind::Secret(_) => (v1::ServiceAccountCredentialKind::Secret, None),
        Kind::Key(key) => (v1::ServiceAccountCredentialKind::Key, Some(key)),
        Kind::Unreadable => (v1::ServiceAccountCredentialKind::Unspecified, None),
    };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    v1::ServiceAccountCredential {
        credential_id: credential.id.to_string(),
        kind: kind.into(),
        key_id: text(key.map(|key| key.kid())),
        algorithm: text(key.map(|key| key.algorithm().as_str())),
        create_time: timestamp(credential.created_at),
        expire_time: credential.expires_at.and_then(timestamp),
    }
}
