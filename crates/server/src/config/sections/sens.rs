//! The section `[sens]`.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::ServiceUrl;
use crate::config::checks::Checks;
use crate::config::serde_formats::{masked, optional};

/// `[sens]`: text messages by Naver Cloud SENS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensConfig {
    /// The API gateway; that of the clouds for government and finance is
    /// another.
    pub base_url: ServiceUrl,
    /// The id of the service for text messages.
    #[serde(deserialize_with = "optional")]
    pub service_id: Option<String>,
    /// The access key of the API.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub access_key: Option<SecretString>,
    /// The secret key of the API.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub secret_key: Option<SecretString>,
    /// The registered number that messages come from.
    #[serde(deserialize_with = "optional")]
    pub from: Option<String>,
}

impl Default for SensConfig {
    fn default() -> Self {
        Self {
            base_url: ServiceUrl::new("https://sens.apigw.ntruss.com".into()),
            service_id: None,
            access_key: None,
            secret_key: None,
            from: None,
        }
    }
}

impl SensConfig {
    /// The settings that are missing: for text messages, or for AlimTalk, which
    /// needs a number only where it falls back on one.
    pub(in crate::config) fn missing(
        &self,
        sends_sms: bool,
        needs_from: bool,
    ) -> impl Iterator<Item = &'static str> {
        [
            ("sens.service_id", sends_sms && self.service_id.is_none()),
            ("sens.access_key", self.access_key.is_none()),
            ("sens.secret_key", self.secret_key.is_none()),
            ("sens.from", needs_from && self.from.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, is_missing)| is_missing.then_some(key))
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        checks.is_posted_to("sens.base_url", &self.base_url);
        let is_id = |id: &String| {
            let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte);
            id.bytes().all(is_good)
        };
        checks.that(
            "sens.service_id",
            self.service_id.as_ref().is_none_or(is_id),
            "must be the id of a service such as ncp:sms:kr:000000000000:shop",
        );
        let is_key = |key: &SecretString| key.expose_secret().bytes().all(|b| b.is_ascii_graphic());
        checks.that(
            "sens.access_key",
            self.access_key.as_ref().is_none_or(is_key),
            "must be printable ASCII without spaces",
        );
        let is_number = |number: &String| {
            let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
            is_digits && (3..=15).contains(&number.len())
        };
        checks.that(
            "sens.from",
            self.from.as_ref().is_none_or(is_number),
            "must be a registered number in digits alone, such as 0215881588",
        );
    }
}
