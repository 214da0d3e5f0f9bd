//! What is remembered of a sign-in at a provider: in the browser, since the gateway keeps nothing. What counts of it is
//! sealed by the service; the rest is shown, or leads on.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_client::proto::FederatedAccount;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cookies;

/// While the person is at the provider.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SignInCookie {
    pub(super) federated_sign_in: String,
    pub(super) provider: String,
    pub(super) return_to: String,
    /// Whether it links the account to the person who is signed in.
    pub(super) links: bool,
}

/// While an account at a provider is linked to nobody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccountCookie {
    pub(super) federation_token: String,
    /// What people call the provider.
    pub(super) provider: String,
    pub(super) email: String,
    pub(super) is_email_verified: bool,
    pub(super) return_to: String,
}

impl SignInCookie {
    /// As long as the service takes it.
    const LIFETIME: Duration = Duration::from_secs(10 * 60);

    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        read(headers, cookies::FEDERATED)
    }

    pub(super) fn set(&self, headers: &mut HeaderMap) {
        set(headers, cookies::FEDERATED, self, Self::LIFETIME);
    }

    pub(super) fn clear(headers: &mut HeaderMap) {
        cookies::set(headers, cookies::FEDERATED, "", "/", Duration::ZERO);
    }
}

impl AccountCookie {
    /// As long as the service takes it.
    const LIFETIME: Duration = Duration::from_secs(30 * 60);

    pub(super) fn new(account: FederatedAccount, provider: String, return_to: String) -> Self {
        Self {
            federation_token: account.federation_token,
            provider,
            email: account.email,
            is_email_verified: account.is_email_verified,
            return_to,
        }
    }

    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        read(headers, cookies::ACCOUNT)
    }

    pub(super) fn set(&self, headers: &mut HeaderMap) {
        set(headers, cookies::ACCOUNT, self, Self::LIFETIME);
    }

    pub(super) fn clear(headers: &mut HeaderMap) {
        cookies::set(headers, cookies::ACCOUNT, "", "/", Duration::ZERO);
    }
}

fn read<T: DeserializeOwned>(headers: &HeaderMap, name: &str) -> Option<T> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(cookies::read(headers, name)?);
    serde_json::from_slice(&json.ok()?).ok()
}

fn set(headers: &mut HeaderMap, name: &str, value: &impl Serialize, age: Duration) {
    let json = serde_json::to_vec(value).expect("texts are JSON");
    let value = BASE64_URL_SAFE_NO_PAD.encode(json);
    cookies::set(headers, name, &value, "/", age);
}
