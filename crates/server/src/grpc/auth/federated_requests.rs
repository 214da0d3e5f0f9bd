//! AuthService's messages about sign-ins at providers.

use countersign_domain::model::{NativeIdToken, ProviderSecret};
use countersign_domain::use_cases::{BeginFederatedSignIn, FederatedProof};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_token::MAX_TOKEN_BYTES;

use crate::grpc::convert;
use crate::grpc::federation::{callback, provider, sealed};
use crate::grpc::rpc_runner::Asked;

/// The most bytes of a redirect URI.
const LONGEST_URI: usize = 512;

impl TryFrom<Asked<'_, v1::BeginFederatedSignInRequest>> for BeginFederatedSignIn {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::BeginFederatedSignInRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let provider = provider(&mut fields, "provider", &message.provider);
        let redirect_uri = fields.take("redirect_uri", redirect_uri(message.redirect_uri));
        // Nothing is charged to it; what is wrong with it is told all the same.
        convert::client(&mut fields, message.client_context);
        let access_token = message.access_token;
        fields.finish(|| {
            Some(Self {
                group: group?,
                client_id: call.caller.name.clone(),
                provider: provider?,
                redirect_uri: redirect_uri?,
                access_token: Some(access_token).filter(|token| !token.is_empty()),
                locale: call.locale,
            })
        })
    }
}

fn redirect_uri(text: String) -> Result<String, &'static str> {
    const RULE: &str =
        "must be https://…, or http:// on loopback, of at most 512 bytes and without a fragment";
    let uri: http::Uri = text.parse().map_err(|_| RULE)?;
    let authority = uri.authority().ok_or(RULE)?;
    let host = authority.host().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback,
        _ => false,
    };
    let is_plain = !text.contains(['#', ' ', '\\']) && !authority.as_str().contains('@');
    match is_secure && is_plain && text.len() <= LONGEST_URI {
        true => Ok(text),
        false => Err(RULE),
    }
}

/// What shows an account at a provider, of those grants that do.
pub(super) fn proof(
    fields: &mut Fields,
    grant: v1::issue_tokens_request::Grant,
) -> Option<FederatedProof> {
    use v1::issue_tokens_request::Grant;
    match grant {
        Grant::Federated(message) => callback(fields, "federated", message)
            .map(|callback| FederatedProof::Callback(Box::new(callback))),
        Grant::IdToken(message) => id_token(fields, message),
        Grant::FederationToken(text) => {
            sealed(fields, "federation_token", text).map(FederatedProof::Token)
        }
        _ => None,
    }
}

fn id_token(fields: &mut Fields, message: v1::IdTokenGrant) -> Option<FederatedProof> {
    let provider = provider(fields, "id_token.provider", &message.provider);
    let id_token = match message.id_token.len() {
        1..=MAX_TOKEN_BYTES => Ok(message.id_token),
        _ => Err("must be a JWT of at most 8192 bytes"),
    };
    let id_token = fields.take("id_token.id_token", id_token);
    let short = |text: String| match text.len() {
        0..=4096 => Ok(Some(text).filter(|text| !text.is_empty())),
        _ => Err("must have at most 4096 bytes"),
    };
    let nonce = fields.take("id_token.nonce", short(message.nonce));
    let user = fields.take("id_token.user", short(message.user));
    let token = NativeIdToken {
        id_token: ProviderSecret::new(id_token?),
        nonce: nonce?,
        user: user?,
    };
    Some(FederatedProof::IdToken(provider?, Box::new(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_https_or_on_loopback() {
        for text in [
            "https://login.example/login/google/callback",
            "http://127.0.0.1:8080/callback",
            "http://localhost:8080/callback?a=b",
            "http://[::1]:8080/callback",
        ] {
            assert_eq!(redirect_uri(text.to_owned()).as_deref(), Ok(text));
        }
        let long = format!("https://login.example/{}", "a".repeat(500));
        for text in [
            "",
            "/callback",
            "http://login.example/callback",
            "http://127.0.0.1.example/callback",
            "https://mina@login.example/callback",
            "https://login.example/callback#fragment",
            "app:/callback",
            "javascript:alert(1)",
            &long,
        ] {
            assert!(redirect_uri(text.to_owned()).is_err(), "{text}");
        }
    }
}
