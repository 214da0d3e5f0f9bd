//! Codes that were sent as second factors. Each is kept for one MFA session, one
//! session that goes on or one enrolment, and is good for nothing else; a new one kills the earlier one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::application::sealed_records::{SealedRecords, damaged};
use crate::application::{Charge, Limits, Messages, Settings};
use crate::error::Error;
use crate::model::{
    Address, Code, CodeFactor, CredentialVersion, FactorId, Locale, MfaSessionId, Purpose,
    SessionId, Timestamp, VerificationId,
};
use crate::ports::{Clock, Comparison, Content, EphemeralStore, Guess, Message, Secret, Store};

/// More wrong codes than any secret bears: the limit of second factors is that of
/// the account, and of an enrolment that of the enrolment.
const WRONG_CODES: u32 = 1_000;
/// The bytes of an id.
const ID_LEN: usize = 16;

/// Keeps codes until they are answered.
pub struct SentCodes {
    store: Arc<dyn Store>,
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
    limits: Arc<Limits>,
    settings: Arc<Settings>,
}

/// What a code is an answer to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SentFor<'a> {
    /// An MFA session.
    MfaSession(&'a MfaSessionId),
    /// Authenticating the person again in a session, whose credentials are of this
    /// version: after a change of them the code is none.
    StepUp(SessionId, CredentialVersion),
    /// An enrolment.
    Enrollment(FactorId),
}

/// A code to be sent.
#[derive(Debug)]
pub(crate) struct NewCode<'a> {
    /// What it is an answer to.
    pub(crate) sent_for: SentFor<'a>,
    /// The factor that it is one of.
    pub(crate) factor: FactorId,
    /// Where it goes; nowhere if there is no such factor, which takes as long.
    pub(crate) to: Option<&'a Address>,
    /// The language of the message.
    pub(crate) locale: Locale,
    /// From when on it is not accepted, at the latest.
    pub(crate) ends_at: Timestamp,
}

/// A code that was sent, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Record {
    factor: FactorId,
    address: Option<Address>,
    expires_at: Timestamp,
}

/// A code that waits for an answer.
#[derive(Debug)]
pub(crate) struct SentCode {
    id: VerificationId,
    /// The factor that it was sent to.
    pub(crate) factor: FactorId,
    /// Where it went.
    address: Option<Address>,
}

/// What comes of a comparison with a code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentComparison {
    /// It is the one, and gone with this.
    Matches,
    /// It is not.
    Differs,
    /// There is none any more.
    Absent,
}

impl SentCodes {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
        limits: Arc<Limits>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            store,
            ephemeral,
            clock,
            records,
            limits,
            settings,
        }
    }

    /// Makes a code that is charged already, in place of an earlier one, and
    /// queues its message. Tells from when on it is not accepted.
    pub(crate) async fn send(
        &self,
        new: NewCode<'_>,
        charge: &Charge,
        messages: &Messages,
    ) -> Result<Timestamp, Error> {
        let limits = &self.settings.verification;
        let code = Code::generate(limits.code_digits, &*self.records.random);
        let expires_at = self.clock.now().plus(limits.code_ttl).min(new.ends_at);
        let record = Record {
            factor: new.factor,
            address: new.to.cloned(),
            expires_at,
        };
        self.keep(new.sent_for, &record, &code, Some(charge))
            .await?;
        let message = new.to.map(|to| Message {
            to: to.clone(),
            locale: new.locale,
            content: Content::Code {
                code,
                purpose: new.sent_for.purpose(),
                expires_at,
            },
        });
        let queued = messages.code(messages.new_id(), message, expires_at)?;
        self.store.enqueue(&queued).await?;
        messages.queued();
        Ok(expires_at)
    }

    /// The code that waits for this answer, if there is one.
    pub(crate) async fn find(&self, sent_for: SentFor<'_>) -> Result<Option<SentCode>, Error> {
        let series = self.series(sent_for);
        let Some(value) = self.ephemeral.latest(&series).await? else {
            return Ok(None);
        };
        let (id, sealed) = value
            .split_first_chunk::<ID_LEN>()
            .ok_or_else(|| damaged("is too short"))?;
        let id = VerificationId::from_bytes(*id);
        let record: Record = self.records.open(&name(&series, id), sealed)?;
        let is_alive = self.clock.now() < record.expires_at;
        Ok(is_alive.then_some(SentCode {
            id,
            factor: record.factor,
            address: record.address,
        }))
    }

    /// Compares what was typed with a code. Its tries are charged, and nothing
    /// else: the limit of the account is its caller's.
    pub(crate) async fn compare(
        &self,
        sent: &SentCode,
        typed: &Code,
    ) -> Result<SentComparison, Error> {
        let limits = &self.settings.verification;
        let guess = Guess {
            secret: &typed.digest(sent.id, &self.records.codes),
            at: self.clock.now(),
            tries: limits.code_tries,
            limit: WRONG_CODES,
            window: limits.code_ttl,
        };
        let key = key_of(sent.id);
        let compared = self.ephemeral.compare(&key, guess, None).await;
        Ok(match compared? {
            Comparison::Matches => SentComparison::Matches,
            Comparison::Differs { .. } | Comparison::Exhausted { .. } => SentComparison::Differs,
            Comparison::Absent => SentComparison::Absent,
        })
    }

    /// Keeps a code again that was taken as right for what could not be done.
    pub(crate) async fn restore(
        &self,
        sent_for: SentFor<'_>,
        factor: CodeFactor,
        code: &Code,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let record = Record {
            factor: factor.id,
            address: Some(factor.address),
            expires_at,
        };
        self.keep(sent_for, &record, code, None).await
    }

    async fn keep(
        &self,
        sent_for: SentFor<'_>,
        record: &Record,
        code: &Code,
        charge: Option<&Charge>,
    ) -> Result<(), Error> {
        let series = self.series(sent_for);
        let id = VerificationId::generate(&*self.records.random);
        let sealed = self.records.seal(&name(&series, id), record)?;
        let budget = self.limits.name("sent-code-tries", &[&id.to_string()]);
        let secret = Secret {
            value: &[id.as_bytes(), &*sealed].concat(),
            secret: &code.digest(id, &self.records.codes),
            budget: &budget,
            expires_at: record.expires_at,
            reward: charge.and_then(Charge::reward),
        };
        let ttl = record.expires_at.since(self.clock.now());
        self.ephemeral
            .supersede(&[], &series, &key_of(id), secret, ttl)
            .await?;
        Ok(())
    }

    fn series(&self, sent_for: SentFor<'_>) -> String {
        match sent_for {
            SentFor::MfaSession(id) => self.limits.name("mfa-codes", &[&id.digest()]),
            SentFor::StepUp(id, version) => {
                let parts = [id.to_string(), version.to_string()];
                self.limits
                    .name("step-up-codes", &parts.each_ref().map(String::as_str))
            }
            SentFor::Enrollment(id) => self.limits.name("enrollment-codes", &[&id.to_string()]),
        }
    }
}

impl SentCode {
    /// Whether it went to this factor, as it is now.
    pub(crate) fn is_of(&self, factor: &CodeFactor) -> bool {
        self.factor == factor.id && self.address.as_ref() == Some(&factor.address)
    }
}

impl SentFor<'_> {
    fn purpose(self) -> Purpose {
        match self {
            Self::MfaSession(_) => Purpose::SecondFactor,
            Self::StepUp(..) => Purpose::StepUp,
            Self::Enrollment(_) => Purpose::AddFactor,
        }
    }
}

fn key_of(id: VerificationId) -> String {
    format!("sent-code:{id}")
}

/// What a record is bound to: what it is an answer to, and its id.
fn name(series: &str, id: VerificationId) -> String {
    format!("{series} {id}")
}

impl fmt::Debug for SentCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentCodes(..)")
    }
}
