//! Senders of codes and notices: what messages say, the providers that bring
//! them to people, and the order in which they are tried.

mod breaker;
mod http;
mod log_sender;
mod outgoing;
mod provider;
mod router;
mod sens;
mod smtp;
mod templates;
mod tls;
mod webhook;

pub use log_sender::LogSender;
pub use outgoing::{Channel, MessageName, Outgoing};
pub use provider::{Accepted, Progress, Provider, ProviderError};
pub use router::{ProviderReading, Router, RouterSettings, TestTry};
pub use sens::{AlimTalk, AlimTalkSettings, AlimTalkTemplate, Sens, SensKeys, SensSettings};
pub use smtp::{Smtp, SmtpAddress, SmtpSettings};
pub use templates::{TemplateError, TemplateSettings, Templates};
pub use tls::{Authorities, AuthoritiesError};
pub use webhook::{SecretError, Webhook, WebhookSettings};
