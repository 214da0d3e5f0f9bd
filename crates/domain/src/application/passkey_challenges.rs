//! Challenges that passkeys answer to sign in, each good for one answer.
//!
//! That of an MFA session, or of a session in which a passkey is shown again, is
//! kept under it, sealed, so that nobody who can write to the store can plant one,
//! and replaced by a new one. That of a first factor is not kept: every page with a
//! form to sign in begins one, and most are never answered. It carries its end and a
//! MAC; that it was answered is kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use crate::application::sealed_records::SealedRecords;
use crate::error::{Error, Refusal};
use crate::model::{Assertion, Challenge, GroupId, MfaSessionId, SessionId, Timestamp};
use crate::ports::{Clock, EphemeralStore};

/// A challenge that is not kept: when it ends, in milliseconds, a random number,
/// and a MAC over both and over whose it is.
const END: usize = 6;
const HEAD: usize = 16;
const LEN: usize = 32;

/// Keeps challenges.
pub struct PasskeyChallenges {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
    marks: hmac::Key,
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
    challenge: [u8; LEN],
    expires_at: Timestamp,
}

impl PasskeyChallenges {
    /// How long a person has to answer.
    pub(crate) const TTL: Duration = Duration::from_secs(5 * 60);
    /// How long it is kept that a challenge was answered: longer than it is good,
    /// for clocks that are set back meanwhile.
    const ANSWERED_TTL: Duration = Duration::from_secs(10 * 60);

    pub(crate) fn new(
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
        marks: hmac::Key,
    ) -> Self {
        Self {
            ephemeral,
            clock,
            records,
            marks,
        }
    }

    /// A new challenge of an MFA session, in place of an earlier one.
    pub(crate) async fn of_mfa_session(
        &self,
        session: &MfaSessionId,
    ) -> Result<MadeChallenge, Error> {
        let challenge = Challenge::generate(&*self.records.random);
        self.keep(challenge, &key_of_session(session)).await
    }

    /// A new challenge for a person who shows a passkey again in a session, in place
    /// of an earlier one.
    pub(crate) async fn of_session(&self, session: SessionId) -> Result<MadeChallenge, Error> {
        let challenge = Challenge::generate(&*self.records.random);
        self.keep(challenge, &key_of_step_up(session)).await
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

    /// A new challenge of a first factor, for a group and a caller. Nothing is
    /// kept of it.
    pub(crate) fn of_sign_in(&self, group: &GroupId, client_id: &str) -> MadeChallenge {
        let expires_at = self.clock.now().plus(Self::TTL);
        let mut bytes = [0; LEN];
        self.records.random.fill(&mut bytes[END..HEAD]);
        let end = expires_at.as_millis().to_be_bytes();
        bytes[..END].copy_from_slice(&end[end.len() - END..]);
        let tag = self.tag(&bytes[..HEAD], group, client_id);
        bytes[HEAD..].copy_from_slice(&tag.as_ref()[..LEN - HEAD]);
        MadeChallenge {
            challenge: Challenge::from_bytes(&bytes).expect("it has 32 bytes"),
            expires_at,
        }
    }

    /// The challenge that an answer to a first factor names, if it was made for
    /// this group and caller and is still good.
    pub(crate) fn answered(
        &self,
        assertion: &Assertion,
        group: &GroupId,
        client_id: &str,
    ) -> Result<Challenge, Error> {
        let challenge = assertion.challenge().ok_or(Refusal::SignIn)?;
        let (head, tag) = challenge.as_bytes().split_at(HEAD);
        let own = self.tag(head, group, client_id);
        let mut end = [0; 8];
        end[8 - END..].copy_from_slice(&head[..END]);
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(end));
        let is_ours = verify_slices_are_equal(tag, &own.as_ref()[..LEN - HEAD]).is_ok();
        match is_ours && self.clock.now() < expires_at {
            true => Ok(challenge),
            false => Err(Refusal::SignIn.into()),
        }
    }

    /// Takes the challenge of an answer that proved right: of many such answers,
    /// one gets it.
    pub(crate) async fn take_answered(&self, challenge: &Challenge) -> Result<(), Error> {
        let key = key_of_challenge(challenge);
        let kept = self.ephemeral.put_if_absent(&key, &[], Self::ANSWERED_TTL);
        match kept.await? {
            true => Ok(()),
            false => Err(Refusal::SignIn.into()),
        }
    }

    async fn keep(&self, challenge: Challenge, key: &str) -> Result<MadeChallenge, Error> {
        let expires_at = self.clock.now().plus(Self::TTL);
        let record = Record {
            challenge: *challenge.as_bytes(),
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

    fn tag(&self, head: &[u8], group: &GroupId, client_id: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.marks);
        context.update(head);
        for part in [group.as_str(), client_id] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
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
