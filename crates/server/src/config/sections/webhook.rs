//! The section `[webhook]`.

use countersign_delivery::Webhook;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;
use crate::config::serde_formats::{masked, optional};

/// `[webhook]`: messages by a signed webhook (Standard Webhooks).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where messages are posted to.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
    /// `whsec_…`, which signs.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub secret: Option<SecretString>,
    /// The secret before that one, which signs too.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub old_secret: Option<SecretString>,
}

impl WebhookConfig {
    /// The settings that are missing.
    pub(in crate::config) fn missing(&self) -> impl Iterator<Item = &'static str> {
        [
            ("webhook.url", self.url.is_none()),
            ("webhook.secret", self.secret.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, is_missing)| is_missing.then_some(key))
    }

    /// The secrets that sign.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let secrets = [&self.secret, &self.old_secret];
        secrets.into_iter().flatten().cloned().collect()
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        if let Some(url) = &self.url {
            checks.is_posted_to("webhook.url", url);
        }
        for (key, secret) in [
            ("webhook.secret", &self.secret),
            ("webhook.old_secret", &self.old_secret),
        ] {
            if let Some(Err(rule)) = secret.as_ref().map(Webhook::check_secret) {
                checks.refuse(key, rule.to_string());
            }
        }
    }
}
