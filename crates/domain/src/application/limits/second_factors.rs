//! Limits on enrolling second factors and on answering them. They belong to the
//! account, whichever factor and sign-in an answer is for.

use std::time::Duration;

use super::{Charge, DAY, HOUR, Limits, tag};
use crate::error::{Error, Limit};
use crate::model::{ClientContext, DeviceDigest, FactorId, NamedUser, UserId};

/// Wrong answers of second factors that an account has, and each of its known
/// devices beside it, and in which windows.
const SECOND_FACTORS: [(u32, Duration); 2] = [(5, Duration::from_secs(15 * 60)), (20, DAY)];
/// Enrolments that an account begins in an hour.
const ENROLLMENTS: u32 = 20;
/// Codes with which an enrolment is confirmed, as long as it lives.
const CONFIRMATIONS: u32 = 5;

impl Limits {
    /// Charges an answer to a second factor before it is compared: to the account,
    /// whichever factor and sign-in it is for, or to the known device from which
    /// it comes.
    pub(crate) async fn charge_second_factor(
        &self,
        user: UserId,
        device: Option<&DeviceDigest>,
    ) -> Result<Charge, Error> {
        let user = user.to_string();
        let budgets = SECOND_FACTORS.map(|(limit, window)| match device {
            Some(device) => self.budget_of_device("device-factor", device, limit, window),
            None => {
                let parts = [user.as_str(), &window.as_secs().to_string()];
                self.budget("second-factor", &parts, limit, window)
            }
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

    /// Charges an enrolment to the account before it is begun.
    pub(crate) async fn charge_enrollment(&self, user: UserId) -> Result<Charge, Error> {
        let budget = self.budget("enrollment", &[&user.to_string()], ENROLLMENTS, HOUR);
        self.charge(vec![budget], Limit::Attempts).await
    }

    /// Charges a code with which an enrolment shall be confirmed.
    pub(crate) async fn charge_confirmation(&self, id: FactorId) -> Result<Charge, Error> {
        let budget = self.budget("confirmation", &[&id.to_string()], CONFIRMATIONS, HOUR);
        self.charge(vec![budget], Limit::Attempts).await
    }
}
