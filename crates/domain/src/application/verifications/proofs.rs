//! Proofs: the records of verifications that were passed, to be spent once.

use super::keys::proof_key;
use super::{ID_LEN, Verifications};
use crate::application::sealed_records::damaged;
use crate::error::{Error, Refusal};
use crate::model::{Proof, Purpose, SealingKey, VerificationId, VerificationRecord};
use crate::ports::Exchange;

/// A proof that the right answer leaves in the place of a verification.
pub(super) struct NewProof {
    pub(super) proof: Proof,
    key: String,
    head: Vec<u8>,
}

impl Verifications {
    /// A proof of a verification, which is not kept yet.
    pub(super) fn new_proof(&self, id: VerificationId) -> NewProof {
        let proof = Proof::generate(&*self.records.random);
        let key = proof_key(&proof);
        let sealing = &self.records.key;
        let head = sealing.seal(&key, id.as_bytes(), &*self.records.random);
        NewProof { proof, key, head }
    }

    /// What keeps a new proof.
    pub(super) fn exchange_for<'a>(&self, new: &'a NewProof) -> Exchange<'a> {
        Exchange {
            key: &new.key,
            head: &new.head,
            ttl: self.settings.verification.proof_ttl,
        }
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
        let id = self.records.key.open(&key, head).map_err(damaged)?;
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
        let key = proof_key(proof);
        self.records.take(&key, Refusal::Proof).await
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
}
