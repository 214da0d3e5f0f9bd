//! The sender behind the outbox: it puts a message into words and tries the
//! providers of its channel in their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::application::SeldomLog;
use countersign_domain::model::{Address, Locale, MessageId};
use countersign_domain::ports::{Clock, Content, Message, MessageSender, SendError};
use tokio::time::timeout;

use crate::breaker::Breaker;
use crate::outgoing::{Channel, Enclosed, MessageName, Outgoing};
use crate::provider::{Accepted, Progress, Provider, ProviderError};
use crate::templates::Templates;

/// Tries the providers of a message's channel in their order.
///
/// A provider that for certain has not sent it gives way to the next one. Where
/// that is not certain, a code or a link goes no further: it is never sent twice.
/// A notice does.
pub struct Router {
    sms: Vec<Arc<Guarded>>,
    email: Vec<Arc<Guarded>>,
    all: Vec<Arc<Guarded>>,
    templates: Templates,
    clock: Arc<dyn Clock>,
    time_limit: Duration,
}

/// What a router works with.
pub struct RouterSettings {
    /// The providers of text messages, by their places in `providers`.
    pub sms: Vec<usize>,
    /// The providers of mail, likewise.
    pub email: Vec<usize>,
    /// The providers that there are.
    pub providers: Vec<Box<dyn Provider>>,
    /// What messages say.
    pub templates: Templates,
    /// The clock of circuit breakers, and of how long a code is good.
    pub clock: Arc<dyn Clock>,
    /// How long one provider may take over one message.
    pub time_limit: Duration,
}

/// What a provider has done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderReading {
    /// The provider.
    pub provider: &'static str,
    /// Whether it is left alone, after failures in a row.
    pub is_circuit_open: bool,
    /// How many tries came to what.
    pub tries: [(&'static str, u64); 5],
}

/// What a provider said to a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestTry {
    /// The provider.
    pub provider: &'static str,
    /// What came of it.
    pub answer: Result<Accepted, ProviderError>,
}

/// A provider with its circuit breaker and its counts.
struct Guarded {
    provider: Box<dyn Provider>,
    breaker: Breaker,
    /// Of messages that it has not taken.
    not_taken: SeldomLog,
    sent: AtomicU64,
    rejected: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    skipped: AtomicU64,
}

impl Router {
    /// A router over these providers.
    ///
    /// # Panics
    /// If a place is not one of `providers`.
    #[must_use]
    pub fn new(settings: RouterSettings) -> Self {
        let all: Vec<_> = settings.providers.into_iter().map(Guarded::new).collect();
        let pick = |places: Vec<usize>| places.into_iter().map(|at| Arc::clone(&all[at])).collect();
        Self {
            sms: pick(settings.sms),
            email: pick(settings.email),
            all,
            templates: settings.templates,
            clock: settings.clock,
            time_limit: settings.time_limit,
        }
    }

    /// What each provider has done so far.
    #[must_use]
    pub fn readings(&self) -> Vec<ProviderReading> {
        let now = self.clock.monotonic();
        self.all
            .iter()
            .map(|guarded| guarded.reading(now))
            .collect()
    }

    /// Sends a test message as any other, or by the named provider alone, and
    /// tells what each provider that was tried said.
    pub async fn test(
        &self,
        id: MessageId,
        to: Address,
        locale: Locale,
        provider: Option<&str>,
    ) -> Vec<TestTry> {
        let name = MessageName::Test;
        let words = self
            .templates
            .words(name, locale, &to, None, None, self.clock.now());
        let list = self.list(&to);
        let message = Outgoing {
            id,
            to,
            locale,
            name,
            secret: None,
            expires_at: None,
            words,
        };
        let mut tries = Vec::new();
        for guarded in list {
            let name = guarded.provider.name();
            if provider.is_some_and(|wanted| wanted != name) {
                continue;
            }
            let answer = guarded.deliver(&message, self.time_limit).await;
            let is_sent = answer.is_ok();
            let provider = name;
            tries.push(TestTry { provider, answer });
            if is_sent {
                break;
            }
        }
        tries
    }

    fn list(&self, to: &Address) -> &[Arc<Guarded>] {
        match Channel::to(to) {
            Channel::Sms => &self.sms,
            Channel::Email => &self.email,
        }
    }

    fn words(&self, id: MessageId, message: Message) -> Outgoing {
        let name = MessageName::of(&message.content);
        let (secret, expires_at) = match message.content {
            Content::Code {
                code, expires_at, ..
            } => (Some(Enclosed::Code(code)), Some(expires_at)),
            Content::Link {
                link, expires_at, ..
            } => (Some(Enclosed::Link(link.expose())), Some(expires_at)),
            Content::IdentifierChanged {
                masked,
                token,
                expires_at,
                ..
            } => {
                let undo = Enclosed::Undo {
                    link: self.templates.undo_link(&token),
                    address: masked,
                };
                (Some(undo), Some(expires_at))
            }
            Content::AlreadySignedUp
            | Content::PasswordChanged
            | Content::PasswordReset
            | Content::FactorAdded
            | Content::FactorRemoved
            | Content::FederatedIdentityLinked
            | Content::FederatedIdentityUnlinked
            | Content::RecoveryCodesReplaced
            | Content::NewDevice
            | Content::AccountClosed
            | Content::IdentifierChangeUndone => (None, None),
        };
        let (to, locale, now) = (message.to, message.locale, self.clock.now());
        let words = self
            .templates
            .words(name, locale, &to, secret.as_ref(), expires_at, now);
        Outgoing {
            id,
            to,
            locale,
            name,
            secret,
            expires_at,
            words,
        }
    }
}

#[async_trait]
impl MessageSender for Router {
    async fn send(&self, id: MessageId, message: Message) -> Result<(), SendError> {
        let message = self.words(id, message);
        let is_one_time = message.secret.as_ref().is_some_and(Enclosed::is_one_time);
        let mut failures = Failures::default();
        for guarded in self.list(&message.to) {
            let name = guarded.provider.name();
            if !guarded.breaker.admits(self.clock.monotonic()) {
                guarded.skipped.fetch_add(1, Ordering::Relaxed);
                failures.add(
                    name,
                    &ProviderError::refused("is left alone after failures", ""),
                );
                continue;
            }
            let Err(error) = guarded.deliver(&message, self.time_limit).await else {
                guarded.succeeded();
                return Ok(());
            };
            guarded.log_failure(id, &error, self.clock.monotonic());
            let retry_after = match &error {
                ProviderError::Refused { retry_after, .. } => *retry_after,
                ProviderError::Rejected { .. } | ProviderError::Unknown { .. } => None,
            };
            if matches!(error, ProviderError::Rejected { .. }) {
                // It answered: the fault is the message's.
                guarded.succeeded();
            } else {
                guarded.failed(self.clock.monotonic(), retry_after);
            }
            failures.add(name, &error);
            if is_one_time && matches!(error, ProviderError::Unknown { .. }) {
                break;
            }
        }
        Err(failures.into_error())
    }

    fn reaches(&self, to: &Address) -> bool {
        !self.list(to).is_empty()
    }

    fn takes(&self, message: &Message) -> bool {
        let nameless = MessageId::from_bytes([0; 16]);
        let message = self.words(nameless, message.clone());
        let list = self.list(&message.to);
        list.iter().any(|guarded| guarded.provider.takes(&message))
    }
}

/// What the providers of a list have said.
#[derive(Default)]
struct Failures {
    told: Vec<String>,
    is_refused: bool,
    is_unknown: bool,
}

impl Failures {
    fn add(&mut self, provider: &str, error: &ProviderError) {
        match error {
            ProviderError::Rejected { .. } => {}
            ProviderError::Refused { .. } => self.is_refused = true,
            ProviderError::Unknown { .. } => self.is_unknown = true,
        }
        self.told.push(format!("{provider}: {error}"));
    }

    fn into_error(self) -> SendError {
        if self.told.is_empty() {
            // A setting may come back, and another replica may have it.
            let none = "no provider is configured for this kind of address";
            return SendError::Refused(none.into());
        }
        let told = self.told.join("; ");
        if self.is_unknown {
            SendError::Unknown(told)
        } else if self.is_refused {
            SendError::Refused(told)
        } else {
            SendError::Rejected(told)
        }
    }
}

impl Guarded {
    fn new(provider: Box<dyn Provider>) -> Arc<Self> {
        Arc::new(Self {
            provider,
            breaker: Breaker::default(),
            not_taken: SeldomLog::default(),
            sent: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        })
    }

    async fn deliver(
        &self,
        message: &Outgoing,
        time_limit: Duration,
    ) -> Result<Accepted, ProviderError> {
        let progress = Progress::default();
        let answer = match timeout(time_limit, self.provider.deliver(message, &progress)).await {
            Ok(answer) => answer,
            Err(_) => Err(progress.broken_off(format!("no answer within {time_limit:?}"))),
        };
        let count = match &answer {
            Ok(_) => &self.sent,
            Err(ProviderError::Rejected { .. }) => &self.rejected,
            Err(ProviderError::Refused { .. }) => &self.refused,
            Err(ProviderError::Unknown { .. }) => &self.unknown,
        };
        count.fetch_add(1, Ordering::Relaxed);
        answer
    }

    fn succeeded(&self) {
        if self.breaker.succeeded() {
            tracing::info!(provider = self.provider.name(), "a provider works again");
        }
    }

    fn failed(&self, now: Duration, retry_after: Option<Duration>) {
        if self.breaker.failed(now, retry_after) {
            let provider = self.provider.name();
            tracing::warn!(
                provider,
                "a provider is left alone for a while after failures"
            );
        }
    }

    /// A provider may fail with every message: the log tells of one a minute.
    fn log_failure(&self, message_id: MessageId, error: &ProviderError, now: Duration) {
        let (provider, outcome) = (self.provider.name(), error.outcome());
        match self.not_taken.may_write(now) {
            Some(left_out) => tracing::warn!(
                %message_id, provider, outcome, %error, left_out,
                "a provider has not taken a message"
            ),
            None => tracing::debug!(
                %message_id, provider, outcome, %error,
                "a provider has not taken a message"
            ),
        }
    }

    fn reading(&self, now: Duration) -> ProviderReading {
        let tries = [
            ("sent", &self.sent),
            ("rejected", &self.rejected),
            ("refused", &self.refused),
            ("unknown", &self.unknown),
            ("skipped", &self.skipped),
        ];
        ProviderReading {
            provider: self.provider.name(),
            is_circuit_open: self.breaker.is_open(now),
            tries: tries.map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed))),
        }
    }
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |list: &[Arc<Guarded>]| {
            let names = list.iter().map(|guarded| guarded.provider.name());
            names.collect::<Vec<_>>()
        };
        f.debug_struct("Router")
            .field("sms", &names(&self.sms))
            .field("email", &names(&self.email))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
