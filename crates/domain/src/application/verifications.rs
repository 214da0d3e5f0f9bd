//! Making codes, checking them, and spending the proofs that come of them.
//!
//! One code is alive for each group, address and purpose: a new one supersedes
//! the old. What is kept of it is sealed, so that the ephemeral store tells
//! nobody whom it is about.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::application::{Limits, Settings};
use crate::error::{Error, Limit, Refusal};
use crate::model::{
    Address, Code, GroupId, MessageId, PendingSignUp, Proof, ProofRecord, ProvenUser, Purpose,
    SealingKey, Secrets, VerificationId, VerificationRecord,
};
use crate::ports::{Clock, Comparison, EphemeralStore, Exchange, Random, Secret};

/// Keeps codes and proofs.
pub struct Verifications {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    codes: hmac::Key,
    records: SealingKey,
    limits: Arc<Limits>,
    settings: Arc<Settings>,
}

/// What a new code is for.
#[derive(Debug, Clone)]
pub(crate) struct CodeRequest {
    pub(crate) group: GroupId,
    pub(crate) address: Address,
    pub(crate) purpose: Purpose,
    pub(crate) user: Option<ProvenUser>,
    pub(crate) sign_up: Option<PendingSignUp>,
    pub(crate) message: Option<MessageId>,
    pub(crate) ttl: Duration,
}

impl Verifications {
    pub(crate) fn new(
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
            records: secrets.records.clone(),
            limits,
            settings,
        }
    }

    /// Keeps a code, in place of an earlier one for the same address and
    /// purpose.
    pub(crate) async fn keep(
        &self,
        request: CodeRequest,
        code: &Code,
    ) -> Result<VerificationRecord, Error> {
        let now = self.clock.now();
        let record = VerificationRecord {
            id: VerificationId::generate(&*self.random),
            group: request.group,
            address: request.address,
            purpose: request.purpose,
            user: request.user,
            sign_up: request.sign_up,
            message: request.message,
            created_at: now,
            expires_at: now.plus(request.ttl),
        };
        self.put(&record, code, request.ttl).await?;
        Ok(record)
    }

    /// Keeps a code again that was taken as right, for what it was good for and
    /// could not be done.
    pub(crate) async fn restore(
        &self,
        record: &VerificationRecord,
        code: &Code,
    ) -> Result<(), Error> {
        let ttl = record.expires_at.since(self.clock.now());
        if ttl.is_zero() {
            return Ok(());
        }
        self.put(record, code, ttl).await
    }

    async fn put(
        &self,
        record: &VerificationRecord,
        code: &Code,
        ttl: Duration,
    ) -> Result<(), Error> {
        let key = verification_key(record.id);
        let secret = Secret {
            value: &self.seal(&key, record)?,
            secret: &code.digest(record, &self.codes),
        };
        let series = self.series(&record.group, &record.address, record.purpose);
        Ok(self.ephemeral.supersede(&series, &key, secret, ttl).await?)
    }

    /// The verification with this id, if its code is still alive.
    pub(crate) async fn find(&self, id: VerificationId) -> Result<VerificationRecord, Error> {
        let key = verification_key(id);
        let sealed = self.ephemeral.get(&key).await?;
        let sealed = sealed.ok_or(Refusal::Verification)?;
        self.open(&key, &sealed)
            .and_then(|record| self.alive(record))
    }

    /// The latest verification of an address, if its code is still alive.
    pub(crate) async fn find_latest(
        &self,
        group: &GroupId,
        address: &Address,
        purpose: Purpose,
    ) -> Result<VerificationRecord, Error> {
        let series = self.series(group, address, purpose);
        let sealed = self.ephemeral.latest(&series).await?;
        let sealed = sealed.ok_or(Refusal::Verification)?;
        // The id, which the seal is bound to, comes first and in the clear.
        let (id, _) = sealed.split_first_chunk().ok_or(Refusal::Verification)?;
        let key = verification_key(VerificationId::from_bytes(*id));
        self.open(&key, &sealed)
            .and_then(|record| self.alive(record))
    }

    /// Checks a code, which is gone if it was right. A wrong one is charged to
    /// the code and to the address.
    pub(crate) async fn check(
        &self,
        record: &VerificationRecord,
        code: &Code,
    ) -> Result<(), Error> {
        self.compare(record, code, None).await
    }

    /// Checks a code as [`Self::check`] does, and exchanges it for a proof.
    pub(crate) async fn exchange(
        &self,
        record: &VerificationRecord,
        code: &Code,
    ) -> Result<Proof, Error> {
        let proof = Proof::generate(&*self.random);
        let proved = ProofRecord {
            group: record.group.clone(),
            address: record.address.clone(),
            purpose: record.purpose,
            user: record.user,
        };
        let key = proof_key(&proof);
        let exchange = Exchange {
            key: &key,
            value: &self.seal(&key, &proved)?,
            ttl: self.settings.verification.proof_ttl,
        };
        self.compare(record, code, Some(exchange)).await?;
        Ok(proof)
    }

    /// Tries left for a code.
    pub(crate) async fn remaining_tries(&self, record: &VerificationRecord) -> Result<u32, Error> {
        let tried = self.ephemeral.tries(&verification_key(record.id)).await?;
        Ok(self.settings.verification.code_tries.saturating_sub(tried))
    }

    /// Kills a code. If it is gone already, that is no error.
    pub(crate) async fn cancel(&self, id: VerificationId) -> Result<(), Error> {
        self.ephemeral.take(&verification_key(id)).await?;
        Ok(())
    }

    /// What a proof proves, if it is for this purpose. It is not spent yet.
    pub(crate) async fn proof(
        &self,
        proof: &Proof,
        purpose: Purpose,
    ) -> Result<ProofRecord, Error> {
        let key = proof_key(proof);
        let sealed = self.ephemeral.get(&key).await?;
        let record: ProofRecord = self.open(&key, &sealed.ok_or(Refusal::Proof)?)?;
        if record.purpose == purpose {
            Ok(record)
        } else {
            Err(Refusal::Proof.into())
        }
    }

    /// Spends a proof: of many who try at once, one succeeds.
    pub(crate) async fn spend_proof(&self, proof: &Proof) -> Result<(), Error> {
        match self.ephemeral.take(&proof_key(proof)).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::Proof.into()),
        }
    }

    /// Spends a proof as [`Self::spend_proof`] does, but once however often a
    /// unit of work is repeated.
    pub(crate) async fn spend_once(&self, proof: &Proof, is_spent: &mut bool) -> Result<(), Error> {
        if !*is_spent {
            self.spend_proof(proof).await?;
            *is_spent = true;
        }
        Ok(())
    }

    async fn compare(
        &self,
        record: &VerificationRecord,
        code: &Code,
        exchange: Option<Exchange<'_>>,
    ) -> Result<(), Error> {
        let key = verification_key(record.id);
        let digest = code.digest(record, &self.codes);
        let tries = self.settings.verification.code_tries;
        let budget = self.limits.code_tries(&record.address);
        match self
            .ephemeral
            .compare(&key, &digest, tries, &budget, exchange)
            .await?
        {
            Comparison::Matches => Ok(()),
            Comparison::Differs { remaining } => Err(Refusal::Code { remaining }.into()),
            Comparison::Absent => Err(Refusal::Verification.into()),
            Comparison::Exhausted { retry_after } => Err(Error::Exhausted {
                limit: Limit::Attempts,
                retry_after,
            }),
        }
    }

    fn alive(&self, record: VerificationRecord) -> Result<VerificationRecord, Error> {
        if self.clock.now() < record.expires_at {
            Ok(record)
        } else {
            Err(Refusal::Verification.into())
        }
    }

    fn series(&self, group: &GroupId, address: &Address, purpose: Purpose) -> String {
        let parts = [group.as_str(), address.as_str(), purpose.as_str()];
        self.limits.name("verification", &parts)
    }

    fn seal(&self, key: &str, record: &impl Record) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(record)
            .map_err(|error| Error::Internal(format!("a record cannot be written: {error}")))?;
        let mut value = record.head().to_vec();
        value.extend(self.records.seal(key, &plain, &*self.random));
        Ok(value)
    }

    fn open<T: Record>(&self, key: &str, value: &[u8]) -> Result<T, Error> {
        let fault = |what: String| Error::Internal(format!("a kept record {what}"));
        let sealed = value.get(T::HEAD..).unwrap_or_default();
        let plain = self
            .records
            .open(key, sealed)
            .map_err(|error| fault(error.to_string()))?;
        serde_json::from_slice(&plain).map_err(|error| fault(format!("cannot be read: {error}")))
    }
}

/// A record, and what of it stands in the clear before the seal.
trait Record: Serialize + DeserializeOwned {
    const HEAD: usize;
    fn head(&self) -> &[u8];
}

impl Record for VerificationRecord {
    const HEAD: usize = 16;
    fn head(&self) -> &[u8] {
        self.id.as_bytes()
    }
}

impl Record for ProofRecord {
    const HEAD: usize = 0;
    fn head(&self) -> &[u8] {
        &[]
    }
}

fn verification_key(id: VerificationId) -> String {
    format!("verification:{id}")
}

fn proof_key(proof: &Proof) -> String {
    format!("proof:{}", proof.digest())
}

impl std::fmt::Debug for Verifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifications(..)")
    }
}
