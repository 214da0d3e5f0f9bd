//! Challenges that passkeys answer to sign in, each good for one answer.
//!
//! That of an MFA session, or of a session in which a passkey is shown again, is
//! kept under it and replaced by a new one; that of a first factor is kept under itself. They are sealed, so that nobody
//! who can write to the store can plant one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::application::sealed_records::SealedRecords;
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Challenge, GroupId, MfaSessionId, SessionId, Timestamp};
use crate::ports::{Clock, EphemeralStore};

/// Keeps challenges.
pub struct PasskeyChallenges {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
}

/// A challenge that was made.
#[derive(Debug)]
pub struct MadeChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// From when on an answer is not accepted.
    pub expires_at: Timestamp,
}

/// What a browser is asked.
#[derive(Debug)]
pub struct BegunAssertion {
    /// A PublicKeyCredentialRequestOptionsJSON.
    pub options: String,
    /// From when on an answer is not accepted.
    pub expires_at: Timestamp,
}

/// What is kept of a challenge.
#[derive(Serialize, Deserialize)]
struct Record {
    challenge: [u8; 32],
    /// The group and the caller, of a first factor.
    for_sign_in: Option<(GroupId, String)>,
    expires_at: Timestamp,
}

impl PasskeyChallenges {
    /// How long a person has to answer.
    pub(crate) const TTL: Duration = Duration::from_secs(5 * 60);

    pub(crate) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            records,
        }
    }

    /// A new challenge of an MFA session, in place of an earlier one.
    pub(crate) async fn of_mfa_session(
        &self,
        session: &MfaSessionId,
    ) -> Result<MadeChallenge, Error> {
        let challenge = Challenge::generate(&*self.records.random);
        self.keep(challenge, &key_of_session(session), None).await
    }

    /// A new challenge for a person who shows a passkey again in a session, in place
    /// of an earlier one.
    pub(crate) async fn of_session(&self, session: SessionId) -> Result<MadeChallenge, Error> {
        let challenge = Challenge::generate(&*self.records.random);
        self.keep(challenge, &key_of_step_up(session), None).await
    }

    /// A new challenge of a first factor, for a group and a caller.
    pub(crate) async fn of_sign_in(
        &self,
        group: &GroupId,
        client_id: &str,
    ) -> Result<MadeChallenge, Error> {
        let challenge = Challenge::generate(&*self.records.random);
        let key = key_of_challenge(&challenge);
        let whose = Some((group.clone(), client_id.to_owned()));
        self.keep(challenge, &key, whose).await
    }

    /// Takes the challenge of an MFA session, whatever the answer is worth: of
    /// many who try at once, one gets it.
    pub(crate) async fn take_of_mfa_session(
        &self,
        session: &MfaSessionId,
    ) -> Result<Challenge, Error> {
        let record = self.take(&key_of_session(session)).await?;
        let record = record.ok_or(Refusal::SecondFactor)?;
        Ok(record_challenge(&record))
    }

    /// Takes the challenge that was made for a session, likewise.
    pub(crate) async fn take_of_session(&self, session: SessionId) -> Result<Challenge, Error> {
        let record = self.take(&key_of_step_up(session)).await?;
        let record = record.ok_or(Refusal::SecondFactor)?;
        Ok(record_challenge(&record))
    }

    /// Takes the challenge that an answer to a first factor names, if it is one of
    /// this group and caller.
    pub(crate) async fn take_of_sign_in(
        &self,
        assertion: &Assertion,
        group: &GroupId,
        client_id: &str,
    ) -> Result<Challenge, Error> {
        let named = assertion.challenge().ok_or(Refusal::SignIn)?;
        let record = self.take(&key_of_challenge(&named)).await?;
        let record = record.ok_or(Refusal::SignIn)?;
        match &record.for_sign_in {
            Some((of, by)) if of == group && by == client_id => Ok(record_challenge(&record)),
            _ => Err(Refusal::SignIn.into()),
        }
    }

    async fn keep(
        &self,
        challenge: Challenge,
        key: &str,
        for_sign_in: Option<(GroupId, String)>,
    ) -> Result<MadeChallenge, Error> {
        let expires_at = self.clock.now().plus(Self::TTL);
        let record = Record {
            challenge: *challenge.as_bytes(),
            for_sign_in,
            expires_at,
        };
        let sealed = self.records.seal(key, &record)?;
        self.ephemeral.put(key, &sealed, Self::TTL).await?;
        Ok(MadeChallenge {
            challenge,
            expires_at,
        })
    }

    async fn take(&self, key: &str) -> Result<Option<Record>, Error> {
        let Some(sealed) = self.ephemeral.take(key).await? else {
            return Ok(None);
        };
        let record: Record = self.records.open(key, &sealed)?;
        let is_alive = self.clock.now() < record.expires_at;
        Ok(is_alive.then_some(record))
    }
}

fn record_challenge(record: &Record) -> Challenge {
    let challenge = Challenge::from_bytes(&record.challenge);
    challenge.expect("a challenge has 32 bytes")
}

fn key_of_session(session: &MfaSessionId) -> String {
    format!("passkey-mfa:{}", session.digest())
}

fn key_of_step_up(session: SessionId) -> String {
    format!("passkey-step-up:{session}")
}

fn key_of_challenge(challenge: &Challenge) -> String {
    format!("passkey-sign-in:{}", challenge.digest())
}

impl fmt::Debug for PasskeyChallenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasskeyChallenges(..)")
    }
}
