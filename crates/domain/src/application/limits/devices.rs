//! Limits on attempts from known devices: of their own, so that nobody else can
//! spend them.

use super::{Charge, Limits};
use crate::error::{Error, Limit};
use crate::model::DeviceDigest;

impl Limits {
    /// Charges an attempt at the password of the user of a known device, before
    /// it is made: to the device alone, as many as to an account from a source.
    pub(crate) async fn charge_known_device(&self, device: &DeviceDigest) -> Result<Charge, Error> {
        let device = device.to_text();
        let budgets = self.settings.source_attempts.iter();
        let budgets = budgets.map(|&(limit, window)| {
            let parts = [device.as_str(), &window.as_secs().to_string()];
            self.budget("device-sign-in", &parts, limit, window)
        });
        self.charge(budgets.collect(), Limit::Attempts).await
    }
}
