//! The section `[alimtalk]`.

use countersign_delivery::AlimTalkTemplate;
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::optional;

/// `[alimtalk]`: Kakao's AlimTalk by Naver Cloud SENS, with the keys of `[sens]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlimTalkConfig {
    /// The id of the Biz Message service.
    #[serde(deserialize_with = "optional")]
    pub service_id: Option<String>,
    /// The channel, such as `@shop`.
    #[serde(deserialize_with = "optional")]
    pub plus_friend_id: Option<String>,
    /// The approved templates, as `sign_up.ko=CODE`.
    pub template_codes: Vec<String>,
    /// Whether SENS sends a text message where AlimTalk fails.
    pub sms_failover: bool,
}

impl Default for AlimTalkConfig {
    fn default() -> Self {
        Self {
            service_id: None,
            plus_friend_id: None,
            template_codes: Vec::new(),
            sms_failover: true,
        }
    }
}

impl AlimTalkConfig {
    /// The settings that are missing.
    pub(in crate::config) fn missing(&self) -> impl Iterator<Item = &'static str> {
        [
            ("alimtalk.service_id", self.service_id.is_none()),
            ("alimtalk.plus_friend_id", self.plus_friend_id.is_none()),
            ("alimtalk.template_codes", self.template_codes.is_empty()),
        ]
        .into_iter()
        .filter_map(|(key, is_missing)| is_missing.then_some(key))
    }

    /// The approved templates.
    pub(crate) fn templates(&self) -> Vec<AlimTalkTemplate> {
        let codes = self.template_codes.iter();
        codes
            .filter_map(|text| AlimTalkTemplate::parse(text))
            .collect()
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        let is_id = |id: &String| {
            let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte);
            id.bytes().all(is_good)
        };
        checks.that(
            "alimtalk.service_id",
            self.service_id.as_ref().is_none_or(is_id),
            "must be the id of a service such as ncp:kkobizmsg:kr:0000000:shop",
        );
        checks.that(
            "alimtalk.template_codes",
            self.templates().len() == self.template_codes.len(),
            "must be of messages, languages and codes, such as sign_up.ko=SIGNUP01",
        );
    }
}
