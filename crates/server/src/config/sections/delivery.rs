//! The section `[delivery]`.

use std::collections::HashSet;
use std::hash::Hash;
use std::path::PathBuf;
use std::time::Duration;

use countersign_domain::use_cases::DeliverMessages;
use serde::{Deserialize, Serialize};

use crate::config::checks::Checks;
use crate::config::serde_formats::{duration, optional};

/// `[delivery]`: bringing messages to people. The providers have sections of
/// their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The providers of text messages in the order in which they are tried. If
    /// this list and the other are empty: the log, on a loopback address and
    /// without callers; else nothing, and what needs a message is refused.
    pub sms: Vec<SmsProvider>,
    /// The providers of mail in the order in which they are tried.
    pub email: Vec<EmailProvider>,
    /// How long one provider may take over one message.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// The name of the product in messages; may be empty.
    pub product_name: String,
    /// The host to which browsers bind a code in a text message, by a last line
    /// such as `@example.com #123456`; empty: there is no such line.
    pub origin: String,
    /// The folder with files in place of texts that are built in.
    #[serde(deserialize_with = "optional")]
    pub templates: Option<PathBuf>,
    /// PEM file with an authority that providers' certificates are believed by,
    /// beside those of this machine.
    #[serde(deserialize_with = "optional")]
    pub tls_ca: Option<PathBuf>,
}

/// The providers of text messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsProvider {
    /// Writes messages to the log, codes in the clear: for trying out.
    Log,
    /// Naver Cloud SENS.
    Sens,
    /// Kakao's AlimTalk, by SENS.
    AlimTalk,
    /// A signed webhook.
    Webhook,
}

/// The providers of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailProvider {
    /// Writes messages to the log, codes in the clear: for trying out.
    Log,
    /// A mail server.
    Smtp,
    /// A signed webhook.
    Webhook,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            sms: Vec::new(),
            email: Vec::new(),
            timeout: Duration::from_secs(10),
            product_name: String::new(),
            origin: String::new(),
            templates: None,
            tls_ca: None,
        }
    }
}

impl DeliveryConfig {
    /// What a message may take at all its providers together: less than the time
    /// after which another replica takes it over.
    pub(in crate::config) const LONGEST: Duration =
        DeliverMessages::CLAIM.saturating_sub(Duration::from_secs(15));

    /// Whether no provider was chosen.
    pub(crate) fn is_default(&self) -> bool {
        self.sms.is_empty() && self.email.is_empty()
    }

    /// What a message may take if each provider takes its time.
    pub(in crate::config) fn longest(&self) -> Duration {
        let providers = self.sms.len().max(self.email.len());
        self.timeout
            .saturating_mul(u32::try_from(providers).unwrap_or(u32::MAX))
    }

    pub(in crate::config) fn check(&self, checks: &mut Checks) {
        const ONCE: &str = "must name each provider once";
        checks.that("delivery.sms", is_distinct(&self.sms), ONCE);
        checks.that("delivery.email", is_distinct(&self.email), ONCE);
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(30));
        checks.lasts("delivery.timeout", self.timeout, least..=most);
        checks.that(
            "delivery.product_name",
            self.product_name.chars().count() <= 64
                && !self.product_name.contains(char::is_control),
            "must have at most 64 characters, on one line",
        );
        checks.that(
            "delivery.origin",
            self.origin.is_empty() || is_host(&self.origin),
            "must be a host such as example.com, without scheme, port or path, or empty for none",
        );
    }
}

fn is_distinct<T: Hash + Eq>(list: &[T]) -> bool {
    list.iter().collect::<HashSet<_>>().len() == list.len()
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_good)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
