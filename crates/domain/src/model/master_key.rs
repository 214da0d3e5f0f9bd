//! The master key, which the database does not hold: it seals the signing keys
//! (AES-256-GCM), and from it come the keys of refresh tokens and codes
//! (HKDF-SHA-256, RFC 5869).

use std::fmt;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::model::RefreshTokenKey;
use crate::ports::Random;

/// 32 random bytes, written as base64. Never shown.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why a text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes in base64 (44 characters), as `openssl rand -base64 32` writes them")]
pub struct MasterKeyError;

/// A sealed text could not be opened: another master key, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened with this master key: it is another's, or damaged")]
pub struct SealError;

/// The keys that come from the master key.
#[derive(Clone)]
pub struct Secrets {
    /// Makes and checks refresh tokens.
    pub refresh: RefreshTokenKey,
    /// Keys the digests of codes.
    pub code: hmac::Key,
    /// Keys the names in the ephemeral store.
    pub names: hmac::Key,
}

const SEAL_VERSION: u8 = 1;

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
        }
    }

    /// Seals `plain`; `name` is bound to it and must be shown to open it.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let mut nonce = [0; aead::NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed =
            Vec::with_capacity(1 + nonce.len() + plain.len() + aead::AES_256_GCM.tag_len());
        sealed.push(SEAL_VERSION);
        sealed.extend_from_slice(&nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = self
            .sealing_key()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut text,
            )
            .expect("a key of a few hundred bytes is within AES-GCM's bounds");
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Self::seal`] sealed under `name`.
    ///
    /// # Errors
    /// If another key sealed it, or it was altered, or sealed under another name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (&version, rest) = sealed.split_first().ok_or(SealError)?;
        let (nonce, text) = rest.split_at_checked(aead::NONCE_LEN).ok_or(SealError)?;
        if version != SEAL_VERSION {
            return Err(SealError);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .sealing_key()
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut text)
            .map_err(|_| SealError)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    fn sealing_key(&self) -> LessSafeKey {
        let key = self.derive(b"countersign signing keys");
        LessSafeKey::new(
            UnboundKey::new(&aead::AES_256_GCM, &*key).expect("a 32-byte key fits AES-256"),
        )
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
