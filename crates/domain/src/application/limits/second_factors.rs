//! Limits on enrolling second factors and on answering them. They belong to the
//! account, whichever factor and sign-in an answer is for.

use std::time::Duration;

use super::{Charge, DAY, HOUR, Limits, tag};
use crate::error::{Error, Limit};
use crate::model::{Address, ClientContext, CredentialDigest, FactorId, NamedUser, UserId};
use crate::ports::Budget;

/// Wrong answers of second factors that an account has, and its known devices
/// together beside it, and in which windows.
const SECOND_FACTORS: [(u32, Duration); 2] = [(5, Duration::from_secs(15 * 60)), (20, DAY)];
/// Enrolments that an account begins in an hour.
const ENROLLMENTS: u32 = 20;
/// Changes of addresses that an account makes in a day.
const IDENTIFIER_CHANGES: u32 = 20;
/// Codes with which an enrolment is confirmed, as long as it lives.
const CONFIRMATIONS: u32 = 5;

impl Limits {
    /// Charges an answer to a second factor before it is compared: to the account,
    /// whichever factor and sign-in it is for, or to its known devices, if it comes
    /// from one.
    pub(crate) async fn charge_second_factor(
        &self,
        user: UserId,
        from_known_device: bool,
    ) -> Result<Charge, Error> {
        let user = user.to_string();
        // One of all known devices: each of its own would multiply the tries.
        let kind = match from_known_device {
            true => "device-factor",
            false => "second-factor",
        };
        let budgets = SECOND_FACTORS.map(|(limit, window)| {
            let parts = [user.as_str(), &window.as_secs().to_string()];
            self.budget(kind, &parts, limit, window)
        });
        self.charge(budgets.into(), Limit::Attempts).await
    }

    /// Charges an MFA session that no message is sent for: to the source over all
    /// users, then to the user from that source.
    pub(crate) async fn charge_mfa_session(
        &self,
        named: &NamedUser,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let (kind, text) = named.parts();
        let source = client.source();
        let mut budgets = Vec::new();
        if client.ip_address.is_some() {
            let (limit, window) = self.settings.attempts_per_source;
            budgets.push(self.budget("mfa-source", &[&source], limit, window));
        }
        for &(limit, window) in &self.settings.source_attempts {
            let parts = [kind, &*text, &source, &window.as_secs().to_string()];
            budgets.push(self.budget("mfa-session", &parts, limit, window));
        }
        self.charge(budgets, Limit::Attempts).await
    }

    /// The id that stands for a user whom there is not.
    pub(crate) fn stand_in(&self, named: &NamedUser) -> UserId {
        let (kind, text) = named.parts();
        let tag = tag(&self.names, "stand-in", &[kind, &*text]);
        let mut id = [0; 16];
        id.copy_from_slice(&tag.as_ref()[..16]);
        UserId::from_bytes(id)
    }

    /// The id that stands for a factor where an address of a user is sent codes
    /// without having been enrolled, the same each time.
    pub(crate) fn stand_in_of_address(&self, user: UserId, address: &Address) -> FactorId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.tag_of_address("stand-in-address", user, address)[..16]);
        FactorId::from_bytes(id)
    }

    /// What an address of a user is found by, so that it is one factor at the most.
    pub(crate) fn credential_of_address(
        &self,
        user: UserId,
        address: &Address,
    ) -> CredentialDigest {
        self.tag_of_address("address-credential", user, address)
    }

    fn tag_of_address(&self, kind: &str, user: UserId, address: &Address) -> [u8; 32] {
        let parts = [&*user.to_string(), address.as_str()];
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag(&self.names, kind, &parts).as_ref());
        bytes
    }

    /// A credential of a user who has none, the same each time.
    pub(crate) fn made_up_credential(&self, user: UserId) -> [u8; 32] {
        let tag = tag(&self.names, "made-up-credential", &[&user.to_string()]);
        let mut id = [0; 32];
        id.copy_from_slice(tag.as_ref());
        id
    }

    /// Charges an answer of a passkey that signs in by itself to the source, before
    /// the database is asked for the passkey.
    pub(crate) async fn charge_passkey_answer(
        &self,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let mut budgets = Vec::new();
        if client.ip_address.is_some() {
            let (limit, window) = self.settings.attempts_per_source;
            budgets.push(self.budget("passkey-source", &[&client.source()], limit, window));
        }
        self.charge(budgets, Limit::Attempts).await
    }

    /// Charges what a provider sent back to the source, before the provider is asked about it.
    pub(crate) async fn charge_federated_answer(
        &self,
        client: &ClientContext,
    ) -> Result<Charge, Error> {
        let mut budgets = Vec::new();
        if client.ip_address.is_some() {
            let (limit, window) = self.settings.attempts_per_source;
            budgets.push(self.budget("federated-source", &[&client.source()], limit, window));
        }
        self.charge(budgets, Limit::Attempts).await
    }

    /// Charges an enrolment to the account before it is begun.
    pub(crate) async fn charge_enrollment(&self, user: UserId) -> Result<Charge, Error> {
        let budget = self.budget("enrollment", &[&user.to_string()], ENROLLMENTS, HOUR);
        self.charge(vec![budget], Limit::Attempts).await
    }

    /// Charges a change of an address to the account before it is made.
    pub(crate) async fn charge_identifier_change(&self, user: UserId) -> Result<Charge, Error> {
        let budget = self.identifier_changes_of(user);
        self.charge(vec![budget], Limit::Attempts).await
    }

    /// Gives back all changes of addresses of an account: who has undone them has not
    /// made them.
    pub(crate) async fn refund_identifier_changes(&self, user: UserId) -> Result<(), Error> {
        let budget = self.identifier_changes_of(user);
        let all = vec![budget; IDENTIFIER_CHANGES as usize];
        Ok(self.ephemeral.refund(&all).await?)
    }

    fn identifier_changes_of(&self, user: UserId) -> Budget {
        let user = user.to_string();
        self.budget("identifier-change", &[&user], IDENTIFIER_CHANGES, DAY)
    }

    /// Charges an answer with which an enrolment shall be confirmed.
    pub(crate) async fn charge_confirmation(&self, id: FactorId) -> Result<Charge, Error> {
        let budget = self.budget("confirmation", &[&id.to_string()], CONFIRMATIONS, HOUR);
        self.charge(vec![budget], Limit::Attempts).await
    }
}
