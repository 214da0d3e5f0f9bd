//! The role of bringing messages to people.

use async_trait::async_trait;

use crate::model::{Address, Code, Locale, Purpose, Timestamp};

/// Sends messages to addresses.
#[async_trait]
pub trait MessageSender: Send + Sync {
    /// Sends a message, or takes it into a queue that outlives the call.
    ///
    /// # Errors
    /// If it is certain that the message will not arrive.
    async fn send(&self, message: Message) -> Result<(), SendError>;
}

/// A message to a person.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where to.
    pub to: Address,
    /// In which language.
    pub locale: Locale,
    /// What.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum Content {
    /// A code to type in.
    Code {
        /// The code.
        code: Code,
        /// What it is for.
        purpose: Purpose,
        /// From when on it is not accepted.
        expires_at: Timestamp,
    },
    /// Somebody tried to sign up with this address, which has an account.
    AlreadySignedUp,
    /// The password was changed.
    PasswordChanged,
}

/// Why a message was not sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct SendError(pub String);
