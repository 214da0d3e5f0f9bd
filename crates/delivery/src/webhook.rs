//! A signed webhook in the form of Standard Webhooks (standardwebhooks.com): the
//! way to every provider that has no adapter here.

mod signature;

use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::ports::Clock;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use secrecy::SecretString;
use serde_json::{Value, json};

use self::signature::Secret;
pub use self::signature::SecretError;
use crate::http::{Answer, HttpClient};
use crate::outgoing::{Channel, Enclosed, Outgoing, Words};
use crate::provider::{Accepted, Progress, Provider, ProviderError};
use crate::tls::Authorities;

/// Where the webhook is, and how it is signed.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// `https://…`.
    pub url: String,
    /// `whsec_…`: each signs, so that a new one can take over from the old.
    pub secrets: Vec<SecretString>,
}

/// Posts messages to a webhook.
pub struct Webhook {
    url: Uri,
    secrets: Vec<Secret>,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// A sender to this webhook.
    ///
    /// # Errors
    /// If a secret is none, or the URL.
    pub fn new(
        settings: &WebhookSettings,
        authorities: Authorities,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SecretError> {
        let secrets = settings.secrets.iter().map(Secret::read);
        Ok(Self {
            url: settings.url.parse().map_err(|_| SecretError::Url)?,
            secrets: secrets.collect::<Result<_, _>>()?,
            client: HttpClient::new(authorities),
            clock,
        })
    }

    /// Whether a text is a secret of webhooks.
    ///
    /// # Errors
    /// What a secret must look like.
    pub fn check_secret(secret: &SecretString) -> Result<(), SecretError> {
        Secret::read(secret).map(|_| ())
    }

    fn headers(&self, id: &str, body: &str) -> Result<HeaderMap, ProviderError> {
        let timestamp = self.clock.now().as_seconds().to_string();
        let sign = |secret: &Secret| secret.sign(id, &timestamp, body);
        let signatures: Vec<_> = self.secrets.iter().map(sign).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signatures.join(" ")),
        ] {
            let value = HeaderValue::from_str(value)
                .map_err(|_| ProviderError::refused("cannot be asked", ""))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

#[async_trait]
impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        // The same at each try, so that the receiver can tell a repetition.
        let id = format!("msg_{}", message.id);
        let body = payload(message).to_string();
        let headers = self.headers(&id, &body)?;
        read(&self.client.post(&self.url, headers, body, progress).await?)
    }
}

/// The payload. Fields may be added.
fn payload(message: &Outgoing) -> Value {
    let mut data = json!({
        "channel": Channel::to(&message.to).as_str(),
        "to": message.to.as_str(),
        "locale": message.locale.tag(),
        "name": message.name.as_str(),
    });
    match &message.words {
        Words::Sms { text, .. } => data["text"] = json!(text),
        Words::Email {
            subject,
            text,
            html,
        } => {
            data["subject"] = json!(subject);
            data["text"] = json!(text);
            data["html"] = json!(html);
        }
    }
    if let Some(code) = message.secret.as_ref().and_then(Enclosed::code) {
        data["code"] = json!(code);
    }
    if let Some(link) = message.secret.as_ref().and_then(Enclosed::link) {
        data["link"] = json!(link);
    }
    if let Some(expires_at) = message.expires_at {
        data["expires_at"] = json!(expires_at.as_seconds());
    }
    json!({ "type": "message.send", "data": data })
}

/// What the answer says of the message. 2xx: it was taken. 500, 502 and 504, and
/// what is cut off: nobody knows. All others: it was not; 400, 410 and 422 say
/// that it never will be.
fn read(answer: &Answer) -> Result<Accepted, ProviderError> {
    let status = answer.status;
    let why = format!("answered {}", status.as_u16());
    let said = answer.body.as_str();
    match status {
        status if status.is_success() => Ok(Accepted(why)),
        StatusCode::BAD_REQUEST | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY => {
            Err(ProviderError::rejected(why, said))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(ProviderError::refused_for(why, said, answer.retry_after))
        }
        status if status.is_client_error() || status.is_redirection() => {
            Err(ProviderError::refused(why, said))
        }
        _ => Err(ProviderError::unknown(why, said)),
    }
}
