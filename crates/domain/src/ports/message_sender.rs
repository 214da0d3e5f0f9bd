//! The role of bringing messages to people.

use async_trait::async_trait;

use crate::model::{
    Address, Code, IdentifierChangeKind, Link, Locale, MessageId, Purpose, Timestamp, UndoToken,
};

/// Hands messages to a provider.
#[async_trait]
pub trait MessageSender: Send + Sync {
    /// Sends a message. Its id is the same at each try.
    ///
    /// # Errors
    /// Whether the message may arrive all the same, and whether another try is
    /// of use.
    async fn send(&self, id: MessageId, message: Message) -> Result<(), SendError>;

    /// Whether there is a way to addresses of this kind.
    fn reaches(&self, _to: &Address) -> bool {
        true
    }

    /// Whether there is a way by which a message like this may arrive: one too
    /// long for all of them never will.
    fn takes(&self, message: &Message) -> bool {
        self.reaches(&message.to)
    }
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
    /// A link to open.
    Link {
        /// The link.
        link: Link,
        /// What it is for.
        purpose: Purpose,
        /// From when on it is not accepted.
        expires_at: Timestamp,
    },
    /// Somebody tried to sign up with this address, which has an account.
    AlreadySignedUp,
    /// The password was changed by its owner, who knew it.
    PasswordChanged,
    /// The password was set anew by proof of the address.
    PasswordReset,
    /// A second factor was enrolled.
    FactorAdded,
    /// A second factor was removed.
    FactorRemoved,
    /// An account at a provider was linked.
    FederatedIdentityLinked,
    /// An account at a provider was unlinked.
    FederatedIdentityUnlinked,
    /// New recovery codes took the place of the earlier ones.
    RecoveryCodesReplaced,
    /// Somebody signed in on a device that was not known.
    NewDevice,
    /// The account was closed by its owner, or whoever was signed in as such.
    AccountClosed,
    /// An address of the account was added, changed or removed.
    IdentifierChanged {
        /// Which of these.
        kind: IdentifierChangeKind,
        /// So much of the address that the person recognises it, or of both, the earlier
        /// one first.
        masked: String,
        /// What undoes it.
        token: UndoToken,
        /// From when on it cannot be undone.
        expires_at: Timestamp,
    },
    /// That was undone.
    IdentifierChangeUndone,
}

/// Why a message was not sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// It will not arrive for certain, and may be tried again.
    #[error("{0}")]
    Refused(String),
    /// It will not arrive for certain, and no later try would change that.
    #[error("{0}")]
    Rejected(String),
    /// It may arrive or not.
    #[error("{0}")]
    Unknown(String),
}
