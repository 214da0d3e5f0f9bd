//! Unfinished enrolments of second factors: a secret that was shown, and whose
//! codes have not been seen yet, a challenge that no passkey has answered, or an
//! address that a code was sent to. They are sealed, and bound to their user as its credentials are.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::application::sealed_records::{SealedRecords, damaged};
use crate::error::{Error, Refusal};
use crate::model::{Address, Challenge, FactorId, FactorLabel, ProvenUser, Timestamp, TotpSecret};
use crate::ports::{Clock, EphemeralStore};

/// How long a person has to type the first code.
const TTL: Duration = Duration::from_secs(10 * 60);

/// Keeps enrolments until they are confirmed.
pub struct Enrollments {
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
}

/// An authenticator that has not shown yet that it is one.
#[derive(Debug)]
pub struct Enrollment {
    /// Its id, which the factor will have.
    pub id: FactorId,
    /// Who enrols it.
    pub user: ProvenUser,
    /// What the person calls it.
    pub label: FactorLabel,
    /// What the authenticator was given.
    pub given: Given,
    /// From when on it cannot be confirmed.
    pub expires_at: Timestamp,
}

/// What an authenticator was given.
#[derive(Debug)]
pub enum Given {
    /// The secret that it shares with the app.
    Totp(TotpSecret),
    /// What the new passkey is to answer.
    Passkey(Challenge),
    /// The address that a code was sent to.
    Code(Address),
}

/// An enrolment as it is sealed: with a secret, a challenge or an address.
#[derive(Serialize, Deserialize)]
struct Record {
    user: ProvenUser,
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    expires_at: Timestamp,
}

impl Enrollment {
    /// The secret of an app.
    #[must_use]
    pub fn totp(&self) -> Option<&TotpSecret> {
        match &self.given {
            Given::Totp(secret) => Some(secret),
            Given::Passkey(_) | Given::Code(_) => None,
        }
    }

    /// The address that a code was sent to.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match &self.given {
            Given::Code(address) => Some(address),
            Given::Totp(_) | Given::Passkey(_) => None,
        }
    }
}

impl Enrollments {
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

    /// A new secret for an app.
    pub(crate) fn new_secret(&self) -> Given {
        Given::Totp(TotpSecret::generate(&*self.records.random))
    }

    /// A new challenge for a passkey.
    pub(crate) fn new_challenge(&self) -> Given {
        Given::Passkey(Challenge::generate(&*self.records.random))
    }

    /// A new enrolment, for as long as one may last, or `ttl` if that is less.
    pub(crate) async fn begin(
        &self,
        user: ProvenUser,
        label: FactorLabel,
        given: Given,
        ttl: Option<Duration>,
    ) -> Result<Enrollment, Error> {
        let now = self.clock.now();
        let enrollment = Enrollment {
            id: FactorId::generate(now, &*self.records.random),
            user,
            label,
            given,
            expires_at: now.plus(ttl.unwrap_or(TTL).min(TTL)),
        };
        self.keep(&enrollment).await?;
        Ok(enrollment)
    }

    /// The user's enrolment with this id. It is not confirmed yet.
    pub(crate) async fn find(&self, id: FactorId, user: ProvenUser) -> Result<Enrollment, Error> {
        let key = key_of(id);
        let sealed = self.ephemeral.get(&key).await?;
        let sealed = sealed.ok_or(Refusal::Enrollment)?;
        let record: Record = self.records.open(&key, &sealed)?;
        let secret = record.secret.map(Zeroizing::new);
        if record.user != user || self.clock.now() >= record.expires_at {
            return Err(Refusal::Enrollment.into());
        }
        Ok(Enrollment {
            id,
            user: record.user,
            label: FactorLabel::parse(&record.label).map_err(damaged)?,
            given: match (secret, record.challenge, record.address) {
                (Some(secret), None, None) => Given::Totp(TotpSecret::from_bytes(&secret)),
                (None, None, Some(address)) => Given::Code(address),
                (None, Some(bytes), None) => Challenge::from_bytes(&bytes)
                    .map(Given::Passkey)
                    .ok_or_else(|| damaged("its challenge"))?,
                _ => return Err(damaged("of no kind")),
            },
            expires_at: record.expires_at,
        })
    }

    /// Takes an enrolment: of many who try at once, one succeeds.
    pub(crate) async fn take(&self, id: FactorId) -> Result<(), Error> {
        match self.ephemeral.take(&key_of(id)).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::Enrollment.into()),
        }
    }

    /// Keeps an enrolment again that was taken for what could not be done.
    pub(crate) async fn keep(&self, enrollment: &Enrollment) -> Result<(), Error> {
        let ttl = enrollment.expires_at.since(self.clock.now());
        if ttl.is_zero() {
            return Ok(());
        }
        let (secret, challenge, address) = match &enrollment.given {
            Given::Totp(secret) => (Some(secret.expose().to_vec()), None, None),
            Given::Passkey(challenge) => (None, Some(challenge.as_bytes().to_vec()), None),
            Given::Code(address) => (None, None, Some(address.clone())),
        };
        let record = Record {
            user: enrollment.user,
            label: enrollment.label.as_str().to_owned(),
            secret,
            challenge,
            address,
            expires_at: enrollment.expires_at,
        };
        let key = key_of(enrollment.id);
        let sealed = self.records.seal(&key, &record);
        drop(record.secret.map(Zeroizing::new));
        Ok(self.ephemeral.put(&key, &sealed?, ttl).await?)
    }
}

fn key_of(id: FactorId) -> String {
    format!("enrollment:{id}")
}

impl fmt::Debug for Enrollments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrollments(..)")
    }
}
