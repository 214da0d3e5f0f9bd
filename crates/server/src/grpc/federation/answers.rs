//! What comes of FederationService's commands, as messages.

use countersign_domain::model::{Provider, ProviderKind};
use countersign_domain::use_cases::{ListedIdentity, UnlinkedAccount};
use countersign_proto::v1;

use crate::grpc::convert;

pub(super) fn providers(providers: &[Provider]) -> v1::ListProvidersResponse {
    let provider = |provider: &Provider| v1::Provider {
        provider: provider.id.to_string(),
        kind: kind(provider.kind).into(),
        display_name: provider.display_name.clone(),
    };
    v1::ListProvidersResponse {
        providers: providers.iter().map(provider).collect(),
    }
}

fn kind(kind: ProviderKind) -> v1::ProviderKind {
    match kind {
        ProviderKind::Google => v1::ProviderKind::Google,
        ProviderKind::Apple => v1::ProviderKind::Apple,
        ProviderKind::Kakao => v1::ProviderKind::Kakao,
        ProviderKind::Naver => v1::ProviderKind::Naver,
        ProviderKind::OpenIdConnect => v1::ProviderKind::OpenidConnect,
    }
}

pub(super) fn identity(listed: ListedIdentity) -> v1::FederatedIdentity {
    let identity = listed.identity;
    v1::FederatedIdentity {
        federated_identity_id: identity.id.to_string(),
        provider: identity.provider.to_string(),
        display_name: listed.display_name,
        masked_email: listed.masked_email.unwrap_or_default(),
        link_time: convert::timestamp(identity.linked_at),
        last_sign_in_time: identity.last_used_at.and_then(convert::timestamp),
    }
}

/// An account that is linked to nobody.
pub(in crate::grpc) fn unlinked(unlinked: &UnlinkedAccount) -> v1::FederatedAccount {
    let account = &unlinked.account;
    let email = account.email();
    v1::FederatedAccount {
        federation_token: unlinked.token.as_str().to_owned(),
        expire_time: convert::timestamp(unlinked.expires_at),
        provider: account.provider.to_string(),
        email: email
            .map(|email| email.as_str().to_owned())
            .unwrap_or_default(),
        is_email_verified: account.verified_email().is_some(),
        name: account.name.clone().unwrap_or_default(),
    }
}
