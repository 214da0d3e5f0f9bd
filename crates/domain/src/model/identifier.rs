//! What a person types to say who they are, and the part of it that can
//! receive a code.

use serde::{Deserialize, Serialize};

use crate::model::{Email, Phone, Username};

/// An identifier in normal form. Unique inside a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// An e-mail address.
    Email(Email),
    /// A phone number.
    Phone(Phone),
    /// A user name.
    Username(Username),
}

/// The kind of an identifier, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A user name.
    Username,
}

/// An identifier to which a code can be sent. Serialised in normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An e-mail address.
    Email(Email),
    /// A phone number.
    Phone(Phone),
}

impl Identifier {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Email(_) => IdentifierKind::Email,
            Self::Phone(_) => IdentifierKind::Phone,
            Self::Username(_) => IdentifierKind::Username,
        }
    }

    /// The address that it is, if it can receive a code.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Email(email) => Some(Address::Email(email.clone())),
            Self::Phone(phone) => Some(Address::Phone(phone.clone())),
            Self::Username(_) => None,
        }
    }

    /// Its text in normal form, as it is stored and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
            Self::Username(name) => name.as_str(),
        }
    }
}

impl IdentifierKind {
    /// The name under which it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }
}

impl Address {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Email(_) => IdentifierKind::Email,
            Self::Phone(_) => IdentifierKind::Phone,
        }
    }

    /// Its text in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }

    /// So much of it that its owner recognises it.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(phone) => phone.masked(),
        }
    }
}

impl From<Address> for Identifier {
    fn from(address: Address) -> Self {
        match address {
            Address::Email(email) => Self::Email(email),
            Address::Phone(phone) => Self::Phone(phone),
        }
    }
}

/// How an address is written in a record of the ephemeral store.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredAddress {
    Email(String),
    Phone(String),
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Email(email) => StoredAddress::Email(email.as_str().into()),
            Self::Phone(phone) => StoredAddress::Phone(phone.as_str().into()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parsed = match StoredAddress::deserialize(deserializer)? {
            StoredAddress::Email(text) => Email::parse(&text).map(Self::Email),
            StoredAddress::Phone(text) => Phone::restore(&text).map(Self::Phone),
        };
        parsed.map_err(serde::de::Error::custom)
    }
}
