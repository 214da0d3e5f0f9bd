//! Accounts at providers that are linked to users, as they are stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    CredentialVersion, FederatedIdentityId, GroupId, ProviderId, ProviderSecret, Timestamp, UserId,
};

/// What an account at a provider is found by: an HMAC over issuer and subject, under a key that the
/// database does not hold, so that rows tell nobody who somebody is elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectDigest([u8; 32]);

/// An account at a provider that is linked to a user. Inside a group it is one user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedIdentity {
    /// Its id.
    pub id: FederatedIdentityId,
    /// Whose.
    pub user_id: UserId,
    /// The group of the user.
    pub group: GroupId,
    /// What it is found by.
    pub subject: SubjectDigest,
    /// The provider it was linked at.
    pub provider: ProviderId,
    /// The [`FederatedDetails`], sealed.
    pub sealed: Vec<u8>,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// When the person last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// What is kept of a linked account besides, sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedDetails {
    /// So much of the e-mail address there that the person recognises it.
    pub masked_email: Option<String>,
    /// What takes the consent back at the provider.
    pub refresh_token: Option<ProviderSecret>,
    /// The issuer that names the account; of earlier releases it is not known until the next
    /// sign-in with it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The user's credential version when it was linked: what stood for the account before is
    /// good as long as that is the same.
    #[serde(default)]
    pub linked_at_version: CredentialVersion,
}

impl FederatedIdentity {
    /// The most that a user may have.
    pub const MAX: u32 = 10;
}

impl SubjectDigest {
    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they are stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SubjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectDigest(..)")
    }
}
