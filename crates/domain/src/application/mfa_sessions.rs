//! Keeping MFA sessions, and comparing the answers to them.
//!
//! One MFA session is alive for each user: a new one supersedes the old. Wrong
//! answers are charged to the session and to its user, so that a new session
//! brings no new budget. Its id is a secret and is not stored; what is kept
//! under its digest is sealed.

use std::sync::Arc;

use crate::application::sealed_records::SealedRecords;
use crate::application::{Charge, Limits};
use crate::error::{Error, Refusal};
use crate::model::{Code, GroupId, MfaSessionId, MfaSessionRecord, NamedUser};
use crate::ports::{Clock, EphemeralStore, Secret};

/// Keeps MFA sessions.
pub struct MfaSessions {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
    limits: Arc<Limits>,
}

impl MfaSessions {
    pub(crate) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            records,
            limits,
        }
    }

    /// Keeps an MFA session that is answered with a code, in place of an earlier
    /// one of the same user. If there is no user, `named` stands for it. Its
    /// message is charged already.
    pub(crate) async fn keep(
        &self,
        record: &MfaSessionRecord,
        named: &NamedUser,
        code: &Code,
        charge: &Charge,
    ) -> Result<MfaSessionId, Error> {
        let id = MfaSessionId::generate(&*self.records.random);
        let key = key_of(&id);
        let sealed = self.records.seal(&key, record)?;
        let named = match record.user {
            Some(user) => NamedUser::Id(user.id),
            None => named.clone(),
        };
        let secret = Secret {
            value: &sealed,
            secret: &self.digest(code, &id),
            budget: &self.limits.wrong_answers_of(&named),
            expires_at: record.expires_at,
            reward: charge.reward(),
        };
        let series = self.limits.mfa_sessions_of(&record.group, &named);
        let ttl = record.expires_at.since(self.clock.now());
        self.ephemeral
            .supersede(&[], &series, &key, secret, ttl)
            .await?;
        Ok(id)
    }

    /// Keeps an MFA session that is answered with enrolled factors.
    pub(crate) async fn keep_for_factors(
        &self,
        record: &MfaSessionRecord,
    ) -> Result<MfaSessionId, Error> {
        let id = MfaSessionId::generate(&*self.records.random);
        let key = key_of(&id);
        let sealed = self.records.seal(&key, record)?;
        let ttl = record.expires_at.since(self.clock.now());
        self.ephemeral.put(&key, &sealed, ttl).await?;
        Ok(id)
    }

    /// Whether an MFA session waits for an answer.
    ///
    /// # Errors
    /// It was answered, or has expired; what cannot be told.
    pub(crate) async fn waits(&self, id: &MfaSessionId) -> Result<(), Error> {
        let kept = self.ephemeral.get(&key_of(id)).await?;
        kept.map(drop).ok_or(Refusal::MfaSession.into())
    }

    /// Takes an MFA session: of many who try at once, one succeeds.
    pub(crate) async fn take(&self, id: &MfaSessionId) -> Result<(), Error> {
        self.records.take(&key_of(id), Refusal::MfaSession).await
    }

    /// The MFA session with this id, if it is alive, of this group, and was
    /// created by this caller.
    pub(crate) async fn find(
        &self,
        id: &MfaSessionId,
        group: &GroupId,
        client_id: &str,
    ) -> Result<MfaSessionRecord, Error> {
        let key = key_of(id);
        let sealed = self.ephemeral.get(&key).await?.ok_or(Refusal::MfaSession)?;
        let record: MfaSessionRecord = self.records.open(&key, &sealed)?;
        let is_alive = self.clock.now() < record.expires_at;
        if is_alive && record.group == *group && record.client_id == client_id {
            Ok(record)
        } else {
            Err(Refusal::MfaSession.into())
        }
    }

    /// Compares the answer to an MFA session, which is gone if it was right.
    pub(crate) async fn compare(&self, id: &MfaSessionId, code: &Code) -> Result<(), Error> {
        let (key, digest) = (key_of(id), self.digest(code, id));
        let compared = self
            .records
            .compare(&key, &digest, None, Refusal::MfaSession);
        compared.await
    }

    fn digest(&self, code: &Code, id: &MfaSessionId) -> [u8; 32] {
        code.digest_bound_to(id.expose().as_bytes(), &self.records.codes)
    }
}

fn key_of(id: &MfaSessionId) -> String {
    format!("mfa:{}", id.digest())
}

impl std::fmt::Debug for MfaSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MfaSessions(..)")
    }
}
