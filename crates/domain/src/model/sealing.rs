//! Sealing what is stored (AES-256-GCM): a version, a nonce, the text and its
//! tag.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::ports::Random;

/// A key that seals. Never shown.
#[derive(Clone)]
pub struct SealingKey(Arc<LessSafeKey>);

/// A sealed text could not be opened: another master key, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened with this master key: it is another's, or damaged")]
pub struct SealError;

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;

impl SealingKey {
    /// The key of these bytes.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&aead::AES_256_GCM, key).expect("a 32-byte key fits AES-256");
        Self(Arc::new(LessSafeKey::new(key)))
    }

    /// Seals `plain`; `name` is bound to it and must be shown to open it.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let mut nonce = [0; aead::NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(Self::sealed_len(plain.len()));
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut text,
            )
            .expect("what is sealed is far below AES-GCM's bounds");
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// How long a sealed text of `len` bytes is.
    #[must_use]
    pub const fn sealed_len(len: usize) -> usize {
        1 + aead::NONCE_LEN + len + TAG_LEN
    }

    /// Opens what [`Self::seal`] sealed under `name`.
    ///
    /// # Errors
    /// If another key sealed it, or it was altered, or sealed under another name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (&version, rest) = sealed.split_first().ok_or(SealError)?;
        let (nonce, text) = rest.split_at_checked(aead::NONCE_LEN).ok_or(SealError)?;
        if version != VERSION {
            return Err(SealError);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut text)
            .map_err(|_| SealError)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}
