//! Limits on messages: to an address or a user, from a source, to a country and
//! in all, and a guard over those that nobody has verified yet.

use super::unverified::{Recipient, Watch};
use super::{Charge, DAY, HOUR, Limits, Pool};
use crate::error::{Error, Limit};
use crate::model::{Address, ClientContext, DeviceDigest, NamedUser};
use crate::ports::{Alternative, Budget, Guard, GuardedSpending};

/// What a message is charged to.
#[derive(Debug)]
pub(crate) struct Sends {
    pub(super) budgets: Vec<Budget>,
    pub(super) watch: Option<Watch>,
}

impl Limits {
    /// Charges a message to an address before it is made.
    pub(crate) async fn charge_send(
        &self,
        address: &Address,
        client: &ClientContext,
        to: Recipient,
        device: Option<&DeviceDigest>,
    ) -> Result<Charge, Error> {
        let sends = self.sends(address, client, to, device);
        self.charge_sends(sends).await
    }

    /// What a message to an address is charged to. One that its user asks for on a
    /// known device is charged to the device in place of the address.
    pub(crate) fn sends(
        &self,
        address: &Address,
        client: &ClientContext,
        to: Recipient,
        device: Option<&DeviceDigest>,
    ) -> Sends {
        let mut budgets = Vec::with_capacity(5);
        budgets.extend(self.send_source(client));
        budgets.push(self.send_in_all());
        budgets.extend(self.sends_to(address, device));
        let watch = self.watch(address, client, to);
        Sends { budgets, watch }
    }

    /// Those budgets of a message that belong to the address.
    fn sends_to(&self, address: &Address, device: Option<&DeviceDigest>) -> Vec<Budget> {
        let limits = &self.settings.verification;
        let mut budgets = Vec::with_capacity(3);
        budgets.extend(self.send_country(address));
        let mut push = |kind, limit, window| {
            let name = self.name_of_address(kind, address, device);
            budgets.push(Budget {
                name,
                limit,
                window,
            });
        };
        if !limits.cooldown.is_zero() {
            push("send-cooldown", 1, limits.cooldown);
        }
        push("send-address", limits.sends_per_address, DAY);
        budgets
    }

    /// Charges a message to a user who is not named by an address, before it is
    /// known who that is.
    pub(crate) async fn charge_send_to_user(
        &self,
        named: &NamedUser,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let limits = &self.settings.verification;
        let (kind, text) = named.parts();
        let whom = [kind, &*text];
        let mut budgets = Vec::with_capacity(4);
        budgets.extend(self.send_source(client));
        budgets.push(self.send_in_all());
        if !limits.cooldown.is_zero() {
            budgets.push(self.budget("send-user-cooldown", &whom, 1, limits.cooldown));
        }
        budgets.push(self.budget("send-user", &whom, limits.sends_per_address, DAY));
        self.charge(budgets, Limit::Messages).await
    }

    /// Charges the address of such a user; as much in vain if there is none. Who
    /// sends codes to the address itself does not notice: else he would learn
    /// whose it is.
    pub(crate) async fn charge_addressee(
        &self,
        to: Option<&Address>,
        named: &NamedUser,
    ) -> Result<Charge, Error> {
        let limits = &self.settings.verification;
        let (kind, text) = match to {
            Some(address) => ("address", address.as_str().into()),
            None => named.parts(),
        };
        let whom = [kind, &*text];
        let mut budgets = Vec::with_capacity(2);
        if !limits.cooldown.is_zero() {
            budgets.push(self.budget("mfa-cooldown", &whom, 1, limits.cooldown));
        }
        budgets.push(self.budget("mfa-address", &whom, limits.sends_per_address, DAY));
        self.charge(budgets, Limit::Messages).await
    }

    /// Charges the source alone: of a sign-up that is refused before a message
    /// is made.
    pub(crate) async fn charge_send_source(&self, client: &ClientContext) -> Result<(), Error> {
        let budgets = self.send_source(client).into_iter().collect();
        self.charge(budgets, Limit::Messages).await.map(drop)
    }

    /// What came of charging a message: what is to be given back, and when.
    pub(crate) fn charged(&self, sends: Sends, spending: GuardedSpending) -> Result<Charge, Error> {
        let exhausted = |retry_after| Error::Exhausted {
            limit: Limit::Messages,
            retry_after,
        };
        let (alternative, watch) = match (spending, &sends.watch) {
            (GuardedSpending::Refused { retry_after, .. }, _) => {
                return Err(exhausted(retry_after));
            }
            (GuardedSpending::Guarded { index }, Some(watch)) => {
                let Some(&rule) = watch.rules.get(index) else {
                    let what = format!("there is no budget {index} of a guard");
                    return Err(Error::Internal(what));
                };
                let records_only = watch.guard.records_only;
                self.unverified.refuse(rule, records_only);
                if !records_only {
                    return Err(exhausted(watch.retry_after(rule)));
                }
                (None, watch)
            }
            (GuardedSpending::Spent(alternative), Some(watch)) => {
                if let Some(pool) = watch.pool(alternative) {
                    self.unverified.charge(pool);
                }
                (Some(alternative), watch)
            }
            (_, None) => return Ok(Charge::to(sends.budgets)),
        };
        let mut charge = Charge::to(sends.budgets);
        charge.reward = Some(watch.guard.reward(alternative));
        let guarded = alternative.map(|alternative| watch.guard.charged(alternative));
        charge.budgets.extend(guarded.unwrap_or_default());
        Ok(charge)
    }

    pub(super) async fn charge_sends(&self, sends: Sends) -> Result<Charge, Error> {
        let spending = match sends.guard() {
            Some(guard) => self.ephemeral.spend_guarded(&sends.budgets, guard).await?,
            None => self.ephemeral.spend(&sends.budgets).await?.into(),
        };
        self.charged(sends, spending)
    }

    pub(super) fn send_source(&self, client: &ClientContext) -> Option<Budget> {
        client.ip_address?;
        let limit = self.settings.verification.sends_per_source;
        Some(self.budget("send-source", &[&client.source()], limit, HOUR))
    }

    pub(super) fn send_country(&self, address: &Address) -> Option<Budget> {
        let Address::Phone(phone) = address else {
            return None;
        };
        let limit = self.settings.verification.sends_per_country;
        Some(self.budget("send-country", &[phone.calling_code()], limit, HOUR))
    }

    pub(super) fn send_in_all(&self) -> Budget {
        Budget {
            name: self.all_sends.clone(),
            limit: self.settings.verification.sends_in_all,
            window: HOUR,
        }
    }
}

impl Sends {
    /// What is charged in any case.
    pub(crate) fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// What is charged besides, if anything is.
    pub(crate) fn guard(&self) -> Option<&Guard> {
        let watch = self.watch.as_ref().filter(|watch| watch.guards());
        watch.map(|watch| &watch.guard)
    }
}

impl Watch {
    /// The budgets that were charged besides, if there are any.
    fn pool(&self, alternative: Alternative) -> Option<Pool> {
        self.guards().then_some(match alternative {
            Alternative::Own => Pool::Own,
            Alternative::Shared if self.is_at_home => Pool::Home,
            Alternative::Shared => Pool::Abroad,
        })
    }
}
