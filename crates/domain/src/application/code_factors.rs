//! Addresses to which codes are sent as second factors: those that a person has
//! enrolled, and those that stand in for them where there are none.
//!
//! An address counts as long as it is a verified one of the person, whatever was
//! enrolled before; and never if the sign-in has proved it already.

use std::fmt;
use std::sync::Arc;

use crate::application::{Enrollment, Groups, Limits};
use crate::error::Error;
use crate::model::{
    Address, CodeFactor, Factor, FactorId, FactorKind, MfaSessionRecord, SealingKey, User, UserId,
};
use crate::ports::{Clock, Content, MessageSender, Random, Store, UnitOfWork};

/// Knows the addresses to which codes are sent.
pub struct CodeFactors {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    factors: SealingKey,
    limits: Arc<Limits>,
    sender: Option<Arc<dyn MessageSender>>,
    groups: Groups,
}

/// What of a sign-in or a session decides where codes may be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeFactorsOf<'a> {
    /// Whose addresses.
    pub(crate) user: UserId,
    /// The one that was proved already.
    pub(crate) proved: Option<&'a Address>,
    /// Whether verified addresses stand in if nothing was enrolled.
    pub(crate) addresses_stand_in: bool,
}

/// Where codes may be sent.
#[derive(Debug)]
pub(crate) struct OfferedCodes {
    /// The addresses.
    pub(crate) factors: Vec<CodeFactor>,
    /// What a factor could not be read for.
    unread: Option<Error>,
}

impl CodeFactors {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        factors: SealingKey,
        limits: Arc<Limits>,
        sender: Option<Arc<dyn MessageSender>>,
        groups: Groups,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            factors,
            limits,
            sender,
            groups,
        }
    }

    /// Where codes may be sent in a sign-in: to enrolled addresses, oldest first.
    ///
    /// Others stand in where the only factor is the address that the sign-in has
    /// proved, so that its owner has more than recovery codes to go on with; and
    /// where there is no factor, if that is asked for.
    pub(crate) async fn offered(&self, of: CodeFactorsOf<'_>) -> Result<OfferedCodes, Error> {
        let (mut enrolled, mut unread, mut has_others) = (Vec::new(), None, false);
        for row in self.store.factors(of.user).await? {
            let opened = match row {
                Ok(factor) if !factor.kind.is_address() => {
                    has_others = true;
                    continue;
                }
                Ok(factor) => self.open(&factor).map(|address| (factor.id, address)),
                Err(error) => Err(error.into()),
            };
            match opened {
                Ok((id, address)) => enrolled.push(CodeFactor { id, address }),
                Err(error) => unread = Some(error),
            }
        }
        let mut addresses = self.store.addresses(of.user).await?;
        let is_proved = |address: &Address| of.proved == Some(address);
        let has_none = enrolled.is_empty() && of.addresses_stand_in;
        let has_proved = !enrolled.is_empty() && enrolled.iter().all(|f| is_proved(&f.address));
        if !has_others && unread.is_none() && (has_none || has_proved) {
            addresses.sort();
            let stand_in = |address| CodeFactor {
                id: self.limits.stand_in_of_address(of.user, &address),
                address,
            };
            enrolled = addresses.into_iter().map(stand_in).collect();
        } else {
            enrolled.retain(|factor| addresses.contains(&factor.address));
        }
        enrolled.retain(|factor| !is_proved(&factor.address) && self.reaches(&factor.address));
        Ok(OfferedCodes {
            factors: enrolled,
            unread,
        })
    }

    /// The address that codes may be sent to now, the first one if none is named;
    /// none if it is not the user's any more, or was never offered.
    ///
    /// # Errors
    /// What cannot be told: also that a factor cannot be read, which may be this.
    pub(crate) async fn find(
        &self,
        of: CodeFactorsOf<'_>,
        id: Option<FactorId>,
    ) -> Result<Option<CodeFactor>, Error> {
        let offered = self.offered(of).await?;
        let is_meant = |factor: &CodeFactor| id.is_none_or(|id| factor.id == id);
        let found = offered.factors.into_iter().find(is_meant);
        match (found, offered.unread) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }

    /// What decides where codes are sent in a session that goes on: verified
    /// addresses stand in where everybody has to show a second factor.
    ///
    /// # Errors
    /// Unavailable, if the policy of the group cannot be told.
    pub(crate) fn of_session(&self, user: &User) -> Result<CodeFactorsOf<'static>, Error> {
        Ok(CodeFactorsOf {
            user: user.id,
            proved: None,
            addresses_stand_in: self.groups.mfa_policy(&user.group)?.is_for_everybody(),
        })
    }

    /// Whether codes can be sent to an address, and are.
    pub(crate) fn reaches(&self, address: &Address) -> bool {
        let sender = self.sender.as_ref();
        sender.is_some_and(|sender| sender.reaches(address))
            && self.groups.settings().verification.sends_to(address)
    }

    /// The factor that an enrolled address becomes.
    pub(crate) fn seal(&self, enrollment: &Enrollment, address: &Address) -> Factor {
        let (id, user_id) = (enrollment.id, enrollment.user.id);
        let kind = FactorKind::of_address(address);
        let plain = serde_json::to_vec(address).expect("an address is plain text");
        Factor {
            id,
            user_id,
            kind,
            label: enrollment.label.clone(),
            sealed: self.factors.seal(&name(id, user_id), &plain, &*self.random),
            last_step: 0,
            created_at: self.clock.now(),
            enrolled_by: None,
        }
    }

    /// Removes the factor of an address that a user, who is locked, gives up, and
    /// with the last factor the recovery codes: the address may be somebody else's
    /// tomorrow. Returns what its owner is told of that.
    pub(crate) async fn remove(
        &self,
        uow: &mut dyn UnitOfWork,
        user: UserId,
        address: &Address,
    ) -> Result<Option<Content>, Error> {
        let credential = self.limits.credential_of_address(user, address);
        let is_removed = uow.delete_factor_by_credential(user, &credential).await?;
        if is_removed && uow.count_factors(user).await? == 0 {
            uow.put_recovery_codes(user, &[]).await?;
        }
        Ok(is_removed.then_some(Content::FactorRemoved))
    }

    /// The address of a factor; none if it is of another kind.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn address_of(&self, factor: &Factor) -> Result<Option<Address>, Error> {
        let is_address = factor.kind.is_address();
        is_address.then(|| self.open(factor)).transpose()
    }

    fn open(&self, factor: &Factor) -> Result<Address, Error> {
        let damaged = |what: &dyn fmt::Display| {
            Error::Internal(format!("the address of factor {} {what}", factor.id))
        };
        let name = name(factor.id, factor.user_id);
        let plain = self.factors.open(&name, &factor.sealed);
        let plain = plain.map_err(|error| damaged(&error))?;
        let address = serde_json::from_slice(&plain);
        let address: Address = address.map_err(|_| damaged(&"is not what was sealed"))?;
        match FactorKind::of_address(&address) == factor.kind {
            true => Ok(address),
            false => Err(damaged(&"is of another kind")),
        }
    }
}

impl<'a> CodeFactorsOf<'a> {
    /// What of an MFA session decides it.
    pub(crate) fn mfa_session(user: UserId, record: &'a MfaSessionRecord) -> Self {
        Self {
            user,
            proved: record.proved.as_ref(),
            addresses_stand_in: record.addresses_stand_in,
        }
    }
}

/// What an address is bound to.
fn name(id: FactorId, user: UserId) -> String {
    format!("address {id} of {user}")
}

impl fmt::Debug for CodeFactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeFactors(..)")
    }
}
