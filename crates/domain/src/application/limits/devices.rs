//! Limits on attempts from known devices: of their own, so that nobody else can
//! spend them.

use std::time::Duration;

use super::{Charge, Limits};
use crate::error::{Error, Limit};
use crate::model::DeviceDigest;
use crate::ports::Budget;

impl Limits {
    /// Charges an attempt at the password of the user of a known device, before
    /// it is made: to the device alone, as many as to an account from a source.
    pub(crate) async fn charge_known_device(&self, device: &DeviceDigest) -> Result<Charge, Error> {
        let budgets = self.settings.source_attempts.iter();
        let budgets = budgets
            .map(|&(limit, window)| self.budget_of_device("device-sign-in", device, limit, window));
        self.charge(budgets.collect(), Limit::Attempts).await
    }

    pub(super) fn budget_of_device(
        &self,
        kind: &str,
        device: &DeviceDigest,
        limit: u32,
        window: Duration,
    ) -> Budget {
        let parts = [device.to_text(), window.as_secs().to_string()];
        self.budget(kind, &parts.each_ref().map(String::as_str), limit, window)
    }
}
