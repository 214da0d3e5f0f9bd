//! Text messages (`sens-sms-send`).

use std::sync::Arc;

use async_trait::async_trait;
use countersign_domain::model::Address;
use countersign_domain::ports::Clock;
use serde::Serialize;

use super::answer;
use super::gateway::{Gateway, SensKeys};
use crate::outgoing::{Outgoing, Words};
use crate::provider::{Accepted, Progress, Provider, ProviderError};
use crate::templates::{LONGEST_LMS, LONGEST_SMS, euc_kr_bytes};
use crate::tls::Authorities;

/// The service for text messages.
#[derive(Debug, Clone)]
pub struct SensSettings {
    /// Where SENS is, and who asks.
    pub keys: SensKeys,
    /// Such as `ncp:sms:kr:000000000000:shop`.
    pub service_id: String,
    /// The registered number that messages come from, in digits.
    pub from: String,
}

/// Sends text messages by SENS.
pub struct Sens {
    from: String,
    gateway: Gateway,
}

/// What SENS is asked. A text is not cut off: it was measured before.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    r#type: &'static str,
    content_type: &'static str,
    country_code: &'a str,
    from: &'a str,
    content: &'a str,
    messages: [Recipient; 1],
}

#[derive(Serialize)]
struct Recipient {
    to: String,
}

impl Sens {
    /// A sender for this service. `None` if its URL is none.
    #[must_use]
    pub fn new(
        settings: SensSettings,
        authorities: Authorities,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let path = format!("/sms/v2/services/{}/messages", settings.service_id);
        Some(Self {
            from: settings.from,
            gateway: Gateway::new(settings.keys, path, authorities, clock)?,
        })
    }
}

#[async_trait]
impl Provider for Sens {
    fn name(&self) -> &'static str {
        "sens"
    }

    fn takes(&self, message: &Outgoing) -> bool {
        match (&message.to, &message.words) {
            (Address::Phone(phone), Words::Sms { text, .. }) => {
                kind(text, phone.calling_code()).is_some()
            }
            _ => false,
        }
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        progress: &Progress,
    ) -> Result<Accepted, ProviderError> {
        let (Address::Phone(phone), Words::Sms { text, .. }) = (&message.to, &message.words) else {
            return Err(ProviderError::rejected("sends to phone numbers only", ""));
        };
        let country_code = phone.calling_code();
        let kind = kind(text, country_code).ok_or_else(|| {
            let why = "takes 90 bytes of EUC-KR at most, 2,000 within Korea";
            ProviderError::rejected(why, "")
        })?;
        let request = Request {
            r#type: kind,
            content_type: "COMM",
            country_code,
            from: &self.from,
            content: text,
            messages: [Recipient {
                to: number(phone.as_str(), country_code),
            }],
        };
        answer::read(&self.gateway.post(&request, progress).await?)
    }
}

/// As what a text is sent: `SMS`, or `LMS` if it is longer, which there is in
/// Korea alone. `None` if it is too long, or has what is not in EUC-KR.
pub(super) fn kind(text: &str, country_code: &str) -> Option<&'static str> {
    match euc_kr_bytes(text)? {
        length if length <= LONGEST_SMS => Some("SMS"),
        length if length <= LONGEST_LMS && country_code == "82" => Some("LMS"),
        _ => None,
    }
}

/// The number as SENS takes it: without the country code, in Korea with the 0
/// that numbers begin with there.
pub(super) fn number(e164: &str, country_code: &str) -> String {
    let national = e164.trim_start_matches('+');
    let national = national.strip_prefix(country_code).unwrap_or(national);
    match country_code {
        "82" => format!("0{national}"),
        _ => national.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_more_than_90_bytes_is_a_long_message_in_korea_and_none_elsewhere() {
        let (short, long) = ("가".repeat(45), "가".repeat(46));
        let (longest, too_long) = ("가".repeat(1_000), "가".repeat(1_001));
        for (text, country_code, expected) in [
            (&short, "82", Some("SMS")),
            (&short, "1", Some("SMS")),
            (&long, "82", Some("LMS")),
            (&long, "1", None),
            (&longest, "82", Some("LMS")),
            (&too_long, "82", None),
            (&"🔑".to_owned(), "82", None),
        ] {
            assert_eq!(kind(text, country_code), expected, "{}", text.len());
        }
    }

    #[test]
    fn numbers_at_home_begin_with_0_and_others_have_no_country_code() {
        assert_eq!(number("+821012345678", "82"), "01012345678");
        assert_eq!(number("+16502530000", "1"), "6502530000");
    }
}
