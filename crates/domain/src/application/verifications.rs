//! Keeping codes and links, checking them, and spending the proofs that come of
//! them.
//!
//! One code or link is alive for each group, address and purpose, and one more for
//! each known device on which its user asks: a new one supersedes the old. What is
//! kept of it is sealed, so that the ephemeral store tells nobody whom it is about.
//!
//! Who checks a code names the verification and need not know more: the code is
//! bound to the id by its digest, the id to group, address and purpose by the
//! seal of the record. A proof is that record, taken over by the right code.

mod keys;
mod links;
mod proofs;

use std::sync::Arc;
use std::time::Duration;

use self::keys::{code_key, key_of, link_key, sign_up_key};
use crate::application::sealed_records::{SealedRecords, damaged};
use crate::application::{Charge, Limits, Sends, Settings};
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Code, DeviceDigest, GroupId, Link, MessageId, OneTimeSecret, PendingSignUp, Proof,
    ProvenUser, Purpose, VerificationId, VerificationRecord,
};
use crate::ports::{Clock, EphemeralStore, GuardedSpending, Reward, Secret};

/// The bytes of an id.
const ID_LEN: usize = 16;

/// Keeps codes and proofs.
pub struct Verifications {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
    limits: Arc<Limits>,
    settings: Arc<Settings>,
}

/// What a new code or link is for.
#[derive(Debug, Clone)]
pub(crate) struct CodeRequest {
    pub(crate) group: GroupId,
    pub(crate) address: Address,
    pub(crate) purpose: Purpose,
    pub(crate) user: Option<ProvenUser>,
    pub(crate) existing: Option<String>,
    pub(crate) sign_up: Option<PendingSignUp>,
    pub(crate) message: Option<MessageId>,
    pub(crate) device: Option<DeviceDigest>,
    pub(crate) ttl: Duration,
}

impl Verifications {
    pub(crate) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
        limits: Arc<Limits>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            records,
            limits,
            settings,
        }
    }

    /// Keeps a code or a link whose message is charged already, in place of an
    /// earlier one for the same address and purpose.
    pub(crate) async fn keep(
        &self,
        request: CodeRequest,
        secret: &OneTimeSecret,
        charge: &Charge,
    ) -> Result<VerificationRecord, Error> {
        let (record, ttl) = self.record(request, secret);
        self.put(None, charge.reward(), &record, secret, ttl)
            .await?;
        Ok(record)
    }

    /// Keeps a code or a link as [`Self::keep`] does and charges its message, in one step:
    /// what is refused leaves the earlier code as it is.
    pub(crate) async fn charge_and_keep(
        &self,
        sends: Sends,
        request: CodeRequest,
        secret: &OneTimeSecret,
    ) -> Result<(Charge, VerificationRecord), Error> {
        let (record, ttl) = self.record(request, secret);
        let spending = self.put(Some(&sends), None, &record, secret, ttl).await?;
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
        let secret = OneTimeSecret::Code(code.clone());
        self.put(None, None, record, &secret, ttl).await.map(drop)
    }

    fn record(
        &self,
        request: CodeRequest,
        secret: &OneTimeSecret,
    ) -> (VerificationRecord, Duration) {
        let now = self.clock.now();
        let (id, link) = match secret {
            OneTimeSecret::Code(_) => (VerificationId::generate(&*self.records.random), None),
            OneTimeSecret::Link(Link { token, .. }) => {
                (token.id(), Some(token.digest(&self.records.codes)))
            }
        };
        let record = VerificationRecord {
            id,
            group: request.group,
            address: request.address,
            purpose: request.purpose,
            user: request.user,
            existing: request.existing,
            sign_up: request.sign_up,
            message: request.message,
            device: request.device,
            link,
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
        secret: &OneTimeSecret,
        ttl: Duration,
    ) -> Result<GuardedSpending, Error> {
        let key = key_of(record);
        let codes = &self.records.codes;
        let (digest, budget) = match secret {
            OneTimeSecret::Code(code) => (
                code.digest(record.id, codes),
                self.limits
                    .wrong_codes_of(&record.address, record.device.as_ref()),
            ),
            OneTimeSecret::Link(Link { token, .. }) => {
                (*token.digest(codes).as_bytes(), self.wrong_tokens())
            }
        };
        let secret = Secret {
            value: &self.seal(record)?,
            secret: &digest,
            budget: &budget,
            expires_at: record.expires_at,
            reward,
        };
        let device = record.device.as_ref();
        let series = self.series(&record.group, &record.address, record.purpose, device);
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

    /// The verification with this id, if its code or link is still alive.
    pub(crate) async fn find(&self, id: VerificationId) -> Result<VerificationRecord, Error> {
        for key in [code_key(id), link_key(id)] {
            if let Some(sealed) = self.ephemeral.get(&key).await? {
                return self.alive(self.open(id, &sealed)?);
            }
        }
        self.find_sign_up(id).await
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

    /// The latest verification of an address that was not asked for on a known
    /// device, if its code is still alive.
    pub(crate) async fn find_latest(
        &self,
        group: &GroupId,
        address: &Address,
        purpose: Purpose,
    ) -> Result<VerificationRecord, Error> {
        let series = self.series(group, address, purpose, None);
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
        let (key, digest) = (sign_up_key(id), code.digest(id, &self.records.codes));
        let compared = self
            .records
            .compare(&key, &digest, None, Refusal::Verification);
        compared.await
    }

    /// Checks a code as [`Self::check_sign_up`] does, and exchanges it for a
    /// proof. Those of sign-ups are not found.
    pub(crate) async fn exchange(&self, id: VerificationId, code: &Code) -> Result<Proof, Error> {
        let new = self.new_proof(id);
        let (key, exchange) = (code_key(id), self.exchange_for(&new));
        let digest = code.digest(id, &self.records.codes);
        let compared = self
            .records
            .compare(&key, &digest, Some(exchange), Refusal::Verification);
        compared.await?;
        Ok(new.proof)
    }

    /// Tries left for a code; one for a link, whose wrong tokens are no tries.
    pub(crate) async fn remaining_tries(&self, record: &VerificationRecord) -> Result<u32, Error> {
        if record.link.is_some() {
            return Ok(1);
        }
        let tried = self.ephemeral.tries(&key_of(record)).await?;
        Ok(self.settings.verification.code_tries.saturating_sub(tried))
    }

    /// Kills a code or a link. If it is gone already, that is no error.
    pub(crate) async fn cancel(&self, id: VerificationId) -> Result<(), Error> {
        for key in [code_key(id), sign_up_key(id), link_key(id)] {
            self.ephemeral.take(&key).await?;
        }
        Ok(())
    }

    fn alive(&self, record: VerificationRecord) -> Result<VerificationRecord, Error> {
        if self.clock.now() < record.expires_at {
            Ok(record)
        } else {
            Err(Refusal::Verification.into())
        }
    }

    fn series(
        &self,
        group: &GroupId,
        address: &Address,
        purpose: Purpose,
        device: Option<&DeviceDigest>,
    ) -> String {
        let parts = [group.as_str(), address.as_str(), purpose.as_str()];
        match device {
            None => self.limits.name("verification", &parts),
            Some(device) => {
                let [group, address, purpose] = parts;
                let parts = [group, address, purpose, &device.to_text()];
                self.limits.name("verification", &parts)
            }
        }
    }

    /// Seals a record. Its id, which the seal is bound to, stands before it in
    /// the clear.
    fn seal(&self, record: &VerificationRecord) -> Result<Vec<u8>, Error> {
        let sealed = self.records.seal(&code_key(record.id), record)?;
        Ok([record.id.as_bytes(), &*sealed].concat())
    }

    fn open(&self, id: VerificationId, value: &[u8]) -> Result<VerificationRecord, Error> {
        let sealed = value.get(ID_LEN..).unwrap_or_default();
        self.records.open(&code_key(id), sealed)
    }
}

impl std::fmt::Debug for Verifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifications(..)")
    }
}
