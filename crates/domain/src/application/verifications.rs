//! Making codes, checking them, and spending the proofs that come of them.
//!
//! One code is alive for each group, address and purpose: a new one supersedes
//! the old. What is kept of it is sealed, so that the ephemeral store tells
//! nobody whom it is about.
//!
//! Who checks a code names the verification and need not know more: the code is
//! bound to the id by its digest, the id to group, address and purpose by the
//! seal of the record. A proof is that record, taken over by the right code.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;

use crate::application::{Charge, Limits, Sends, Settings};
use crate::error::{Error, Limit, Refusal};
use crate::model::{
    Address, Code, GroupId, MessageId, PendingSignUp, Proof, ProvenUser, Purpose, SealingKey,
    Secrets, VerificationId, VerificationRecord,
};
use crate::ports::{
    Clock, Comparison, EphemeralStore, Exchange, GuardedSpending, Guess, Random, Reward, Secret,
};

/// The bytes of an id.
const ID_LEN: usize = 16;

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

    /// Keeps a code whose message is charged already, in place of an earlier one
    /// for the same address and purpose.
    pub(crate) async fn keep(
        &self,
        request: CodeRequest,
        code: &Code,
        charge: &Charge,
    ) -> Result<VerificationRecord, Error> {
        let (record, ttl) = self.record(request);
        self.put(None, charge.reward(), &record, code, ttl).await?;
        Ok(record)
    }

    /// Keeps a code as [`Self::keep`] does and charges its message, in one step:
    /// what is refused leaves the earlier code as it is.
    pub(crate) async fn charge_and_keep(
        &self,
        sends: Sends,
        request: CodeRequest,
        code: &Code,
    ) -> Result<(Charge, VerificationRecord), Error> {
        let (record, ttl) = self.record(request);
        let spending = self.put(Some(&sends), None, &record, code, ttl).await?;
        Ok((self.limits.charged(sends, spending)?, record))
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
        self.put(None, None, record, code, ttl).await.map(drop)
    }

    fn record(&self, request: CodeRequest) -> (VerificationRecord, Duration) {
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
        (record, request.ttl)
    }

    async fn put(
        &self,
        sends: Option<&Sends>,
        reward: Option<&Reward>,
        record: &VerificationRecord,
        code: &Code,
        ttl: Duration,
    ) -> Result<GuardedSpending, Error> {
        let key = key_of(record);
        let secret = Secret {
            value: &self.seal(record)?,
            secret: &code.digest(record.id, &self.codes),
            budget: &self.limits.wrong_codes_of(&record.address),
            expires_at: record.expires_at,
            reward,
        };
        let series = self.series(&record.group, &record.address, record.purpose);
        let budgets = sends.map(Sends::budgets).unwrap_or_default();
        let kept = match sends.and_then(Sends::guard) {
            Some(guard) => {
                self.ephemeral
                    .supersede_guarded(budgets, guard, &series, &key, secret, ttl)
                    .await?
            }
            None => {
                let kept = self
                    .ephemeral
                    .supersede(budgets, &series, &key, secret, ttl);
                kept.await?.into()
            }
        };
        Ok(kept)
    }

    /// The verification with this id, if its code is still alive.
    pub(crate) async fn find(&self, id: VerificationId) -> Result<VerificationRecord, Error> {
        match self.ephemeral.get(&code_key(id)).await? {
            Some(sealed) => self.alive(self.open(id, &sealed)?),
            None => self.find_sign_up(id).await,
        }
    }

    /// The verification with this id that completes a sign-up, if its code is
    /// still alive.
    pub(crate) async fn find_sign_up(
        &self,
        id: VerificationId,
    ) -> Result<VerificationRecord, Error> {
        let sealed = self.ephemeral.get(&sign_up_key(id)).await?;
        self.alive(self.open(id, &sealed.ok_or(Refusal::Verification)?)?)
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
        let id = sealed
            .first_chunk()
            .ok_or_else(|| damaged("is too short"))?;
        self.alive(self.open(VerificationId::from_bytes(*id), &sealed)?)
    }

    /// Checks the code of a sign-up, which is gone if it was right. A wrong one
    /// is charged to the code and to the address.
    pub(crate) async fn check_sign_up(&self, id: VerificationId, code: &Code) -> Result<(), Error> {
        self.compare(&sign_up_key(id), id, code, None).await
    }

    /// Checks a code as [`Self::check_sign_up`] does, and exchanges it for a
    /// proof. Those of sign-ups are not found.
    pub(crate) async fn exchange(&self, id: VerificationId, code: &Code) -> Result<Proof, Error> {
        let proof = Proof::generate(&*self.random);
        let key = proof_key(&proof);
        let exchange = Exchange {
            key: &key,
            head: &self.records.seal(&key, id.as_bytes(), &*self.random),
            ttl: self.settings.verification.proof_ttl,
        };
        self.compare(&code_key(id), id, code, Some(exchange))
            .await?;
        Ok(proof)
    }

    /// Tries left for a code.
    pub(crate) async fn remaining_tries(&self, record: &VerificationRecord) -> Result<u32, Error> {
        let tried = self.ephemeral.tries(&key_of(record)).await?;
        Ok(self.settings.verification.code_tries.saturating_sub(tried))
    }

    /// Kills a code. If it is gone already, that is no error.
    pub(crate) async fn cancel(&self, id: VerificationId) -> Result<(), Error> {
        for key in [code_key(id), sign_up_key(id)] {
            self.ephemeral.take(&key).await?;
        }
        Ok(())
    }

    /// The verification that a proof comes of, if it was for this purpose. The
    /// proof is not spent yet.
    pub(crate) async fn proof(
        &self,
        proof: &Proof,
        purpose: Purpose,
    ) -> Result<VerificationRecord, Error> {
        let key = proof_key(proof);
        let kept = self.ephemeral.get(&key).await?.ok_or(Refusal::Proof)?;
        let (head, sealed) = kept
            .split_at_checked(SealingKey::sealed_len(ID_LEN))
            .ok_or_else(|| damaged("is too short"))?;
        let id = self.records.open(&key, head).map_err(damaged)?;
        let id = id.first_chunk().ok_or_else(|| damaged("is too short"))?;
        let record = self.open(VerificationId::from_bytes(*id), sealed)?;
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
        key: &str,
        id: VerificationId,
        code: &Code,
        exchange: Option<Exchange<'_>>,
    ) -> Result<(), Error> {
        let (limit, window) = self.limits.wrong_codes();
        let guess = Guess {
            secret: &code.digest(id, &self.codes),
            at: self.clock.now(),
            tries: self.settings.verification.code_tries,
            limit,
            window,
        };
        match self.ephemeral.compare(key, guess, exchange).await? {
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

    /// Seals a record. Its id, which the seal is bound to, stands before it in
    /// the clear.
    fn seal(&self, record: &VerificationRecord) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(record)
            .map_err(|error| Error::Internal(format!("a record cannot be written: {error}")))?;
        let sealed = self
            .records
            .seal(&code_key(record.id), &plain, &*self.random);
        Ok([record.id.as_bytes(), &*sealed].concat())
    }

    fn open(&self, id: VerificationId, value: &[u8]) -> Result<VerificationRecord, Error> {
        let sealed = value.get(ID_LEN..).unwrap_or_default();
        let plain = self.records.open(&code_key(id), sealed);
        serde_json::from_slice(&plain.map_err(damaged)?).map_err(damaged)
    }
}

fn damaged(what: impl Display) -> Error {
    Error::Internal(format!("a kept record: {what}"))
}

fn key_of(record: &VerificationRecord) -> String {
    match record.purpose {
        Purpose::SignUp | Purpose::SignIn | Purpose::PasswordReset => code_key(record.id),
        Purpose::ConfirmSignUp => sign_up_key(record.id),
    }
}

/// The key of a code that is exchanged for a proof.
fn code_key(id: VerificationId) -> String {
    format!("verification:{id}")
}

/// The key of a code that completes a sign-up.
fn sign_up_key(id: VerificationId) -> String {
    format!("sign-up:{id}")
}

fn proof_key(proof: &Proof) -> String {
    format!("proof:{}", proof.digest())
}

impl std::fmt::Debug for Verifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifications(..)")
    }
}
