//! The signing keys in memory: the one that signs, and all that verify.
//!
//! A key that cannot be read is left out and named; the others go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_token::{AccessClaims, Algorithm, KeySet, SigningKey};

use super::freshness::Freshness;
use crate::error::Error;
use crate::model::{KeyState, SealedSigningKey, SealingKey, Timestamp};

/// The keys, replaced as a whole when the database's have changed.
pub struct Keyring {
    sealing: SealingKey,
    keys: ArcSwap<Keys>,
    version: AtomicU64,
    freshness: Freshness,
}

struct Keys {
    sealed: Vec<SealedSigningKey>,
    signing: Option<SigningKey>,
    verifying: Arc<KeySet>,
    listed: Vec<ListedKey>,
    damaged: Vec<String>,
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
    /// There are keys, and none can be read.
    #[error("none of the {0} signing keys can be opened with this master key")]
    AllDamaged(usize),
    /// No key signs.
    #[error("there is no active signing key")]
    NoActiveKey,
}

impl Keyring {
    /// Opens the stored keys.
    ///
    /// # Errors
    /// If none can be read, or none of those that can is active.
    pub fn open(stored: Vec<SealedSigningKey>, sealing: SealingKey) -> Result<Self, KeyringError> {
        let keys = Keys::open(stored, &sealing);
        if keys.listed.is_empty() && !keys.sealed.is_empty() {
            return Err(KeyringError::AllDamaged(keys.sealed.len()));
        }
        if keys.signing.is_none() {
            return Err(KeyringError::NoActiveKey);
        }
        keys.report_damage(&[]);
        Ok(Self {
            sealing,
            keys: ArcSwap::from_pointee(keys),
            version: AtomicU64::new(0),
            freshness: Freshness::new(),
        })
    }

    /// Takes over the stored keys if they have changed, and tells whether they
    /// had. Tokens verified before are then verified again.
    pub fn replace(&self, stored: Vec<SealedSigningKey>) -> bool {
        let stored = in_order(stored);
        let known = self.keys.load();
        if known.sealed == stored {
            return false;
        }
        let keys = Keys::open(stored, &self.sealing);
        keys.report_damage(&known.damaged);
        self.keys.store(Arc::new(keys));
        self.version.fetch_add(1, Ordering::SeqCst);
        true
    }

    /// Notes that the keys are those that the database held at `began`
    /// (monotonic).
    pub fn note_reading(&self, began: Duration) {
        self.freshness.note(began);
    }

    /// Whether the keys were read at most `bound` before `now` (monotonic).
    #[must_use]
    pub fn is_fresh(&self, now: Duration, bound: Duration) -> bool {
        self.freshness.is_within(now, bound)
    }

    /// How long ago the keys were read, at `now` (monotonic).
    #[must_use]
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.freshness.age(now)
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

    /// The `kid`s of the keys that cannot be read.
    #[must_use]
    pub fn damaged(&self) -> Vec<String> {
        self.keys.load().damaged.clone()
    }

    /// Whether there is a key that signs.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.keys.load().signing.is_some()
    }

    /// Signs with the active key.
    ///
    /// # Errors
    /// Unavailable, if no key is active.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, Error> {
        let keys = self.keys.load();
        let signing = keys
            .signing
            .as_ref()
            .ok_or_else(|| Error::Unavailable("there is no active signing key".into()))?;
        signing
            .sign(claims)
            .map_err(|error| Error::Internal(format!("signing: {error}")))
    }
}

/// The key in a stored row.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_key(row: &SealedSigningKey, sealing: &SealingKey) -> Result<SigningKey, String> {
    let secret = sealing
        .open(&row.kid, &row.sealed)
        .map_err(|error| error.to_string())?;
    let key = SigningKey::from_secret(row.algorithm, &secret).map_err(|error| error.to_string())?;
    if key.kid() != row.kid {
        return Err("it is stored under the id of another key".into());
    }
    Ok(key)
}

impl Keys {
    fn open(stored: Vec<SealedSigningKey>, sealing: &SealingKey) -> Self {
        let sealed = in_order(stored);
        let (mut signing, mut verifying) = (None, Vec::new());
        let (mut listed, mut damaged) = (Vec::new(), Vec::new());
        for row in &sealed {
            let Ok(key) = read_key(row, sealing) else {
                damaged.push(row.kid.clone());
                continue;
            };
            verifying.push(key.verifying_key().clone());
            listed.push(ListedKey {
                kid: row.kid.clone(),
                algorithm: row.algorithm,
                state: row.state,
                created_at: row.created_at,
            });
            if row.state == KeyState::Active {
                signing = Some(key);
            }
        }
        let verifying = KeySet::new(verifying).expect("the kids of rows are unique");
        Self {
            sealed,
            signing,
            verifying: Arc::new(verifying),
            listed,
            damaged,
        }
    }

    /// Names the damaged keys that were not damaged before.
    fn report_damage(&self, known: &[String]) {
        for kid in self.damaged.iter().filter(|kid| !known.contains(kid)) {
            tracing::error!(
                kid,
                "a signing key cannot be read, and is left out: its tokens are rejected"
            );
        }
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
