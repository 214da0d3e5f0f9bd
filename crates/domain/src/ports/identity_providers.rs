//! The role of providers of sign-ins: they send people back with a code, which is exchanged for
//! whom they have authenticated.

use async_trait::async_trait;

use crate::model::{
    AuthorizationRequest, AuthorizationResponse, NativeIdToken, Provider, ProviderEvent,
    ProviderId, ProviderNotification, ProviderUser,
};

/// Speaks with providers. All that is checked about an answer of theirs is checked here: signature,
/// issuer, audience, times, nonce (OpenID Connect Core 1.0, 3.1.3.7), so that a person who is
/// returned was authenticated by that provider, for this client, in this sign-in.
#[async_trait]
pub trait IdentityProviders: Send + Sync {
    /// The providers, in the order of their names.
    fn providers(&self) -> &[Provider];

    /// Where a browser is to be sent.
    ///
    /// # Errors
    /// [`ProviderError`]: what the provider offers has to be read first.
    async fn authorization_url(
        &self,
        provider: &ProviderId,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError>;

    /// Exchanges the code that came back. A code is sent once; nothing is repeated.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn exchange(
        &self,
        provider: &ProviderId,
        response: &AuthorizationResponse,
    ) -> Result<ProviderUser, ProviderError>;

    /// Checks an ID token that an app has got for one of the audiences that are configured for
    /// that.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn verify_id_token(
        &self,
        provider: &ProviderId,
        token: &NativeIdToken,
    ) -> Result<ProviderUser, ProviderError>;

    /// Reads a message that a provider sent by itself; `None` for one that is genuine and asks for
    /// nothing.
    ///
    /// # Errors
    /// [`ProviderError`]: [`Rejected`](ProviderError::Rejected) for one that is not the provider's.
    async fn read_notification(
        &self,
        provider: &ProviderId,
        notification: &ProviderNotification,
    ) -> Result<Option<ProviderEvent>, ProviderError>;

    /// Takes the consent back at the provider, where that takes a refresh token (Apple). Repeating
    /// it does no harm.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn revoke(&self, provider: &ProviderId, refresh_token: &str)
    -> Result<(), ProviderError>;
}

/// Why a provider has told of nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No provider has this name.
    #[error("no provider is called {0}")]
    Unknown(ProviderId),
    /// It cannot be reached, does not answer in time, or answers that it cannot now.
    #[error("{0}")]
    Unavailable(String),
    /// What came is not good: forged, expired, for another client, or refused by the provider.
    #[error("{0}")]
    Rejected(String),
    /// The provider says that this client may not ask: a wrong secret, a wrong redirect URI. The
    /// operator has to mend that.
    #[error("{0}")]
    Misconfigured(String),
}
