//! The signing keys in memory: the one that signs, and all that verify.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use countersign_token::{Algorithm, KeyError, KeySet, SigningKey};

use crate::model::{KeyState, MasterKey, SealError, SealedSigningKey, Timestamp};

/// The keys, replaced as a whole when the database's have changed.
pub struct Keyring {
    keys: ArcSwap<Keys>,
    version: AtomicU64,
}

struct Keys {
    sealed: Vec<SealedSigningKey>,
    signing: SigningKey,
    verifying: Arc<KeySet>,
    listed: Vec<ListedKey>,
}

/// A key as it is shown to those who verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Its `kid`.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why the stored keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// No key signs.
    #[error("there is no active signing key")]
    NoActiveKey,
    /// A key cannot be opened.
    #[error("signing key {kid} {cause}")]
    Sealed {
        /// Which key.
        kid: String,
        /// Why.
        cause: SealError,
    },
    /// A key is not one.
    #[error("signing key {kid}: {cause}")]
    Key {
        /// Which key.
        kid: String,
        /// Why.
        cause: KeyError,
    },
}

impl Keyring {
    /// Opens the stored keys.
    ///
    /// # Errors
    /// If a key cannot be opened or read, or none is active.
    pub fn open(stored: Vec<SealedSigningKey>, master: &MasterKey) -> Result<Self, KeyringError> {
        Ok(Self {
            keys: ArcSwap::from_pointee(Keys::open(stored, master)?),
            version: AtomicU64::new(0),
        })
    }

    /// Takes over the stored keys if they have changed, and tells whether they
    /// had. Tokens verified before are then verified again.
    ///
    /// # Errors
    /// As [`Self::open`]; the keys stay as they were.
    pub fn replace(
        &self,
        stored: Vec<SealedSigningKey>,
        master: &MasterKey,
    ) -> Result<bool, KeyringError> {
        let stored = in_order(stored);
        if self.keys.load().sealed == stored {
            return Ok(false);
        }
        self.keys.store(Arc::new(Keys::open(stored, master)?));
        self.version.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }

    /// Rises with every replacement. Read it *before* verifying: what was
    /// verified under an older version is not to be trusted.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// The keys that verify.
    #[must_use]
    pub fn verifying(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.load().verifying)
    }

    /// The keys as they are shown, the active one first.
    #[must_use]
    pub fn listed(&self) -> Vec<ListedKey> {
        self.keys.load().listed.clone()
    }

    /// Signs with the active key.
    ///
    /// # Errors
    /// If the claims cannot be written.
    pub fn sign(&self, claims: &countersign_token::AccessClaims) -> Result<String, KeyError> {
        self.keys.load().signing.sign(claims)
    }
}

impl Keys {
    fn open(stored: Vec<SealedSigningKey>, master: &MasterKey) -> Result<Self, KeyringError> {
        let sealed = in_order(stored);
        let mut signing = None;
        let mut verifying = Vec::new();
        for row in &sealed {
            let secret =
                master
                    .open(&row.kid, &row.sealed)
                    .map_err(|cause| KeyringError::Sealed {
                        kid: row.kid.clone(),
                        cause,
                    })?;
            let key = SigningKey::from_secret(row.algorithm, &secret).map_err(|cause| {
                KeyringError::Key {
                    kid: row.kid.clone(),
                    cause,
                }
            })?;
            verifying.push(key.verifying_key().clone());
            if row.state == KeyState::Active {
                signing = Some(key);
            }
        }
        let verifying = KeySet::new(verifying).map_err(|cause| KeyringError::Key {
            kid: "(all)".into(),
            cause,
        })?;
        let listed = sealed
            .iter()
            .map(|row| ListedKey {
                kid: row.kid.clone(),
                algorithm: row.algorithm,
                state: row.state,
                created_at: row.created_at,
            })
            .collect();
        let signing = signing.ok_or(KeyringError::NoActiveKey)?;
        Ok(Self {
            sealed,
            signing,
            verifying: Arc::new(verifying),
            listed,
        })
    }
}

fn in_order(mut stored: Vec<SealedSigningKey>) -> Vec<SealedSigningKey> {
    stored.sort_by(|a, b| (a.state, &a.kid).cmp(&(b.state, &b.kid)));
    stored
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.listed())
            .finish_non_exhaustive()
    }
}
