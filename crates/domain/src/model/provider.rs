//! Providers of sign-ins (Google, Apple, Kakao, Naver, any OpenID Connect issuer), and whom they
//! tell of.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{Locale, Timestamp};

/// The name of a provider in the configuration and in addresses: 1 to 32 lower-case letters,
/// digits and hyphens, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderId(String);

/// Why a text names no provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 lower-case letters, digits and hyphens, a letter first")]
pub struct ProviderIdError;

/// A provider as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the configuration.
    pub id: ProviderId,
    /// What it is.
    pub kind: ProviderKind,
    /// What people call it: `Google`.
    pub display_name: String,
    /// The issuer, as the accounts of its people name it.
    pub issuer: String,
    /// How it sends the browser back.
    pub response_mode: ResponseMode,
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// Google.
    Google,
    /// Apple.
    Apple,
    /// Kakao.
    Kakao,
    /// Naver.
    Naver,
    /// Any other OpenID Connect issuer.
    OpenIdConnect,
}

/// How a provider sends the browser back (OAuth 2.0 Multiple Response Type Encoding Practices, 2.1;
/// OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// With a GET, in the query.
    Query,
    /// With a POST from its own page: cookies that are `SameSite=Lax` do not come along.
    FormPost,
}

/// Whom a provider has authenticated: nothing else names a person there. Compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProviderSubject {
    /// `iss`, as the provider is configured: never as it was sent.
    pub issuer: String,
    /// `sub`, 1 to 255 bytes.
    pub subject: String,
}

/// What a provider told of a person whom it has authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUser {
    /// Who it is.
    pub subject: ProviderSubject,
    /// The person's e-mail address, as it was sent.
    pub email: Option<ProviderEmail>,
    /// The person's name, at most 128 characters.
    pub name: Option<String>,
    /// The person's language.
    pub locale: Option<Locale>,
    /// What revokes the provider's consent, where that takes a token of its own (Apple).
    pub refresh_token: Option<ProviderSecret>,
}

/// An e-mail address that a provider told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderEmail {
    /// The address.
    pub address: String,
    /// Whether the provider answers for it now being the person's: it keeps the mailbox itself, or
    /// has verified it and is configured to be believed.
    pub is_verified: bool,
}

/// A code, a verifier or a token of a provider. Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ProviderSecret(Zeroizing<String>);

/// Where and for what a browser is sent to a provider.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Where it is to come back.
    pub redirect_uri: String,
    /// Tells this sign-in from all others; comes back as it is.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// PKCE (RFC 7636): the challenge is its SHA-256. 43 to 128 unreserved characters.
    pub code_verifier: ProviderSecret,
    /// The language of the person.
    pub locale: Locale,
}

/// What a provider sent back with the browser, and what it has to fit.
#[derive(Clone, Debug)]
pub struct AuthorizationResponse {
    /// The code.
    pub code: ProviderSecret,
    /// `iss` (RFC 9207), if it came.
    pub issuer: Option<String>,
    /// Apple's `user`, a JSON text with a name, at the first consent.
    pub user: Option<String>,
    /// As in the request.
    pub redirect_uri: String,
    /// As in the request.
    pub state: String,
    /// As in the request.
    pub nonce: String,
    /// As in the request.
    pub code_verifier: ProviderSecret,
}

/// An ID token that an app has got from a provider by itself.
#[derive(Clone, Debug)]
pub struct NativeIdToken {
    /// The token.
    pub id_token: ProviderSecret,
    /// The nonce that the app made: the token has it, or its SHA-256 in lower-case hexadecimal. If
    /// there is none, the token has none either.
    pub nonce: Option<String>,
    /// Apple's `user`, as above.
    pub user: Option<String>,
}

/// A message that a provider sent by itself, as it came over HTTP.
#[derive(Clone, Debug)]
pub struct ProviderNotification {
    /// `Content-Type`.
    pub content_type: String,
    /// `Authorization`.
    pub authorization: String,
    /// The query of the address.
    pub query: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What a provider's message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEvent {
    /// Of whom.
    pub subject: ProviderSubject,
    /// What happened.
    pub kind: ProviderEventKind,
    /// Tells it from others: a repeated message has the same.
    pub id: String,
    /// When, by the provider.
    pub at: Option<Timestamp>,
}

/// What happened at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEventKind {
    /// The person has taken the consent back.
    ConsentRevoked,
    /// The account there is gone.
    AccountDeleted,
    /// The account there was taken over, locked, or its sessions were ended.
    SessionsRevoked,
}

impl ProviderId {
    /// Reads one.
    ///
    /// # Errors
    /// [`ProviderIdError`].
    pub fn parse(text: &str) -> Result<Self, ProviderIdError> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        match begins && text.len() <= 32 && text.bytes().all(is_name) {
            true => Ok(Self(text.to_owned())),
            false => Err(ProviderIdError),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Provider {
    /// Whether the browser comes back with a POST from a page of the provider.
    #[must_use]
    pub fn is_form_post(&self) -> bool {
        self.response_mode == ResponseMode::FormPost
    }
}

impl ProviderSecret {
    /// A secret with this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for ProviderSecret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<ProviderSecret> for String {
    fn from(secret: ProviderSecret) -> Self {
        (*secret.0).clone()
    }
}

impl fmt::Debug for ProviderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderSecret(..)")
    }
}

impl TryFrom<String> for ProviderId {
    type Error = ProviderIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ProviderId> for String {
    fn from(id: ProviderId) -> Self {
        id.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_a_name_that_fits_into_an_address() {
        for text in ["google", "a", "corp-2"] {
            assert_eq!(ProviderId::parse(text).unwrap().as_str(), text);
        }
        let long = "a".repeat(33);
        for text in ["", "Google", "2nd", "-a", "a/b", "a b", "구글", &long] {
            assert_eq!(ProviderId::parse(text), Err(ProviderIdError), "{text}");
        }
    }
}
