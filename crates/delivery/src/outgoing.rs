//! A message in words, on its way to one address.

use countersign_domain::model::{
    Address, Code, IdentifierChangeKind, Locale, MessageId, Purpose, Timestamp,
};
use countersign_domain::ports::Content;
use zeroize::Zeroizing;

/// A message as providers take it. There is no `Debug`: there may be a code or a
/// link in it.
pub struct Outgoing {
    /// The same at each try, at every provider.
    pub(crate) id: MessageId,
    pub(crate) to: Address,
    pub(crate) locale: Locale,
    pub(crate) name: MessageName,
    pub(crate) secret: Option<Enclosed>,
    /// From when on the secret is not accepted.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) words: Words,
}

/// What a message brings, in the clear.
pub(crate) enum Enclosed {
    /// A code to type in.
    Code(Code),
    /// A link to open.
    Link(Zeroizing<String>),
    /// A link that undoes what the message tells of.
    Undo {
        link: Zeroizing<String>,
        /// The address that it is about, masked.
        address: String,
    },
}

/// What a message says, as its channel has it.
pub(crate) enum Words {
    Sms {
        text: String,
        /// As the template for AlimTalk has it, if there is one.
        alimtalk: Option<String>,
    },
    Email {
        subject: String,
        text: String,
        html: String,
    },
}

/// The ways to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Text messages, to phone numbers.
    Sms,
    /// Mail, to e-mail addresses.
    Email,
}

/// The messages that there are, by the names that their templates have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageName {
    /// A code to sign up with.
    SignUp,
    /// A code to sign in with.
    SignIn,
    /// A code to complete a sign-in with, after the first factor.
    SecondFactor,
    /// A code to be authenticated again with.
    StepUp,
    /// A code to reset the password with.
    PasswordReset,
    /// A code to enrol the address as a second factor with.
    AddFactor,
    /// A link to sign up with.
    SignUpLink,
    /// A link to sign in with.
    SignInLink,
    /// A link to reset the password with.
    PasswordResetLink,
    /// Somebody tried to sign up with an address that has an account.
    AlreadySignedUp,
    /// The password was changed.
    PasswordChanged,
    /// The password was set anew by proof of the address.
    PasswordWasReset,
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
    /// The account was closed.
    AccountClosed,
    /// A code to change an address with.
    ChangeIdentifier,
    /// A link to change an address with.
    ChangeIdentifierLink,
    /// An address was added.
    IdentifierAdded,
    /// An address was changed.
    IdentifierChanged,
    /// An address was removed.
    IdentifierRemoved,
    /// That was undone.
    IdentifierChangeUndone,
    /// What `countersign message test` sends.
    Test,
}

impl Enclosed {
    /// Whether the message must never be sent twice.
    pub(crate) fn is_one_time(&self) -> bool {
        match self {
            Self::Code(_) | Self::Link(_) => true,
            Self::Undo { .. } => false,
        }
    }

    /// The code, if it is one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Code(code) => Some(code.expose()),
            Self::Link(_) | Self::Undo { .. } => None,
        }
    }

    /// The link, if it is one.
    pub(crate) fn link(&self) -> Option<&str> {
        match self {
            Self::Code(_) => None,
            Self::Link(link) | Self::Undo { link, .. } => Some(link),
        }
    }

    /// The masked address that the message is about, if it is about one.
    pub(crate) fn address(&self) -> Option<&str> {
        match self {
            Self::Code(_) | Self::Link(_) => None,
            Self::Undo { address, .. } if address.is_empty() => Some("***"),
            Self::Undo { address, .. } => Some(address),
        }
    }
}

impl Outgoing {
    /// The text that a person reads, without markup.
    pub(crate) fn text(&self) -> &str {
        match &self.words {
            Words::Sms { text, .. } | Words::Email { text, .. } => text,
        }
    }
}

impl Channel {
    /// The channel to an address.
    #[must_use]
    pub fn to(address: &Address) -> Self {
        match address {
            Address::Phone(_) => Self::Sms,
            Address::Email(_) => Self::Email,
        }
    }

    /// `sms` or `email`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

impl MessageName {
    /// All that there are.
    pub const ALL: [Self; 26] = [
        Self::SignUp,
        Self::SignIn,
        Self::SecondFactor,
        Self::StepUp,
        Self::PasswordReset,
        Self::AddFactor,
        Self::SignUpLink,
        Self::SignInLink,
        Self::PasswordResetLink,
        Self::AlreadySignedUp,
        Self::PasswordChanged,
        Self::PasswordWasReset,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::FederatedIdentityLinked,
        Self::FederatedIdentityUnlinked,
        Self::RecoveryCodesReplaced,
        Self::NewDevice,
        Self::AccountClosed,
        Self::ChangeIdentifier,
        Self::ChangeIdentifierLink,
        Self::IdentifierAdded,
        Self::IdentifierChanged,
        Self::IdentifierRemoved,
        Self::IdentifierChangeUndone,
        Self::Test,
    ];

    /// The name of the message with this content.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        match content {
            Content::Code { purpose, .. } => match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => Self::SignUp,
                Purpose::SignIn => Self::SignIn,
                Purpose::SecondFactor => Self::SecondFactor,
                Purpose::StepUp => Self::StepUp,
                Purpose::PasswordReset => Self::PasswordReset,
                Purpose::ChangeIdentifier => Self::ChangeIdentifier,
                Purpose::AddFactor => Self::AddFactor,
            },
            Content::Link { purpose, .. } => match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => Self::SignUpLink,
                // There are no links for second factors.
                Purpose::SignIn | Purpose::SecondFactor | Purpose::StepUp | Purpose::AddFactor => {
                    Self::SignInLink
                }
                Purpose::PasswordReset => Self::PasswordResetLink,
                Purpose::ChangeIdentifier => Self::ChangeIdentifierLink,
            },
            Content::AlreadySignedUp => Self::AlreadySignedUp,
            Content::PasswordChanged => Self::PasswordChanged,
            Content::PasswordReset => Self::PasswordWasReset,
            Content::FactorAdded => Self::FactorAdded,
            Content::FactorRemoved => Self::FactorRemoved,
            Content::FederatedIdentityLinked => Self::FederatedIdentityLinked,
            Content::FederatedIdentityUnlinked => Self::FederatedIdentityUnlinked,
            Content::RecoveryCodesReplaced => Self::RecoveryCodesReplaced,
            Content::NewDevice => Self::NewDevice,
            Content::AccountClosed => Self::AccountClosed,
            Content::IdentifierChanged { kind, .. } => match kind {
                IdentifierChangeKind::Added => Self::IdentifierAdded,
                IdentifierChangeKind::Changed => Self::IdentifierChanged,
                IdentifierChangeKind::Removed => Self::IdentifierRemoved,
            },
            Content::IdentifierChangeUndone => Self::IdentifierChangeUndone,
        }
    }

    /// As it stands in the names of templates and in webhooks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::StepUp => "step_up",
            Self::PasswordReset => "password_reset",
            Self::AddFactor => "add_factor",
            Self::SignUpLink => "sign_up_link",
            Self::SignInLink => "sign_in_link",
            Self::PasswordResetLink => "password_reset_link",
            Self::AlreadySignedUp => "already_signed_up",
            Self::PasswordChanged => "password_changed",
            Self::PasswordWasReset => "password_was_reset",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::FederatedIdentityLinked => "federated_identity_linked",
            Self::FederatedIdentityUnlinked => "federated_identity_unlinked",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::NewDevice => "new_device",
            Self::AccountClosed => "account_closed",
            Self::ChangeIdentifier => "change_identifier",
            Self::ChangeIdentifierLink => "change_identifier_link",
            Self::IdentifierAdded => "identifier_added",
            Self::IdentifierChanged => "identifier_changed",
            Self::IdentifierRemoved => "identifier_removed",
            Self::IdentifierChangeUndone => "identifier_change_undone",
            Self::Test => "test",
        }
    }

    /// Whether there is a code in it.
    #[must_use]
    pub fn has_code(self) -> bool {
        matches!(
            self,
            Self::SignUp
                | Self::SignIn
                | Self::SecondFactor
                | Self::StepUp
                | Self::PasswordReset
                | Self::ChangeIdentifier
                | Self::AddFactor
        )
    }

    /// Whether there is a link in it that proves the address.
    #[must_use]
    pub fn has_link(self) -> bool {
        matches!(
            self,
            Self::SignUpLink
                | Self::SignInLink
                | Self::PasswordResetLink
                | Self::ChangeIdentifierLink
        )
    }

    /// Whether there is a link in it that undoes what it tells of.
    #[must_use]
    pub fn has_undo(self) -> bool {
        matches!(
            self,
            Self::IdentifierAdded | Self::IdentifierChanged | Self::IdentifierRemoved
        )
    }
}
