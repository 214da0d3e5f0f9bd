//! The master key, which the database does not hold. From it come the keys that
//! seal signing keys, records and messages, and those of refresh tokens and
//! codes (HKDF-SHA-256, RFC 5869).

use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::model::{RefreshTokenKey, SealingKey};
use crate::ports::Random;

/// 32 random bytes, written as base64. Never shown.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why a text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes in base64 (44 characters), as `openssl rand -base64 32` writes them")]
pub struct MasterKeyError;

/// The keys that come from the master key.
#[derive(Clone)]
pub struct Secrets {
    /// Makes and checks refresh tokens.
    pub refresh: RefreshTokenKey,
    /// Keys the digests of codes.
    pub code: hmac::Key,
    /// Keys the names in the ephemeral store.
    pub names: hmac::Key,
    /// Seals what is kept in the ephemeral store.
    pub records: SealingKey,
    /// Seals the messages in the outbox.
    pub messages: SealingKey,
    /// Seals the secrets of second factors.
    pub factors: SealingKey,
    /// Keys the digests of recovery codes.
    pub recovery: hmac::Key,
    /// Marks the challenges of passkeys that are not kept.
    pub challenges: hmac::Key,
    /// Seals the changes of addresses that can be undone.
    pub undos: SealingKey,
    /// Keys the digests of addresses that are held.
    pub held: hmac::Key,
    /// Keys the digests of addresses that may not join again yet.
    pub tombstones: hmac::Key,
    /// Keys the digests of accounts at providers.
    pub subjects: hmac::Key,
    /// Seals what is kept of accounts at providers.
    pub federated: SealingKey,
}

impl MasterKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// Reads a key as [`Self::encode`] writes it.
    ///
    /// # Errors
    /// If it is not 32 bytes in base64.
    pub fn decode(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| MasterKeyError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The key as base64, to be kept in a file.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }

    /// The keys that come from this one.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let id = self.derive(b"countersign key id");
        Secrets {
            refresh: RefreshTokenKey::new(
                [id[0], id[1], id[2], id[3]],
                &*self.derive(b"countersign refresh token"),
            ),
            code: hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(b"countersign code")),
            names: hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(b"countersign names")),
            records: SealingKey::new(&self.derive(b"countersign records")),
            messages: SealingKey::new(&self.derive(b"countersign messages")),
            factors: SealingKey::new(&self.derive(b"countersign factors")),
            recovery: hmac::Key::new(
                hmac::HMAC_SHA256,
                &*self.derive(b"countersign recovery codes"),
            ),
            challenges: hmac::Key::new(
                hmac::HMAC_SHA256,
                &*self.derive(b"countersign passkey challenges"),
            ),
            undos: SealingKey::new(&self.derive(b"countersign identifier undos")),
            held: hmac::Key::new(
                hmac::HMAC_SHA256,
                &*self.derive(b"countersign held identifiers"),
            ),
            tombstones: hmac::Key::new(hmac::HMAC_SHA256, &*self.derive(b"countersign tombstones")),
            subjects: hmac::Key::new(
                hmac::HMAC_SHA256,
                &*self.derive(b"countersign provider subjects"),
            ),
            federated: SealingKey::new(&self.derive(b"countersign federated identities")),
        }
    }

    /// A name that replicas with this master key have in common. It tells
    /// nothing of the key.
    #[must_use]
    pub fn scope(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.derive(b"countersign scope")[..12])
    }

    /// Seals the signing keys.
    #[must_use]
    pub fn signing_keys(&self) -> SealingKey {
        SealingKey::new(&self.derive(b"countersign signing keys"))
    }

    fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"countersign v1")
            .extract(&*self.0)
            .expand(&[purpose], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *key))
            .expect("32 bytes are within HKDF's bounds");
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}
