//! A second factor of a user: what a person can show beside a password.

use std::fmt;

use crate::model::{Address, AuthenticationId, FactorId, Timestamp, UserId};

/// An authenticator that a person has enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub label: FactorLabel,
    /// Its secret, its public key, or its address, under the master key, bound to
    /// its id and its user.
    pub sealed: Vec<u8>,
    /// The last time step of which a code was taken: no code of this step or of
    /// an earlier one is good any more. Of a passkey: its signature counter, 0 if
    /// it counts nothing.
    pub last_step: i64,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// By which authentication it was enrolled, if that is known: no other takes it
    /// for its own, whatever the clock says.
    pub enrolled_by: Option<AuthenticationId>,
}

/// What a factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// Time-based one-time codes (RFC 6238).
    Totp,
    /// A passkey or security key (Web Authentication).
    Passkey,
    /// A code in a text message to a phone number.
    Sms,
    /// A code in a mail to an e-mail address.
    Email,
}

/// An address to which codes are sent, as a second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeFactor {
    /// The factor's id, or what stands for it where none was enrolled.
    pub id: FactorId,
    /// The address.
    pub address: Address,
}

/// What a person calls a factor: up to 64 characters, none of which controls
/// anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorLabel(String);

impl FactorLabel {
    /// Reads a name as it was typed; white space around it is dropped.
    ///
    /// # Errors
    /// What a name must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let is_name = text.chars().count() <= 64 && !text.chars().any(char::is_control);
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err("must have at most 64 characters, and no control characters")
        }
    }

    /// The name, which may be empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FactorKind {
    /// What an address is.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        match address {
            Address::Phone(_) => Self::Sms,
            Address::Email(_) => Self::Email,
        }
    }

    /// Whether it is an address to which codes are sent.
    #[must_use]
    pub fn is_address(self) -> bool {
        matches!(self, Self::Sms | Self::Email)
    }

    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text {
            "totp" => Some(Self::Totp),
            "passkey" => Some(Self::Passkey),
            "sms" => Some(Self::Sms),
            "email" => Some(Self::Email),
            _ => None,
        }
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factor")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .field("last_step", &self.last_step)
            .finish_non_exhaustive()
    }
}
