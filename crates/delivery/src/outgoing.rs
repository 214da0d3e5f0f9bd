//! A message in words, on its way to one address.

use countersign_domain::model::{Address, Locale, MessageId, OneTimeSecret, Purpose, Timestamp};
use countersign_domain::ports::Content;

/// A message as providers take it. There is no `Debug`: there may be a code or a
/// link in it.
pub struct Outgoing {
    /// The same at each try, at every provider.
    pub(crate) id: MessageId,
    pub(crate) to: Address,
    pub(crate) locale: Locale,
    pub(crate) name: MessageName,
    /// With one, the message is never sent twice.
    pub(crate) secret: Option<OneTimeSecret>,
    /// From when on the secret is not accepted.
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) words: Words,
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
    /// Somebody signed in on a device that was not known.
    NewDevice,
    /// What `countersign message test` sends.
    Test,
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
    pub const ALL: [Self; 14] = [
        Self::SignUp,
        Self::SignIn,
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
        Self::NewDevice,
        Self::Test,
    ];

    /// The name of the message with this content.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        match content {
            Content::Code { purpose, .. } => match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => Self::SignUp,
                Purpose::SignIn => Self::SignIn,
                Purpose::PasswordReset => Self::PasswordReset,
                Purpose::AddFactor => Self::AddFactor,
            },
            Content::Link { purpose, .. } => match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => Self::SignUpLink,
                // There are no links to enrol with.
                Purpose::SignIn | Purpose::AddFactor => Self::SignInLink,
                Purpose::PasswordReset => Self::PasswordResetLink,
            },
            Content::AlreadySignedUp => Self::AlreadySignedUp,
            Content::PasswordChanged => Self::PasswordChanged,
            Content::PasswordReset => Self::PasswordWasReset,
            Content::FactorAdded => Self::FactorAdded,
            Content::FactorRemoved => Self::FactorRemoved,
            Content::NewDevice => Self::NewDevice,
        }
    }

    /// As it stands in the names of templates and in webhooks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
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
            Self::NewDevice => "new_device",
            Self::Test => "test",
        }
    }

    /// Whether there is a code in it.
    #[must_use]
    pub fn has_code(self) -> bool {
        matches!(
            self,
            Self::SignUp | Self::SignIn | Self::PasswordReset | Self::AddFactor
        )
    }

    /// Whether there is a link in it.
    #[must_use]
    pub fn has_link(self) -> bool {
        matches!(
            self,
            Self::SignUpLink | Self::SignInLink | Self::PasswordResetLink
        )
    }
}
