//! Providers of sign-ins that authenticate whomever a code names.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::model::{
    AuthorizationRequest, AuthorizationResponse, NativeIdToken, Provider, ProviderEmail,
    ProviderEvent, ProviderEventKind, ProviderId, ProviderKind, ProviderNotification,
    ProviderSecret, ProviderSubject, ProviderUser, ResponseMode,
};
use crate::ports::{IdentityProviders, ProviderError};

/// Two providers, `trusted`, which answers for addresses, and `loose`, which does not. A code
/// `mina` is that of the subject `mina` with the address `mina@example.com`.
#[derive(Debug)]
pub struct FakeProviders {
    providers: Vec<Provider>,
    /// The same, of which the first has another issuer.
    moved: Vec<Provider>,
    is_moved: AtomicBool,
    is_down: AtomicBool,
    revoked: Mutex<Vec<String>>,
}

impl Default for FakeProviders {
    fn default() -> Self {
        let provider = |name: &str, response_mode| Provider {
            id: ProviderId::parse(name).expect("a name"),
            kind: ProviderKind::OpenIdConnect,
            display_name: name.to_uppercase(),
            issuer: issuer(name),
            response_mode,
        };
        let providers = vec![
            provider("trusted", ResponseMode::Query),
            provider("loose", ResponseMode::FormPost),
        ];
        let mut moved = providers.clone();
        moved[0].issuer = issuer("another");
        Self {
            providers,
            moved,
            is_moved: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            revoked: Mutex::default(),
        }
    }
}

impl FakeProviders {
    /// Lets them answer nothing, or answer again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Gives the name of the first, `trusted`, to another issuer, as a changed configuration does,
    /// or back.
    pub fn set_moved(&self, is_moved: bool) {
        self.is_moved.store(is_moved, Ordering::Relaxed);
    }

    /// The refresh tokens whose consents were taken back.
    pub fn take_revoked(&self) -> Vec<String> {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *revoked)
    }

    fn answer<T>(&self, value: T) -> Result<T, ProviderError> {
        match self.is_down.load(Ordering::Relaxed) {
            true => Err(ProviderError::Unavailable("it is down".into())),
            false => Ok(value),
        }
    }
}

/// Whom a text names.
fn user(provider: &ProviderId, name: &str) -> Result<ProviderUser, ProviderError> {
    if name == "forged" {
        return Err(ProviderError::Rejected("it is forged".into()));
    }
    Ok(ProviderUser {
        subject: subject(provider, name),
        email: Some(ProviderEmail {
            address: format!("{name}@example.com"),
            is_verified: provider.as_str() == "trusted",
        }),
        name: Some(name.into()),
        locale: None,
        refresh_token: Some(ProviderSecret::new(format!("refresh-{name}"))),
    })
}

fn issuer(name: &str) -> String {
    format!("https://{name}.example")
}

fn subject(provider: &ProviderId, name: &str) -> ProviderSubject {
    ProviderSubject {
        issuer: issuer(provider.as_str()),
        subject: name.into(),
    }
}

#[async_trait]
impl IdentityProviders for FakeProviders {
    fn providers(&self) -> &[Provider] {
        match self.is_moved.load(Ordering::Relaxed) {
            true => &self.moved,
            false => &self.providers,
        }
    }

    async fn authorization_url(
        &self,
        provider: &ProviderId,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError> {
        self.answer(format!(
            "https://{provider}.example?state={}",
            request.state
        ))
    }

    async fn exchange(
        &self,
        provider: &ProviderId,
        response: &AuthorizationResponse,
    ) -> Result<ProviderUser, ProviderError> {
        self.answer(())?;
        user(provider, response.code.expose())
    }

    async fn verify_id_token(
        &self,
        provider: &ProviderId,
        token: &NativeIdToken,
    ) -> Result<ProviderUser, ProviderError> {
        self.answer(())?;
        user(provider, token.id_token.expose())
    }

    async fn read_notification(
        &self,
        provider: &ProviderId,
        notification: &ProviderNotification,
    ) -> Result<Option<ProviderEvent>, ProviderError> {
        let body = String::from_utf8_lossy(&notification.body).into_owned();
        let (what, name) = body.split_once(' ').unwrap_or((&body, ""));
        let kind = match what {
            "revoked" => ProviderEventKind::ConsentRevoked,
            "deleted" => ProviderEventKind::AccountDeleted,
            "sessions" => ProviderEventKind::SessionsRevoked,
            "ping" => return Ok(None),
            _ => return Err(ProviderError::Rejected("it is not ours".into())),
        };
        Ok(Some(ProviderEvent {
            subject: subject(provider, name),
            kind,
            id: body.clone(),
            at: None,
        }))
    }

    async fn revoke(&self, _: &ProviderId, refresh_token: &str) -> Result<(), ProviderError> {
        self.answer(())?;
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.push(refresh_token.into());
        Ok(())
    }
}
