//! What is known of Google, Apple, Kakao and Naver: their issuers, which are pinned, and where they
//! are asked; and how any other issuer is found.

use countersign_domain::model::ProviderKind;

use crate::metadata::{ClientAuthentication, Metadata, allowed};
use crate::url::Url;

/// Google's issuer, and what its tokens also say (Google, "Verify the Google ID token").
const GOOGLE: &str = "https://accounts.google.com";
const GOOGLE_ALSO: &str = "accounts.google.com";
const GOOGLE_DISCOVERY: &str = "https://accounts.google.com/.well-known/openid-configuration";
/// Where Google says with which keys it signs what it tells of accounts.
pub(crate) const GOOGLE_EVENTS: &str = "https://accounts.google.com/.well-known/risc-configuration";

const APPLE: &str = "https://appleid.apple.com";
const APPLE_AUTHORIZATION: &str = "https://appleid.apple.com/auth/authorize";
const APPLE_TOKEN: &str = "https://appleid.apple.com/auth/token";
const APPLE_KEYS: &str = "https://appleid.apple.com/auth/keys";
const APPLE_REVOCATION: &str = "https://appleid.apple.com/auth/revoke";

const KAKAO: &str = "https://kauth.kakao.com";
const KAKAO_DISCOVERY: &str = "https://kauth.kakao.com/.well-known/openid-configuration";

const NAVER: &str = "https://nid.naver.com";
const NAVER_AUTHORIZATION: &str = "https://nid.naver.com/oauth2.0/authorize";
const NAVER_TOKEN: &str = "https://nid.naver.com/oauth2.0/token";
const NAVER_PROFILE: &str = "https://openapi.naver.com/v1/nid/me";

/// An issuer, and how it is found.
pub(crate) struct Preset {
    /// All that its tokens may say; the first is the name of its people here.
    pub(crate) issuers: Vec<String>,
    pub(crate) source: Source,
}

/// Where a provider's metadata come from.
pub(crate) enum Source {
    /// Its own document.
    Discovery(Url),
    /// Its manual.
    Fixed(Box<Metadata>),
}

impl Preset {
    /// Of this kind; `issuer` is another issuer's, and has been checked.
    pub(crate) fn of(
        kind: ProviderKind,
        issuer: Option<&str>,
        is_plain_allowed: bool,
    ) -> Option<Self> {
        let discovery =
            |text: &str| Some(Source::Discovery(Url::parse(text, is_plain_allowed).ok()?));
        let (issuers, source) = match kind {
            ProviderKind::Google => (vec![GOOGLE, GOOGLE_ALSO], discovery(GOOGLE_DISCOVERY)?),
            ProviderKind::Apple => (vec![APPLE], Source::Fixed(Box::new(apple()?))),
            ProviderKind::Kakao => (vec![KAKAO], discovery(KAKAO_DISCOVERY)?),
            ProviderKind::Naver => (vec![NAVER], Source::Fixed(Box::new(naver()?))),
            ProviderKind::OpenIdConnect => {
                let issuer = issuer?;
                let base = issuer.strip_suffix('/').unwrap_or(issuer);
                let text = format!("{base}/.well-known/openid-configuration");
                (vec![issuer], discovery(&text)?)
            }
        };
        Some(Self {
            issuers: issuers.into_iter().map(str::to_owned).collect(),
            source,
        })
    }
}

/// Apple's discovery has named another issuer than its tokens for a while, so it is not asked.
fn apple() -> Option<Metadata> {
    Some(Metadata {
        authorization_endpoint: known(APPLE_AUTHORIZATION)?,
        token_endpoint: known(APPLE_TOKEN)?,
        jwks_uri: Some(known(APPLE_KEYS)?),
        userinfo_endpoint: None,
        revocation_endpoint: Some(known(APPLE_REVOCATION)?),
        sends_issuer: false,
        has_pkce: true,
        client_authentication: ClientAuthentication::Post,
        algorithms: allowed(&[]),
    })
}

/// Naver's OAuth 2.0, without ID tokens and PKCE.
fn naver() -> Option<Metadata> {
    Some(Metadata {
        authorization_endpoint: known(NAVER_AUTHORIZATION)?,
        token_endpoint: known(NAVER_TOKEN)?,
        jwks_uri: None,
        userinfo_endpoint: Some(known(NAVER_PROFILE)?),
        revocation_endpoint: None,
        sends_issuer: false,
        has_pkce: false,
        client_authentication: ClientAuthentication::Post,
        algorithms: Vec::new(),
    })
}

fn known(text: &str) -> Option<Url> {
    Url::parse(text, false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_issuer_and_a_place_to_ask() {
        for (kind, issuer) in [
            (ProviderKind::Google, GOOGLE),
            (ProviderKind::Apple, APPLE),
            (ProviderKind::Kakao, KAKAO),
            (ProviderKind::Naver, NAVER),
        ] {
            let preset = Preset::of(kind, None, false).unwrap();
            assert_eq!(preset.issuers[0], issuer);
        }
        assert!(Url::parse(GOOGLE_EVENTS, false).is_ok());
    }

    #[test]
    fn the_document_of_an_issuer_is_below_it() {
        for issuer in ["https://id.example/a", "https://id.example/a/"] {
            let preset = Preset::of(ProviderKind::OpenIdConnect, Some(issuer), false).unwrap();
            assert_eq!(preset.issuers, [issuer]);
            let Source::Discovery(url) = preset.source else {
                panic!("it is discovered")
            };
            let expected = "https://id.example/a/.well-known/openid-configuration";
            assert_eq!(url.as_str(), expected);
        }
    }
}
