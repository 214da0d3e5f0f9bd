//! Records in the ephemeral store: sealed, so that it tells nobody whom they are
//! about, and good for one answer.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::application::{Limits, Settings};
use crate::error::{Error, Limit, Refusal};
use crate::model::{SealingKey, Secrets};
use crate::ports::{Clock, Comparison, EphemeralStore, Exchange, Guess, Random};

/// Seals and opens records, and compares the answers to them.
#[derive(Clone)]
pub(crate) struct SealedRecords {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    /// What the digests of codes are made with.
    pub(super) codes: hmac::Key,
    pub(super) key: SealingKey,
    limits: Arc<Limits>,
    settings: Arc<Settings>,
}

impl SealedRecords {
    pub(super) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        secrets: &Secrets,
        limits: Arc<Limits>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            random,
            codes: secrets.code.clone(),
            key: secrets.records.clone(),
            limits,
            settings,
        }
    }

    /// Seals a record; `name` is bound to it.
    pub(super) fn seal(&self, name: &str, record: &impl Serialize) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(record)
            .map(Zeroizing::new)
            .map_err(|error| Error::Internal(format!("a record cannot be written: {error}")))?;
        Ok(self.key.seal(name, &plain, &*self.random))
    }

    /// Opens what [`Self::seal`] sealed under `name`.
    pub(super) fn open<R: DeserializeOwned>(&self, name: &str, sealed: &[u8]) -> Result<R, Error> {
        let plain = self.key.open(name, sealed).map_err(damaged)?;
        serde_json::from_slice(&plain).map_err(damaged)
    }

    /// Takes what is kept under a key: of many who try at once, one succeeds.
    pub(super) async fn take(&self, key: &str, absent: Refusal) -> Result<(), Error> {
        match self.ephemeral.take(key).await? {
            Some(_) => Ok(()),
            None => Err(absent.into()),
        }
    }

    /// Compares the digest of what was typed, as [`EphemeralStore::compare`]
    /// does.
    pub(super) async fn compare(
        &self,
        key: &str,
        digest: &[u8],
        exchange: Option<Exchange<'_>>,
        absent: Refusal,
    ) -> Result<(), Error> {
        let (limit, window) = self.limits.wrong_codes();
        let guess = Guess {
            secret: digest,
            at: self.clock.now(),
            tries: self.settings.verification.code_tries,
            limit,
            window,
        };
        match self.ephemeral.compare(key, guess, exchange).await? {
            Comparison::Matches => Ok(()),
            Comparison::Differs { remaining } => Err(Refusal::Code { remaining }.into()),
            Comparison::Absent => Err(absent.into()),
            Comparison::Exhausted { retry_after } => Err(Error::Exhausted {
                limit: Limit::Attempts,
                retry_after,
            }),
        }
    }
}

/// A record that is there and cannot be used.
pub(super) fn damaged(what: impl fmt::Display) -> Error {
    Error::Internal(format!("a kept record: {what}"))
}

impl fmt::Debug for SealedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedRecords(..)")
    }
}
