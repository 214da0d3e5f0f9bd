//! The section `[smtp]`.

use countersign_delivery::{Smtp, SmtpAddress};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;
use crate::config::serde_formats::{masked, optional};

/// `[smtp]`: mail by a mail server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpConfig {
    /// `smtps://host` or `smtp://host`, which means STARTTLS.
    #[serde(deserialize_with = "optional")]
    pub url: Option<ServiceUrl>,
    /// The user name, where the server wants one.
    #[serde(deserialize_with = "optional")]
    pub username: Option<String>,
    /// Its password.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub password: Option<SecretString>,
    /// Who the mail is from.
    #[serde(deserialize_with = "optional")]
    pub from: Option<String>,
}

impl SmtpConfig {
    /// The settings that are missing.
    pub(in crate::config) fn missing(&self) -> impl Iterator<Item = &'static str> {
        [
            ("smtp.url", self.url.is_none()),
            ("smtp.from", self.from.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, is_missing)| is_missing.then_some(key))
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        if let Some(Err(rule)) = self
            .url
            .as_ref()
            .map(|url| SmtpAddress::parse(url.expose()))
        {
            checks.refuse("smtp.url", rule);
        }
        if let Some(Err(rule)) = self.from.as_ref().map(|from| Smtp::mailbox(from)) {
            checks.refuse("smtp.from", rule);
        }
        checks.that(
            "smtp.password",
            self.username.is_none() || self.password.is_some(),
            "must be set too, as smtp.username is",
        );
        checks.that(
            "smtp.username",
            self.password.is_none() || self.username.is_some(),
            "must be set too, as smtp.password is",
        );
    }
}
