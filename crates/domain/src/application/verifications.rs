//! Making codes, checking them, and spending the proofs that come of them.
//!
//! One code is alive for each group, address and purpose: its digest is kept
//! under a name made of these, so that a new code replaces the old one. Beside
//! it stands the record of the verification, under its id.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::application::Application;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, Code, GroupId, Proof, ProofRecord, Purpose, UserId, VerificationId, VerificationRecord,
};
use crate::ports::Comparison;

/// What a new code is for.
#[derive(Debug, Clone)]
pub(crate) struct CodeRequest {
    pub(crate) group: GroupId,
    pub(crate) address: Address,
    pub(crate) purpose: Purpose,
    pub(crate) user_id: Option<UserId>,
    pub(crate) ttl: Duration,
}

impl Application {
    /// Keeps a code, in place of an earlier one for the same address and
    /// purpose.
    pub(crate) async fn keep_code(
        &self,
        request: CodeRequest,
        code: &Code,
    ) -> Result<VerificationRecord, Error> {
        let now = self.clock.now();
        let ttl = request.ttl;
        let record = VerificationRecord {
            id: VerificationId::generate(&*self.random),
            group: request.group,
            address: request.address,
            purpose: request.purpose,
            user_id: request.user_id,
            created_at: now,
            expires_at: now.plus(ttl),
        };
        let digest = code.digest(&record, &self.secrets.code);
        let bytes = encode(&record)?;
        self.ephemeral
            .put(&record_name(record.id), &bytes, ttl)
            .await?;
        self.ephemeral
            .put(&self.latest_name(&record), record.id.as_bytes(), ttl)
            .await?;
        self.ephemeral
            .put(&self.code_name(&record), &digest, ttl)
            .await?;
        Ok(record)
    }

    /// The verification with this id, if its code is still alive.
    pub(crate) async fn verification(
        &self,
        id: VerificationId,
    ) -> Result<VerificationRecord, Error> {
        let bytes = self
            .ephemeral
            .get(&record_name(id))
            .await?
            .ok_or(Refusal::Verification)?;
        let record: VerificationRecord = decode(&bytes)?;
        let latest = self.ephemeral.get(&self.latest_name(&record)).await?;
        let is_alive = latest.as_deref() == Some(id.as_bytes())
            && self
                .ephemeral
                .get(&self.code_name(&record))
                .await?
                .is_some()
            && self.clock.now() < record.expires_at;
        if is_alive {
            Ok(record)
        } else {
            Err(Refusal::Verification.into())
        }
    }

    /// The id of the latest verification of an address.
    pub(crate) async fn latest_verification(
        &self,
        group: &GroupId,
        address: &Address,
        purpose: Purpose,
    ) -> Result<VerificationId, Error> {
        let name = self.secrets.name(
            "latest",
            &[group.as_str(), address.as_str(), purpose.as_str()],
        );
        let bytes = self
            .ephemeral
            .get(&name)
            .await?
            .ok_or(Refusal::Verification)?;
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| Refusal::Verification)?;
        Ok(VerificationId::from_bytes(bytes))
    }

    /// Checks a code. Each try is counted, for the code and for the address,
    /// before it is compared; the right code is gone with this.
    pub(crate) async fn check_code(
        &self,
        record: &VerificationRecord,
        code: &Code,
    ) -> Result<(), Error> {
        self.count_code_try(&record.group, &record.address).await?;
        let digest = code.digest(record, &self.secrets.code);
        let tries = self.settings.verification.code_tries;
        match self
            .ephemeral
            .compare(&self.code_name(record), &digest, tries)
            .await?
        {
            Comparison::Matches => self.forget_code_tries(&record.group, &record.address).await,
            Comparison::Differs { remaining } => Err(Refusal::Code { remaining }.into()),
            Comparison::Absent => Err(Refusal::Verification.into()),
        }
    }

    /// Tries left for a code.
    pub(crate) async fn remaining_tries(&self, record: &VerificationRecord) -> Result<u32, Error> {
        let tried = self.ephemeral.tries(&self.code_name(record)).await?;
        Ok(self.settings.verification.code_tries.saturating_sub(tried))
    }

    /// Kills a code.
    pub(crate) async fn cancel_code(&self, record: &VerificationRecord) -> Result<(), Error> {
        self.ephemeral.take(&self.code_name(record)).await?;
        Ok(())
    }

    /// Keeps a proof of a passed verification.
    pub(crate) async fn keep_proof(&self, record: &VerificationRecord) -> Result<Proof, Error> {
        let proof = Proof::generate(&*self.random);
        let proved = ProofRecord {
            group: record.group.clone(),
            address: record.address.clone(),
            purpose: record.purpose,
        };
        let ttl = self.settings.verification.proof_ttl;
        self.ephemeral
            .put(&proof_name(&proof), &encode(&proved)?, ttl)
            .await?;
        Ok(proof)
    }

    /// What a proof proves, if it is for this purpose. It is not spent yet.
    pub(crate) async fn look_at_proof(
        &self,
        proof: &Proof,
        purpose: Purpose,
    ) -> Result<ProofRecord, Error> {
        let bytes = self
            .ephemeral
            .get(&proof_name(proof))
            .await?
            .ok_or(Refusal::Proof)?;
        let record: ProofRecord = decode(&bytes)?;
        if record.purpose == purpose {
            Ok(record)
        } else {
            Err(Refusal::Proof.into())
        }
    }

    /// Spends a proof: of many who try at once, one succeeds.
    pub(crate) async fn spend_proof(&self, proof: &Proof) -> Result<(), Error> {
        match self.ephemeral.take(&proof_name(proof)).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::Proof.into()),
        }
    }

    fn code_name(&self, record: &VerificationRecord) -> String {
        self.secrets.name(
            "code",
            &[
                record.group.as_str(),
                record.address.as_str(),
                record.purpose.as_str(),
            ],
        )
    }

    fn latest_name(&self, record: &VerificationRecord) -> String {
        self.secrets.name(
            "latest",
            &[
                record.group.as_str(),
                record.address.as_str(),
                record.purpose.as_str(),
            ],
        )
    }
}

fn record_name(id: VerificationId) -> String {
    format!("verification:{id}")
}

fn proof_name(proof: &Proof) -> String {
    format!("proof:{}", proof.digest())
}

fn encode(record: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(record)
        .map_err(|error| Error::Internal(format!("a record cannot be written: {error}")))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Internal(format!("a kept record cannot be read: {error}")))
}
