//! Posting to SENS: each request is signed with the keys of the API.

use std::sync::Arc;

use countersign_domain::ports::Clock;
use http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::signature;
use crate::http::{Answer, HttpClient};
use crate::provider::{Progress, ProviderError};
use crate::tls::Authorities;

/// Where SENS is, and who asks.
#[derive(Debug, Clone)]
pub struct SensKeys {
    /// `https://sens.apigw.ntruss.com`, or that of the clouds for government and
    /// finance.
    pub base_url: String,
    /// The access key of the API.
    pub access_key: SecretString,
    /// The secret key of the API.
    pub secret_key: SecretString,
}

/// One path of the API.
pub(super) struct Gateway {
    keys: SensKeys,
    /// The path, which is signed.
    path: String,
    url: Uri,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

impl Gateway {
    /// `None` if the URL is none.
    pub(super) fn new(
        keys: SensKeys,
        path: String,
        authorities: Authorities,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let base = keys.base_url.trim_end_matches('/');
        Some(Self {
            url: format!("{base}{path}").parse().ok()?,
            path,
            client: HttpClient::new(authorities),
            clock,
            keys,
        })
    }

    /// Posts a request as JSON.
    pub(super) async fn post(
        &self,
        request: &impl Serialize,
        progress: &Progress,
    ) -> Result<Answer, ProviderError> {
        let body = serde_json::to_string(request)
            .map_err(|_| ProviderError::rejected("cannot be written as JSON", ""))?;
        let headers = self.headers()?;
        self.client.post(&self.url, headers, body, progress).await
    }

    fn headers(&self) -> Result<HeaderMap, ProviderError> {
        let access_key = self.keys.access_key.expose_secret();
        let timestamp = self.clock.now().as_millis().to_string();
        let secret_key = self.keys.secret_key.expose_secret();
        let signature = signature::sign("POST", &self.path, &timestamp, access_key, secret_key);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ncp-apigw-timestamp", timestamp.as_str()),
            ("x-ncp-iam-access-key", access_key),
            ("x-ncp-apigw-signature-v2", &signature),
        ] {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| ProviderError::refused("has an access key of odd characters", ""))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}
