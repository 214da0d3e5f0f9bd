//! A hasher for tests of the domain: it hashes nothing, and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{HashFormat, ImportedHash, Password, PasswordHash};
use crate::ports::{HashError, HashingPlace, PasswordHasher, Replacement, Verdict};

/// Keeps passwords in the clear, and counts how often it is asked.
#[derive(Debug, Default)]
pub struct PlainHasher {
    hashes: Arc<AtomicU32>,
    places: AtomicU32,
    is_overloaded: AtomicBool,
}

/// A place in a queue that has no end.
struct PlainPlace(Arc<AtomicU32>);

impl PlainHasher {
    /// How many hashes were computed since the last time this was asked.
    pub fn take_count(&self) -> u32 {
        self.hashes.swap(0, Ordering::SeqCst)
    }

    /// How many places in the queue were taken since the last time this was asked.
    pub fn take_places(&self) -> u32 {
        self.places.swap(0, Ordering::SeqCst)
    }

    /// Lets it be overloaded from now on, or not.
    pub fn overload(&self, is_overloaded: bool) {
        self.is_overloaded.store(is_overloaded, Ordering::SeqCst);
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    fn admit(&self) -> Result<Box<dyn HashingPlace>, HashError> {
        if self.is_overloaded.load(Ordering::SeqCst) {
            return Err(HashError::Overloaded {
                retry_after: Duration::from_secs(1),
            });
        }
        self.places.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(PlainPlace(Arc::clone(&self.hashes))))
    }

    fn assess(&self, password: &Password, known: &[&str]) -> Result<(), String> {
        if known.contains(&password.expose()) || password.expose() == "password" {
            return Err("must not be easy to guess".into());
        }
        Ok(())
    }

    /// `old:PASSWORD` is a hash, `digest:PASSWORD` a digest.
    fn import(&self, _: HashFormat, hash: &str) -> Result<ImportedHash, &'static str> {
        let (format, _) = hash.split_once(':').unwrap_or_default();
        if !["old", "digest"].contains(&format) {
            return Err("must be old: or digest: and the password");
        }
        Ok(ImportedHash {
            hash: PasswordHash::new(hash.into()),
            is_digest: format == "digest",
        })
    }
}

#[async_trait]
impl HashingPlace for PlainPlace {
    async fn hash(self: Box<Self>, password: Password) -> Result<PasswordHash, HashError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(plain(password.expose()))
    }

    async fn verify(
        self: Box<Self>,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let stored = hash.as_ref().map(PasswordHash::expose).unwrap_or_default();
        let (format, kept) = stored.split_once(':').unwrap_or_default();
        let matches = hash.is_some() && kept == password.expose();
        let replacement = (matches && format != "plain").then(|| {
            Replacement::new(Box::pin(async move {
                self.0.fetch_add(1, Ordering::SeqCst);
                Some(plain(password.expose()))
            }))
        });
        Ok(Verdict::new(matches, replacement))
    }

    /// The digest takes no time, and is not counted.
    async fn verify_digest(
        self: Box<Self>,
        password: Password,
        digest: ImportedHash,
    ) -> Result<(Verdict, PasswordHash), HashError> {
        let matches = digest.hash.expose() == format!("digest:{}", password.expose());
        let stored = match matches {
            true => self.hash(password).await,
            false => self.wrap(digest).await,
        };
        Ok((Verdict::new(matches, None), stored?))
    }

    async fn wrap(self: Box<Self>, imported: ImportedHash) -> Result<PasswordHash, HashError> {
        let Some(password) = imported.hash.expose().strip_prefix("digest:") else {
            return Ok(imported.hash);
        };
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(PasswordHash::new(format!("wrapped:{password}")))
    }
}

fn plain(password: &str) -> PasswordHash {
    PasswordHash::new(format!("plain:{password}"))
}
