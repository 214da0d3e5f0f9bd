//! Limits on codes that are sent as second factors: those of all messages, and
//! for each address some of their own, which nobody spends who has not shown the
//! first factor. So they tell nobody, either, whose an address is.

use super::unverified::Recipient;
use super::{Charge, DAY, Limits, Sends};
use crate::error::{Error, Limit};
use crate::model::{Address, ClientContext, UserId};
use crate::ports::Budget;

/// What such a code is for. Each has budgets of its own, so that none is spent
/// from where another is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactorCodeUse {
    /// Enrolling the address.
    Enrollment,
    /// Signing in.
    SignIn,
    /// Signing in on a known device of the user.
    SignInOnKnownDevice,
    /// Answering an MFA session before which nobody has shown a first factor here:
    /// that spends nothing of those who have.
    MfaSession,
    /// Authenticating the person again in a session: whoever has taken over one
    /// keeps nobody from signing in.
    StepUp,
}

impl Limits {
    /// Charges a code to an address before it is made.
    pub(crate) async fn charge_factor_code(
        &self,
        address: &Address,
        client: &ClientContext,
        used: FactorCodeUse,
    ) -> Result<Charge, Error> {
        let whom = ["address", address.as_str(), used.as_str()];
        let mut budgets = self.factor_code_budgets(&whom, client);
        budgets.extend(self.send_country(address));
        let watch = self.watch(address, client, Recipient::Holder);
        self.charge_sends(Sends { budgets, watch }).await
    }

    /// Charges a code that goes nowhere, of a user who has no such factor or whom
    /// there is not.
    pub(crate) async fn charge_factor_code_to_nobody(
        &self,
        user: UserId,
        client: &ClientContext,
        used: FactorCodeUse,
    ) -> Result<Charge, Error> {
        let user = user.to_string();
        let whom = ["user", &*user, used.as_str()];
        let budgets = self.factor_code_budgets(&whom, client);
        self.charge(budgets, Limit::Messages).await
    }

    fn factor_code_budgets(&self, whom: &[&str], client: &ClientContext) -> Vec<Budget> {
        let limits = &self.settings.verification;
        let mut budgets = Vec::with_capacity(5);
        budgets.extend(self.send_source(client));
        budgets.push(self.send_in_all());
        if !limits.cooldown.is_zero() {
            budgets.push(self.budget("factor-code-cooldown", whom, 1, limits.cooldown));
        }
        budgets.push(self.budget("factor-code", whom, limits.sends_per_address, DAY));
        budgets
    }
}

impl FactorCodeUse {
    fn as_str(self) -> &'static str {
        match self {
            Self::Enrollment => "enrollment",
            Self::SignIn => "sign-in",
            Self::SignInOnKnownDevice => "known-device",
            Self::MfaSession => "mfa-session",
            Self::StepUp => "step-up",
        }
    }
}
