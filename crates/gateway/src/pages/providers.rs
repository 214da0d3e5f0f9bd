//! The providers of sign-ins that pages offer.

use countersign_client::proto::{ListProvidersRequest, ProviderKind};

use super::visitor::Visitor;
use crate::url::query;

/// Another service that signs people in.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) icon: &'static str,
    pub(super) path: String,
}

/// The providers that a page offers; none if nobody can tell.
pub(super) async fn providers(visitor: &Visitor, place: &str) -> Vec<Provider> {
    let path = |provider: &str| format!("/login/with/{provider}?{}", query("return_to", place));
    listed(visitor, path).await
}

/// The same, to link an account. No other site can make such an address: it has the token of forms in it.
pub(super) async fn providers_to_link(visitor: &Visitor) -> Vec<Provider> {
    let token = query("csrf_token", &visitor.csrf.value);
    listed(visitor, |provider| {
        format!("/profile/accounts/with/{provider}?{token}")
    })
    .await
}

/// Those that there are, each with its way.
pub(super) async fn listed(visitor: &Visitor, path: impl Fn(&str) -> String) -> Vec<Provider> {
    let message = ListProvidersRequest {
        group_id: visitor.state.settings.group_id.clone(),
    };
    let mut federation = visitor.state.client.federation();
    let request = visitor.context.request(message);
    let Ok(answer) = federation.list_providers(request).await else {
        return Vec::new();
    };
    let providers = answer.into_inner().providers.into_iter();
    let providers = providers.map(|provider| Provider {
        icon: icon(provider.kind()),
        path: path(&provider.provider),
        name: provider.display_name,
    });
    providers.collect()
}

fn icon(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Google => "google",
        ProviderKind::Apple => "apple",
        ProviderKind::Kakao => "kakao",
        ProviderKind::Naver => "naver",
        ProviderKind::OpenidConnect | ProviderKind::Unspecified => "link",
    }
}
