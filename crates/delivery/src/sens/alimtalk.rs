//! Kakao's AlimTalk (`sens-alimtalk-send`), with a text message where the person
//! cannot be reached by it. What it says must be as the approved template has
//! it: messages without one are left to the next provider.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::model::{Address, Locale};
use countersign_domain::ports::Clock;
use serde::Serialize;

use super::answer;
use super::gateway::{Gateway, SensKeys};
use super::sms::{kind, number};
use crate::outgoing::{MessageName, Outgoing, Words};
use crate::provider::{Accepted, Progress, Provider, ProviderError};
use crate::tls::Authorities;

/// The Biz Message service, its channel and its templates.
#[derive(Debug, Clone)]
pub struct AlimTalkSettings {
    /// Where SENS is, and who asks.
    pub keys: SensKeys,
    /// Such as `ncp:kkobizmsg:kr:0000000:shop`.
    pub service_id: String,
    /// The channel: `@shop`.
    pub plus_friend_id: String,
    /// The approved templates.
    pub templates: Vec<AlimTalkTemplate>,
    /// The number of text messages where AlimTalk fails. `None`: there are none.
    pub failover_from: Option<String>,
}

/// An approved template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlimTalkTemplate {
    /// The message that it is.
    pub name: MessageName,
    /// Its language.
    pub locale: Locale,
    /// Its code at Kakao.
    pub code: String,
}

/// Sends messages by AlimTalk.
pub struct AlimTalk {
    plus_friend_id: String,
    codes: HashMap<(&'static str, &'static str), String>,
    failover_from: Option<String>,
    gateway: Gateway,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    plus_friend_id: &'a str,
    template_code: &'a str,
    messages: [Recipient<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    country_code: &'a str,
    to: String,
    content: &'a str,
    use_sms_failover: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failover_config: Option<Failover<'a>>,
}

#[derive(Serialize)]
struct Failover<'a> {
    r#type: &'static str,
    from: &'a str,
    content: &'a str,
}

impl AlimTalkTemplate {
    /// Reads `sign_up.ko=CODE`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (message, code) = text.split_once('=')?;
        let (name, locale) = message.split_once('.')?;
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if code.is_empty() || !code.bytes().all(is_good) {
            return None;
        }
        let mut names = MessageName::ALL.into_iter();
        let locales = [Locale::English, Locale::Korean];
        Some(Self {
            name: names.find(|known| known.as_str() == name)?,
            locale: locales.into_iter().find(|known| known.tag() == locale)?,
            code: code.into(),
        })
    }

    /// The file with its text in the folder of templates.
    #[must_use]
    pub fn file(&self) -> String {
        let (name, locale) = (self.name.as_str(), self.locale.tag());
        format!("alimtalk.{name}.{locale}.txt")
    }
}

impl AlimTalk {
    /// A sender for this service. `None` if its URL is none.
    #[must_use]
    pub fn new(
        settings: AlimTalkSettings,
        authorities: Authorities,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let path = format!("/alimtalk/v2/services/{}/messages", settings.service_id);
        let templates = settings.templates.into_iter();
        Some(Self {
            plus_friend_id: settings.plus_friend_id,
            codes: templates
                .map(|template| {
                    let message = (template.name.as_str(), template.locale.tag());
                    (message, template.code)
                })
                .collect(),
            failover_from: settings.failover_from,
            gateway: Gateway::new(settings.keys, path, authorities, clock)?,
        })
    }

    /// The code of the template, of a message that has one and its text.
    fn template_code(&self, message: &Outgoing) -> Option<&String> {
        match &message.words {
            Words::Sms { alimtalk, .. } => {
                let name = (message.name.as_str(), message.locale.tag());
                self.codes.get(&name).filter(|_| alimtalk.is_some())
            }
            Words::Email { .. } => None,
        }
    }
}

#[async_trait]
impl Provider for AlimTalk {
    fn name(&self) -> &'static str {
        "alimtalk"
    }

    fn takes(&self, message: &Outgoing) -> bool {
        self.template_code(message).is_some()
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        let (Address::Phone(phone), Words::Sms { text, alimtalk }) = (&message.to, &message.words)
        else {
            return Err(ProviderError::rejected("sends to phone numbers only", ""));
        };
        let code = self.template_code(message);
        let (Some(template_code), Some(content)) = (code, alimtalk) else {
            return Err(ProviderError::rejected(
                "has no template for this message",
                "",
            ));
        };
        let country_code = phone.calling_code();
        let kind = kind(text, country_code);
        let failover = self.failover_from.as_deref().zip(kind);
        let failover = failover.map(|(from, kind)| Failover {
            r#type: kind,
            from,
            content: text,
        });
        let request = Request {
            plus_friend_id: &self.plus_friend_id,
            template_code,
            messages: [Recipient {
                country_code,
                to: number(phone.as_str(), country_code),
                content,
                use_sms_failover: failover.is_some(),
                failover_config: failover,
            }],
        };
        answer::read_alimtalk(&self.gateway.post(&request, progress).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_named_by_message_language_and_code() {
        let read = AlimTalkTemplate::parse("sign_up.ko=SIGNUP-01").expect("a template");
        assert_eq!(
            (read.name, read.locale),
            (MessageName::SignUp, Locale::Korean)
        );
        assert_eq!(read.file(), "alimtalk.sign_up.ko.txt");
        for text in [
            "sign_up=X",
            "sign_up.fr=X",
            "sing_up.ko=X",
            "sign_up.ko=",
            "sign_up.ko=a b",
        ] {
            assert_eq!(AlimTalkTemplate::parse(text), None, "{text}");
        }
    }
}
