//! Putting messages into the outbox, sealed, and taking them out.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::SeldomLog;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Code, IdentifierChangeKind, Link, LinkPrefix, LinkToken, Locale, MessageId,
    MessageKind, ProviderId, ProviderSecret, Purpose, QueuedMessage, SealingKey, Timestamp,
    UndoToken,
};
use crate::ports::{Clock, Content, Message, MessageSender, Notifier, Random};

/// Writes and reads what is in the outbox.
pub struct Messages {
    key: SealingKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    notifier: Arc<dyn Notifier>,
    sender: Option<Arc<dyn MessageSender>>,
    /// Of messages that are tried again.
    pub(crate) deferred: SeldomLog,
    /// Of notices that are left out.
    pub(crate) left_out: SeldomLog,
}

/// How long a notice is worth sending.
const NOTICE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long taking a consent back is tried.
const CONSENT_TTL: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A message as it is sealed. Nobody is written to if there is none: so that
/// neither the outbox nor the time of an answer tells who has an account.
#[derive(Serialize, Deserialize)]
struct Sealed {
    message: Option<SealedMessage>,
    /// Not in messages of the release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent: Option<SealedConsent>,
}

/// A consent that is to be taken back at a provider.
#[derive(Serialize, Deserialize)]
struct SealedConsent {
    provider: ProviderId,
    refresh_token: ProviderSecret,
}

/// What is in the outbox.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Nothing: there is nobody to write to.
    Nothing,
    /// A message to a person.
    Message(Message),
    /// A consent that is to be taken back at a provider.
    ConsentRevocation(ProviderId, ProviderSecret),
}

#[derive(Serialize, Deserialize)]
struct SealedMessage {
    to: Address,
    locale: Locale,
    content: SealedContent,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SealedContent {
    Code {
        code: String,
        purpose: Purpose,
        expires_at: Timestamp,
    },
    Link {
        prefix: LinkPrefix,
        token: String,
        purpose: Purpose,
        expires_at: Timestamp,
    },
    AlreadySignedUp,
    PasswordChanged,
    PasswordReset,
    FactorAdded,
    FactorRemoved,
    FederatedIdentityLinked,
    FederatedIdentityUnlinked,
    RecoveryCodesReplaced,
    NewDevice,
    AccountClosed,
    IdentifierChanged {
        kind: IdentifierChangeKind,
        /// Not in messages of the release before.
        #[serde(default)]
        masked: String,
        token: String,
        expires_at: Timestamp,
    },
    IdentifierChangeUndone,
}

impl Messages {
    pub(crate) fn new(
        key: SealingKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        notifier: Arc<dyn Notifier>,
        sender: Option<Arc<dyn MessageSender>>,
    ) -> Self {
        Self {
            key,
            clock,
            random,
            notifier,
            sender,
            deferred: SeldomLog::default(),
            left_out: SeldomLog::default(),
        }
    }

    /// What messages are handed to, if there is one.
    #[must_use]
    pub fn sender(&self) -> Option<&dyn MessageSender> {
        self.sender.as_deref()
    }

    /// Whether a message can be sent to addresses of this kind.
    #[must_use]
    pub fn reaches(&self, to: &Address) -> bool {
        let sender = self.sender.as_ref();
        sender.is_some_and(|sender| sender.reaches(to))
    }

    /// Refuses what needs a code to an address to which no provider would ever take
    /// one. It is the same whether or not there is anybody to write to.
    ///
    /// # Errors
    /// No sender, or none that could deliver it there.
    pub(crate) fn check_code(&self, message: &Message) -> Result<(), Error> {
        match self.takes(message) {
            true => Ok(()),
            false => Err(Refusal::SenderMissing.into()),
        }
    }

    /// Whether a message like this may ever arrive.
    pub(crate) fn takes(&self, message: &Message) -> bool {
        let sender = self.sender.as_ref();
        sender.is_some_and(|sender| sender.takes(message))
    }

    /// A new id of a message.
    pub(crate) fn new_id(&self) -> MessageId {
        MessageId::generate(self.clock.now(), &*self.random)
    }

    /// The message of a code or a link, or one to nobody, worth sending until `expires_at`.
    pub(crate) fn code(
        &self,
        id: MessageId,
        message: Option<Message>,
        expires_at: Timestamp,
    ) -> Result<QueuedMessage, Error> {
        self.seal(id, MessageKind::Code, message, expires_at)
    }

    /// A notice to each of the addresses that can be reached.
    pub(crate) fn notices(
        &self,
        addresses: &[Address],
        locale: Locale,
        content: &Content,
    ) -> Result<Vec<QueuedMessage>, Error> {
        let expires_at = self.clock.now().plus(NOTICE_TTL);
        let notice = |to: &Address| {
            let message = Message {
                to: to.clone(),
                locale,
                content: content.clone(),
            };
            self.seal(
                self.new_id(),
                MessageKind::Notice,
                Some(message),
                expires_at,
            )
        };
        let reached = addresses.iter().filter(|to| self.reaches(to));
        reached.map(notice).collect()
    }

    /// The taking back of a consent at a provider.
    pub(crate) fn consent_revocation(
        &self,
        provider: &ProviderId,
        refresh_token: &ProviderSecret,
    ) -> Result<QueuedMessage, Error> {
        let sealed = Sealed {
            message: None,
            consent: Some(SealedConsent {
                provider: provider.clone(),
                refresh_token: refresh_token.clone(),
            }),
        };
        let expires_at = self.clock.now().plus(CONSENT_TTL);
        self.seal_all(self.new_id(), MessageKind::Notice, &sealed, expires_at)
    }

    /// What is in the outbox.
    pub(crate) fn open(&self, queued: &QueuedMessage) -> Result<Outgoing, Error> {
        let fault = |what: String| Error::Internal(format!("message {} {what}", queued.id));
        let plain = self
            .key
            .open(&queued.id.to_string(), &queued.sealed)
            .map_err(|error| fault(error.to_string()))?;
        let sealed: Sealed = serde_json::from_slice(&plain)
            .map_err(|error| fault(format!("cannot be read: {error}")))?;
        if let Some(consent) = sealed.consent {
            let SealedConsent {
                provider,
                refresh_token,
            } = consent;
            return Ok(Outgoing::ConsentRevocation(provider, refresh_token));
        }
        let Some(message) = sealed.message else {
            return Ok(Outgoing::Nothing);
        };
        let message = message.restore().map_err(|rule| fault(rule.to_owned()))?;
        Ok(Outgoing::Message(message))
    }

    /// Tells the job that there is a message. To be called after the commit.
    pub(crate) fn queued(&self) {
        self.notifier.message_queued();
    }

    fn seal(
        &self,
        id: MessageId,
        kind: MessageKind,
        message: Option<Message>,
        expires_at: Timestamp,
    ) -> Result<QueuedMessage, Error> {
        let sealed = Sealed {
            message: message.map(SealedMessage::of),
            consent: None,
        };
        self.seal_all(id, kind, &sealed, expires_at)
    }

    fn seal_all(
        &self,
        id: MessageId,
        kind: MessageKind,
        sealed: &Sealed,
        expires_at: Timestamp,
    ) -> Result<QueuedMessage, Error> {
        let plain = serde_json::to_vec(sealed)
            .map(Zeroizing::new)
            .map_err(|error| Error::Internal(format!("a message cannot be written: {error}")))?;
        Ok(QueuedMessage {
            id,
            kind,
            sealed: self.key.seal(&id.to_string(), &plain, &*self.random),
            created_at: self.clock.now(),
            expires_at,
        })
    }
}

impl SealedMessage {
    fn of(message: Message) -> Self {
        let content = match message.content {
            Content::Code {
                code,
                purpose,
                expires_at,
            } => SealedContent::Code {
                code: code.expose().to_owned(),
                purpose,
                expires_at,
            },
            Content::Link {
                link,
                purpose,
                expires_at,
            } => SealedContent::Link {
                token: link.token.expose().to_string(),
                prefix: link.prefix,
                purpose,
                expires_at,
            },
            Content::AlreadySignedUp => SealedContent::AlreadySignedUp,
            Content::PasswordChanged => SealedContent::PasswordChanged,
            Content::PasswordReset => SealedContent::PasswordReset,
            Content::FactorAdded => SealedContent::FactorAdded,
            Content::FactorRemoved => SealedContent::FactorRemoved,
            Content::FederatedIdentityLinked => SealedContent::FederatedIdentityLinked,
            Content::FederatedIdentityUnlinked => SealedContent::FederatedIdentityUnlinked,
            Content::RecoveryCodesReplaced => SealedContent::RecoveryCodesReplaced,
            Content::NewDevice => SealedContent::NewDevice,
            Content::AccountClosed => SealedContent::AccountClosed,
            Content::IdentifierChanged {
                kind,
                masked,
                token,
                expires_at,
            } => SealedContent::IdentifierChanged {
                kind,
                masked,
                token: token.expose().to_string(),
                expires_at,
            },
            Content::IdentifierChangeUndone => SealedContent::IdentifierChangeUndone,
        };
        Self {
            to: message.to,
            locale: message.locale,
            content,
        }
    }

    fn restore(self) -> Result<Message, &'static str> {
        let content = match self.content {
            SealedContent::Code {
                code,
                purpose,
                expires_at,
            } => Content::Code {
                code: Code::parse(code)?,
                purpose,
                expires_at,
            },
            SealedContent::Link {
                prefix,
                token,
                purpose,
                expires_at,
            } => Content::Link {
                link: Link {
                    prefix,
                    token: LinkToken::parse(&token)?,
                },
                purpose,
                expires_at,
            },
            SealedContent::AlreadySignedUp => Content::AlreadySignedUp,
            SealedContent::PasswordChanged => Content::PasswordChanged,
            SealedContent::PasswordReset => Content::PasswordReset,
            SealedContent::FactorAdded => Content::FactorAdded,
            SealedContent::FactorRemoved => Content::FactorRemoved,
            SealedContent::FederatedIdentityLinked => Content::FederatedIdentityLinked,
            SealedContent::FederatedIdentityUnlinked => Content::FederatedIdentityUnlinked,
            SealedContent::RecoveryCodesReplaced => Content::RecoveryCodesReplaced,
            SealedContent::NewDevice => Content::NewDevice,
            SealedContent::AccountClosed => Content::AccountClosed,
            SealedContent::IdentifierChanged {
                kind,
                masked,
                token,
                expires_at,
            } => Content::IdentifierChanged {
                kind,
                masked,
                token: UndoToken::parse(&token)?,
                expires_at,
            },
            SealedContent::IdentifierChangeUndone => Content::IdentifierChangeUndone,
        };
        Ok(Message {
            to: self.to,
            locale: self.locale,
            content,
        })
    }
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages")
            .field("has_sender", &self.sender.is_some())
            .finish_non_exhaustive()
    }
}
