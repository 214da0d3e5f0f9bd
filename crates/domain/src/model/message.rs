//! A message in the outbox: sealed, so that the database tells nobody what is
//! sent to whom.

use crate::model::{MessageId, Timestamp};

/// A message to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its id.
    pub id: MessageId,
    /// What may be done when the outcome of a sending is unknown.
    pub kind: MessageKind,
    /// The message under the master key.
    pub sealed: Vec<u8>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// From when on it is not worth sending.
    pub expires_at: Timestamp,
}

/// What may be done when the outcome of a sending is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A code or a link: never sent twice.
    Code,
    /// A notice: sent again.
    Notice,
}

/// Where a message is that was not sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for a job, or for the next try.
    Queued,
    /// A replica has claimed it, and hands it to the provider.
    Sending,
    /// It is not sent any more.
    Failed,
}

/// A message that is the claimant's to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedMessage {
    /// The message.
    pub message: QueuedMessage,
    /// How often it was claimed before.
    pub attempts: u32,
    /// Whether an earlier claim ended without a settlement: the message may
    /// have been sent.
    pub is_doubtful: bool,
}

/// The messages that wait to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many there are, those that are being sent included.
    pub messages: u64,
    /// When the oldest was queued. `None` if there is none.
    pub oldest: Option<Timestamp>,
}

/// What became of a claimed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was sent.
    Sent,
    /// It is to be tried again then.
    RetryAt(Timestamp),
    /// It is not tried again.
    Failed,
    /// It is not sent at all: its addressee has been told often enough.
    LeftOut,
}

impl Settlement {
    /// Whether nothing more is to be known of the message.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::LeftOut)
    }
}

impl MessageKind {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Notice => "notice",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "code" => Some(Self::Code),
            "notice" => Some(Self::Notice),
            _ => None,
        }
    }
}

impl DeliveryState {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Failed => "failed",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "queued" => Some(Self::Queued),
            "sending" => Some(Self::Sending),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

impl std::fmt::Debug for QueuedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedMessage")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
