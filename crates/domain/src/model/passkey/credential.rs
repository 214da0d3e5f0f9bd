//! A passkey as it is kept.

use std::fmt;

use aws_lc_rs::digest;

use super::public_key::PublicKey;

/// The SHA-256 of a credential's id, by which it is found: one credential is one
/// user's.
pub type CredentialDigest = [u8; 32];

/// A passkey of a user: the id of its credential and its public key.
pub struct Passkey {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
}

impl Passkey {
    /// The id of the credential: 1 to 1,023 bytes.
    #[must_use]
    pub fn credential_id(&self) -> &[u8] {
        &self.id
    }

    /// What it is found by.
    #[must_use]
    pub fn digest(&self) -> CredentialDigest {
        digest_of(&self.id)
    }

    /// The bytes that are sealed: the length of the id in two bytes, the id, and
    /// the key as COSE.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.id.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes()[..], &self.id, &self.key.cose].concat()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (id, key) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some(Self {
            id: id.to_vec(),
            key: PublicKey::parse(key).ok()?,
        })
    }
}

/// The digest of a credential's id.
pub(super) fn digest_of(id: &[u8]) -> CredentialDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, id).as_ref());
    bytes
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkey(..)")
    }
}
